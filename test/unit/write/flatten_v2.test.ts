import { describe, expect, test } from 'vitest';
import { Flattener } from '../../../src/write/flatten.ts';
import { textsOf } from '../../support/lines.ts';
import { bytesField, concat, fixed64Field, varintField } from '../../support/protobuf_writer.ts';
import { expectSameAsOracle, NO_LIMITS } from '../../support/same_as_oracle.ts';
import { sample, time, valueOne } from '../../support/series.ts';
import {
  created,
  exemplar,
  histogram,
  histogramStart,
  metadata,
  refs,
  seriesOf,
  start,
  symbolsOf,
} from '../../support/series_v2.ts';

/** One for all tests: it has to be as good as new after every request and every error. */
const flattener = new Flattener();

/*                0   1           2    3    4    5      6              7 */
const SYMBOLS = ['', '__name__', 'x', 'b', 'a', 'Help', '', Uint8Array.of(0xff)];

const symbols = symbolsOf(SYMBOLS);
const NAME = refs(1, 2);

const EMPTY_HISTOGRAM =
  '{"type":"integer","count":0,"sum":0,"schema":0,"zero_threshold":0,"zero_count":0,"positive_spans":[],"positive_deltas":[],' +
  '"negative_spans":[],"negative_deltas":[],"custom_values":[],"reset_hint":"unknown"}';

function linesOf(request: Uint8Array): string[] {
  return textsOf(expectSameAsOracle(flattener, request, { version: 2 })!.lines.bytes);
}

describe('a request', () => {
  test.each<[string, Uint8Array, string[]]>([
    ['without anything', new Uint8Array(0), []],
    ['of symbols only', symbols, []],
    [
      'samples, histograms, exemplars, metadata, in this order',
      concat(
        symbols,
        seriesOf(
          metadata(varintField(1, 1), varintField(3, 5)),
          exemplar(refs(4, 3), fixed64Field(2, 0n), varintField(3, 3)),
          histogram(varintField(15, 2)),
          sample(time(1), valueOne),
          refs(1, 2, 3, 5),
        ),
      ),
      [
        '{"name":"x","time":1,"value":1,"labels":{"__name__":"x","b":"Help"}}',
        `{"kind":"histogram","name":"x","time":2,"histogram":${EMPTY_HISTOGRAM},"labels":{"__name__":"x","b":"Help"}}`,
        '{"kind":"exemplar","name":"x","time":3,"exemplar":{"value":0,"labels":{"a":"b"}},"labels":{"__name__":"x","b":"Help"}}',
        `{"kind":"metadata","name":"x","time":${NO_LIMITS.arrivedAtMs},"metadata":{"type":"counter","help":"Help","unit":""}}`,
      ],
    ],
    [
      'with its symbols behind and between its series',
      concat(
        seriesOf(NAME, sample()),
        symbolsOf(SYMBOLS.slice(0, 2)),
        seriesOf(NAME, sample()),
        symbolsOf(SYMBOLS.slice(2)),
      ),
      [
        '{"name":"x","time":0,"value":0,"labels":{"__name__":"x"}}',
        '{"name":"x","time":0,"value":0,"labels":{"__name__":"x"}}',
      ],
    ],
    [
      'with references packed, alone and longer than they have to be',
      concat(symbols, seriesOf(refs(1), varintField(1, 2, 3), bytesField(1, ''), refs(4, 3), sample())),
      ['{"name":"x","time":0,"value":0,"labels":{"__name__":"x","a":"b"}}'],
    ],
    [
      'with references to more than 32 bits, of which 32 count',
      concat(symbols, seriesOf(refs(2 ** 32 + 1, 2 ** 33 + 2), sample())),
      ['{"name":"x","time":0,"value":0,"labels":{"__name__":"x"}}'],
    ],
    [
      'with labels without a value, whatever else is wrong with them',
      concat(symbols, seriesOf(refs(4, 6, 7, 0, 0, 0, 1, 2, 4, 5, 4, 0), sample())),
      ['{"name":"x","time":0,"value":0,"labels":{"__name__":"x","a":"Help"}}'],
    ],
    [
      'with start timestamps: one of its own, else that of the series',
      concat(
        symbols,
        seriesOf(NAME, sample(start(7)), sample(start(0)), sample(), created(9), sample(start(-1))),
        seriesOf(NAME, sample(start(7)), sample()),
        seriesOf(NAME, created(9), created(0), sample()),
      ),
      [
        '{"name":"x","time":0,"start":7,"value":0,"labels":{"__name__":"x"}}',
        '{"name":"x","time":0,"start":9,"value":0,"labels":{"__name__":"x"}}',
        '{"name":"x","time":0,"start":9,"value":0,"labels":{"__name__":"x"}}',
        '{"name":"x","time":0,"start":-1,"value":0,"labels":{"__name__":"x"}}',
        '{"name":"x","time":0,"start":7,"value":0,"labels":{"__name__":"x"}}',
        '{"name":"x","time":0,"value":0,"labels":{"__name__":"x"}}',
        '{"name":"x","time":0,"value":0,"labels":{"__name__":"x"}}',
      ],
    ],
    [
      'with start timestamps of histograms, and none of exemplars',
      concat(
        symbols,
        seriesOf(NAME, created(9), histogram(histogramStart(8)), histogram(), exemplar()),
        seriesOf(NAME, created(9), histogram(histogramStart(0)), histogram(histogramStart(-1))),
        seriesOf(NAME, created(0), histogram(histogramStart(0))),
      ),
      [
        `{"kind":"histogram","name":"x","time":0,"start":8,"histogram":${EMPTY_HISTOGRAM},"labels":{"__name__":"x"}}`,
        `{"kind":"histogram","name":"x","time":0,"start":9,"histogram":${EMPTY_HISTOGRAM},"labels":{"__name__":"x"}}`,
        '{"kind":"exemplar","name":"x","time":0,"exemplar":{"value":0,"labels":{}},"labels":{"__name__":"x"}}',
        `{"kind":"histogram","name":"x","time":0,"start":9,"histogram":${EMPTY_HISTOGRAM},"labels":{"__name__":"x"}}`,
        `{"kind":"histogram","name":"x","time":0,"start":-1,"histogram":${EMPTY_HISTOGRAM},"labels":{"__name__":"x"}}`,
        `{"kind":"histogram","name":"x","time":0,"histogram":${EMPTY_HISTOGRAM},"labels":{"__name__":"x"}}`,
      ],
    ],
    [
      'with metadata in two parts, which are one',
      concat(symbols, seriesOf(metadata(varintField(1, 2), varintField(3, 7)), NAME, metadata(varintField(3, 5)))),
      [
        `{"kind":"metadata","name":"x","time":${NO_LIMITS.arrivedAtMs},"metadata":{"type":"gauge","help":"Help","unit":""}}`,
      ],
    ],
    ['with a series that says nothing, whatever it is called', concat(symbols, seriesOf(refs(99, 7, 1))), []],
  ])('%s', (_, request, lines) => {
    expect(linesOf(request)).toEqual(lines);
  });

  test('with labels whose references take one, two and three bytes, in any order', () => {
    const count = 10_000;
    const texts = Array.from({ length: count }, (_, index) => [`l${index}`, `v${index}`]).flat();
    // Step by step through all of them: 7,919 is prime.
    const labels = Array.from({ length: count }, (_, index) => {
      const ref = 3 + 2 * ((index * 7919) % count);
      return [ref, ref + 1];
    });
    const all = seriesOf(refs(...labels.flat(), 1, 2), sample(), exemplar(refs(...labels.flat())));
    const inOrder = seriesOf(refs(...Array.from({ length: count }, (_, index) => 3 + index)), NAME, sample());
    const few = [60, 61, 62, 63, 8189, 8190, 8191, 8192].map((index) =>
      seriesOf(NAME, refs(...labels[index]!), sample()),
    );
    const lines = linesOf(concat(symbolsOf(['', '__name__', 'x', ...texts]), all, inOrder, ...few));
    expect(lines.length).toBe(3 + few.length);
  });

  test('with references in several packed runs, which are one list', () => {
    const runs = [refs(4, 3), NAME, refs(3), refs(5)];
    expect(linesOf(concat(symbols, seriesOf(...runs, sample())))).toEqual([
      '{"name":"x","time":0,"value":0,"labels":{"__name__":"x","a":"b","b":"Help"}}',
    ]);
    const repeated = concat(symbols, seriesOf(...runs, refs(4, 5), sample()));
    expect(expectSameAsOracle(flattener, repeated, { version: 2 })!.rejected).toEqual(new Map([['repeated_label', 1]]));
  });

  test.each<[string, Uint8Array]>([
    ['a first symbol that is not empty', concat(symbolsOf(['x', '']), seriesOf(NAME, sample()))],
    ['a first symbol that is not empty, behind its series', concat(seriesOf(), symbolsOf(['x']))],
  ])('can not be decoded with %s', (_, request) => {
    expect(expectSameAsOracle(flattener, request, { version: 2 })).toBeUndefined();
  });
});

describe('a series, with all that it has, is rejected for', () => {
  test.each<[string, string, Uint8Array]>([
    ['invalid_refs', 'a name without a value', refs(1, 2, 3)],
    ['invalid_refs', 'a reference past the symbols', refs(1, 2, 3, SYMBOLS.length)],
    ['invalid_refs', 'the largest reference', refs(1, 2, 2 ** 32 - 1, 4)],
    ['invalid_refs', 'a reference past the symbols in a label that is bad already', refs(1, 7, 2 ** 32 - 1, 0)],
    ['invalid_utf8', 'a value', refs(1, 2, 3, 7)],
    ['invalid_utf8', 'a name', refs(1, 2, 7, 3)],
    ['invalid_utf8', 'a name, and another that is empty', refs(1, 2, 0, 3, 7, 3)],
    ['empty_label_name', 'an empty name', refs(1, 2, 6, 3)],
    ['empty_label_name', 'an empty name, and no metric name', refs(0, 3, 0, 4)],
    ['repeated_label', 'a name twice', refs(1, 2, 3, 4, 3, 4)],
    ['no_metric_name', 'no name', refs(3, 4)],
    ['no_metric_name', 'an empty name', refs(1, 0)],
    ['no_metric_name', 'no labels', concat()],
  ])('%s: %s', (reason, _, labels) => {
    const good = seriesOf(NAME, sample(), metadata(varintField(1, 1)));
    const bad = seriesOf(labels, sample(), sample(), histogram(), exemplar(refs(3)), metadata());
    const flattened = expectSameAsOracle(flattener, concat(symbols, good, bad, good), { version: 2 })!;
    expect(flattened.rejected).toEqual(new Map([[reason, 5]]));
    expect(flattened.received).toEqual({ sample: 4, histogram: 1, exemplar: 1, metadata: 3 });
    expect(flattened.counts).toEqual({ sample: 2, histogram: 0, exemplar: 0, metadata: 1 });
  });

  test('invalid_refs: every reference, where there are no symbols', () => {
    const flattened = expectSameAsOracle(flattener, seriesOf(refs(0, 0), sample()), { version: 2 })!;
    expect(flattened.rejected).toEqual(new Map([['invalid_refs', 1]]));
  });
});

describe('alone is rejected', () => {
  test.each<[string, string, Uint8Array]>([
    ['an exemplar', 'invalid_refs', exemplar(refs(3))],
    ['an exemplar', 'invalid_refs', exemplar(refs(3, 99))],
    ['an exemplar', 'invalid_utf8', exemplar(refs(3, 7))],
    ['an exemplar', 'empty_label_name', exemplar(refs(0, 3))],
    ['an exemplar', 'repeated_label', exemplar(refs(3, 4, 3, 5))],
    ['a histogram', 'invalid_histogram', histogram(varintField(4, 18))],
    ['metadata', 'invalid_refs', metadata(varintField(3, 99))],
    ['metadata', 'invalid_refs', metadata(varintField(4, SYMBOLS.length))],
    ['metadata', 'invalid_utf8', metadata(varintField(4, 7))],
  ])('%s: %s', (_, reason, bad) => {
    const fields = [NAME, sample(), histogram(), exemplar(refs(3, 4)), bad];
    const flattened = expectSameAsOracle(flattener, concat(symbols, seriesOf(...fields)), { version: 2 })!;
    expect(flattened.rejected).toEqual(new Map([[reason, 1]]));
    expect(flattened.counts).toEqual({ sample: 1, histogram: 1, exemplar: 1, metadata: 0 });
  });

  test.each<[string, Uint8Array]>([
    ['a sample', sample(time(1001))],
    ['a histogram', histogram(varintField(15, 1001))],
    ['an exemplar', exemplar(varintField(3, 1001))],
  ])('%s of a time too far in the future', (_, late) => {
    const fields = [NAME, sample(time(1000)), histogram(varintField(15, 1000)), exemplar(varintField(3, 1000)), late];
    const request = concat(symbols, seriesOf(...fields));
    const flattened = expectSameAsOracle(flattener, request, { version: 2, maxTimeMs: 1000 })!;
    expect(flattened.rejected).toEqual(new Map([['too_far_in_future', 1]]));
    expect(flattened.counts).toEqual({ sample: 1, histogram: 1, exemplar: 1, metadata: 0 });
  });

  test('not what is of a series that is rejected: the time is not looked at', () => {
    const late = [sample(time(1001)), histogram(varintField(15, 1001)), exemplar(varintField(3, 1001))];
    const request = concat(symbols, seriesOf(refs(3, 4), ...late, sample()));
    const flattened = expectSameAsOracle(flattener, request, { version: 2, maxTimeMs: 1000 })!;
    expect(flattened.rejected).toEqual(new Map([['no_metric_name', 4]]));
  });
});

test('metadata refers to symbol 0 as the empty string also where there are no symbols', () => {
  // Its series has no name, so it is the series that is rejected, and not its references.
  const flattened = expectSameAsOracle(flattener, seriesOf(metadata(varintField(1, 1))), { version: 2 })!;
  expect(flattened.rejected).toEqual(new Map([['no_metric_name', 1]]));
});
