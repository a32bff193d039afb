import { describe, expect, test } from 'vitest';
import { RequestError } from '../../../src/errors.ts';
import { Flattener, type Flattened } from '../../../src/write/flatten.ts';
import { MetadataSet } from '../../../src/write/metadata_set.ts';
import { textsOf } from '../../support/lines.ts';
import { bytesField, concat, fixed64Field, varint, varintField } from '../../support/protobuf_writer.ts';
import { ONE, series, valueOne } from '../../support/series.ts';

/*
 * A few bytes of a request can stand for many: a reference of remote write 2.0 names a symbol of any length, a byte can be a bucket. What that may cost
 * is bounded by the lines that the request may become.
 */
const MAX_LINES_BYTES = 8 * 1024 * 1024;
const MAX_LINE_BYTES = 1_000_000;
const LARGE = 'x'.repeat(400_000);

const symbolsOf = (...symbols: readonly string[]) => concat(...symbols.map((symbol) => bytesField(4, symbol)));
const refs = (...numbers: readonly number[]) => bytesField(1, concat(...numbers.map((number) => varint(number))));
const seriesV2 = (...fields: readonly Uint8Array[]) => bytesField(5, concat(...fields));
const sampleV2 = bytesField(2, valueOne);
const times = (count: number, part: Uint8Array) => Buffer.alloc(count * part.length, part);

interface Options {
  readonly version?: 1 | 2;
  readonly flattener?: Flattener;
  readonly maxTimeMs?: number | undefined;
}

function flatten(
  request: Uint8Array,
  { version = 2, flattener = new Flattener(), maxTimeMs }: Options = {},
): Flattened {
  const limits = { maxLinesBytes: MAX_LINES_BYTES, maxLineBytes: MAX_LINE_BYTES };
  return flattener.flatten(request, { version, arrivedAtMs: 0, maxTimeMs, ...limits });
}

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof RequestError) return error.code;
    throw error;
  }
  return 'nothing was thrown';
}

describe('many series that name a large symbol', () => {
  const symbols = symbolsOf('', '__name__', 'up', 'a', LARGE, 'b');
  const tooManyRefs = new Array<number>(6).fill(4);
  const metadataOfType = (type: number) => bytesField(5, concat(varintField(1, type), varintField(3, 4)));
  const metadataOfTwoTypes = concat(seriesV2(refs(1, 2), metadataOfType(1)), seriesV2(refs(1, 2), metadataOfType(2)));

  test.each<[string, Uint8Array, number?]>([
    ['as lines', seriesV2(refs(1, 2, 3, 4), sampleV2)],
    ['without a metric name', seriesV2(refs(3, 4), sampleV2)],
    ['in a label that comes twice', seriesV2(refs(1, 2, 3, 4, 3, 4), sampleV2)],
    ['in names that are sorted', seriesV2(refs(4, 2, 1, 2, 4, 2), sampleV2)],
    ['beside more than a line holds', seriesV2(refs(1, 2, 3, 4, 5, 4, ...tooManyRefs), sampleV2)],
    ['without anything else', seriesV2(refs(1, 2, 3, 4))],
    ['with a sample that is too late', seriesV2(refs(1, 2, 3, 4), bytesField(2, varintField(2, 2))), 1],
    ['with an invalid histogram', seriesV2(refs(1, 2, 3, 4), bytesField(3, varintField(1, 1)))],
    ['with an exemplar that is too late', seriesV2(refs(1, 2, 3, 4), bytesField(4, varintField(3, 2))), 1],
    ['in an exemplar that is too late', seriesV2(refs(1, 2), bytesField(4, concat(refs(3, 4), varintField(3, 2)))), 1],
    ['in an exemplar that is rejected', seriesV2(refs(1, 2), bytesField(4, refs(3, 4, 3, 4)))],
    ['in an exemplar of a series that is rejected', seriesV2(refs(3, 2), bytesField(4, refs(3, 4)))],
    ['with metadata that was there before', seriesV2(refs(1, 2, 3, 4), bytesField(5, varintField(3, 5)))],
    ['in metadata that was there before', metadataOfTwoTypes],
  ])('%s', (_, one, maxTimeMs) => {
    expect(codeOf(() => flatten(concat(symbols, times(50_000, one)), { maxTimeMs }))).toBe('lines_too_large');
    // A few of them are no harm to their neighbours.
    const { lines } = flatten(concat(symbols, one, one, one, seriesV2(refs(1, 5), sampleV2)), { maxTimeMs });
    expect(textsOf(lines.bytes)).toContain('{"name":"b","time":0,"value":1,"labels":{"__name__":"b"}}');
  });

  test('in metadata that another request brought', () => {
    const seen = new MetadataSet();
    const flattener = new Flattener(seen);
    const request = concat(symbols, metadataOfTwoTypes);
    seen.addAll(flatten(request, { flattener }).metadata!, 0, () => false).next();
    expect(flatten(request, { flattener }).skipped.metadata).toBe(2);
    expect(codeOf(() => flatten(concat(symbols, times(500, metadataOfTwoTypes)), { flattener }))).toBe(
      'lines_too_large',
    );
  });
});

describe('texts that are not UTF-8, in the last byte of a large one', () => {
  const bad = Buffer.from(`${LARGE}?`);
  bad[LARGE.length] = 0xff;
  const symbols = concat(symbolsOf('', '__name__', 'up', 'a'), bytesField(4, bad));
  const good = concat(...Array.from({ length: 10 }, () => seriesV2(refs(1, 2, 3, 5), sampleV2)));

  test.each([
    ['of series', seriesV2(refs(1, 2, 3, 4), sampleV2)],
    ['of metadata', seriesV2(refs(1, 2), bytesField(5, varintField(3, 4)))],
    ['of exemplars', seriesV2(refs(1, 2), bytesField(4, refs(3, 4)))],
  ])('%s', (_, one) => {
    expect(codeOf(() => flatten(concat(symbols, bytesField(4, LARGE), good, times(2_000, one))))).toBe(
      'lines_too_large',
    );
  });
});

test('many samples of metrics with long help texts are no harm', () => {
  const symbols = symbolsOf('', '__name__', 'a', 'b', 'x'.repeat(1000));
  const seriesOf = (name: number) => seriesV2(refs(1, name), sampleV2, bytesField(5, varintField(3, 4)));
  const { counts, skipped } = flatten(concat(symbols, times(35_000, concat(seriesOf(2), seriesOf(3)))));
  expect([counts.sample, counts.metadata, skipped.metadata]).toEqual([70_000, 2, 69_998]);
});

test('a symbol takes little more memory than its bytes', () => {
  const request = times(20_000_000, bytesField(4, ''));
  const before = process.memoryUsage().arrayBuffers;
  expect(codeOf(() => flatten(request))).toBe('lines_too_large');
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * MAX_LINES_BYTES);
});

test.each([1, 2] as const)('millions of labels without a value take no memory: remote write %d.0', (version) => {
  const request =
    version === 1
      ? bytesField(1, concat(times(3_000_000, bytesField(1, bytesField(1, 'a'))), bytesField(2, valueOne)))
      : concat(symbolsOf('', 'a'), seriesV2(bytesField(1, times(3_000_000, Uint8Array.of(1, 0))), sampleV2));
  const before = process.memoryUsage().arrayBuffers;
  const { rejected, emptyLabels } = flatten(request, { version });
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2_000_000);
  expect([...rejected]).toEqual([['no_metric_name', 1]]);
  expect(emptyLabels).toBe(3_000_000);
});

describe('a histogram of more than a line holds is rejected, and nothing else', () => {
  test.each([
    ['deltas', bytesField(12, new Uint8Array(3_000_000))],
    ['counts', concat(fixed64Field(2, ONE), bytesField(13, new Uint8Array(8 * 1_500_000)))],
    ['spans', times(1_500_000, bytesField(11, ''))],
    ['bounds', bytesField(16, new Uint8Array(8 * 1_500_000))],
  ])('%s', (_, fields) => {
    const name = bytesField(1, concat(bytesField(1, '__name__'), bytesField(2, 'h')));
    const small = bytesField(4, fixed64Field(3, ONE));
    const huge = bytesField(4, fields);
    const request = concat(bytesField(1, concat(name, small, huge, small)), series({ __name__: 'up' }, 1));
    const { rejected, counts } = flatten(request, { version: 1 });
    expect([...rejected]).toEqual([['oversize', 1]]);
    expect(counts).toEqual({ sample: 1, histogram: 2, exemplar: 0, metadata: 0 });
  });
});
