import { describe, expect, test } from 'vitest';
import { Flattener } from '../../../src/write/flatten.ts';
import { NoKernel } from '../../support/no_kernel.ts';
import { bytesField, concat, varintField } from '../../support/protobuf_writer.ts';
import { NO_LIMITS } from '../../support/same_as_oracle.ts';
import { label, name, sample, seriesOf, time, value, valueOne } from '../../support/series.ts';
import { refs, seriesOf as seriesV2, symbolsOf } from '../../support/series_v2.ts';
import { SlicedFlattener } from '../../support/sliced_flattener.ts';

/** What is too large for one turn of the event loop is read in pieces, and becomes the same lines. */

const NAME = label(name('__name__'), value('up'));
const SAMPLE_V2 = bytesField(2, concat(valueOne, varintField(2, 1)));
const times = (count: number, part: Uint8Array) => Buffer.alloc(count * part.length, part);
const manyLabels = Array.from({ length: 50_000 }, (_, index) => label(name(`n${(index * 7919) % 50_000}`), value('v')));

test.each<[string, 1 | 2, Uint8Array]>([
  ['a series of many labels', 1, seriesOf(NAME, ...manyLabels, sample(time(1), valueOne))],
  ['a series of many labels without a value', 1, seriesOf(NAME, times(400_000, label(name('a'))), sample(valueOne))],
  ['a series of many samples', 1, seriesOf(NAME, times(100_000, sample(time(1), valueOne)))],
  [
    'a series of many histograms and exemplars',
    1,
    seriesOf(NAME, times(2_000, concat(bytesField(4, ''), bytesField(3, '')))),
  ],
  [
    'references of one series, packed',
    2,
    concat(
      symbolsOf(['', '__name__', 'up', 'a']),
      seriesV2(concat(refs(1, 2), bytesField(1, times(400_000, Uint8Array.of(3, 0)))), SAMPLE_V2),
    ),
  ],
  [
    'references of one series, packed, one too many',
    2,
    concat(
      symbolsOf(['', '__name__', 'up', 'a']),
      seriesV2(concat(refs(1, 2), bytesField(1, times(400_001, Uint8Array.of(3)))), SAMPLE_V2),
    ),
  ],
  [
    'many series before their symbols',
    2,
    concat(times(20_000, seriesV2(refs(1, 2), SAMPLE_V2)), symbolsOf(['', '__name__', 'up'])),
  ],
  ['metadata', 1, times(20_000, bytesField(3, bytesField(2, 'a')))],
])('%s', (_, version, request) => {
  const options = { ...NO_LIMITS, version };
  const sliced = new SlicedFlattener(undefined, new NoKernel());
  const { lines, metadata, ...rest } = sliced.flatten(request, options);
  const { lines: expected, metadata: expectedMetadata, ...expectedRest } = new Flattener().flatten(request, options);
  expect(rest).toEqual(expectedRest);
  expect(metadata === undefined).toBe(expectedMetadata === undefined);
  expect(Buffer.compare(lines.bytes, expected.bytes)).toBe(0);
  expect(lines.hashes).toEqual(expected.hashes);
  expect(sliced.stops).toBeGreaterThan(2);
});

test('the clock is looked at among the histograms of one large series, too', () => {
  const histogram = bytesField(4, bytesField(12, new Uint8Array(20_000)));
  const request = seriesOf(NAME, times(1_000, histogram));
  let looks = 0;
  const isTimeUp = () => {
    looks++;
    return false;
  };
  expect(new Flattener().slices(request, NO_LIMITS, isTimeUp).next().done).toBe(true);
  // In 20 MB, each of which is looked at twice: in pieces of 256 KiB, then one by one.
  expect(looks).toBeGreaterThan(1_000);
});

describe('what is not brought to its end', () => {
  test('is forgotten with the next request', () => {
    const flattener = new Flattener(undefined, new NoKernel());
    const many = seriesOf(NAME, ...manyLabels, sample(time(1), valueOne));
    expect(flattener.slices(many, NO_LIMITS, () => true).next().done).toBe(false);
    const { lines, received } = flattener.flatten(seriesOf(NAME, sample(time(5), valueOne)), NO_LIMITS);
    expect(Buffer.from(lines.bytes).toString()).toBe('{"name":"up","time":5,"value":1,"labels":{"__name__":"up"}}\n');
    expect(received.sample).toBe(1);
  });
});
