import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Flattener } from '../../../src/write/flatten.ts';
import {
  anyHistograms,
  EMPTY_HISTOGRAM,
  staleHistograms,
  VALID,
  type Histograms,
} from '../../support/arbitrary_histograms.ts';
import { packings } from '../../support/arbitrary_wire.ts';
import { BROKEN_HISTOGRAMS } from '../../support/broken_histograms.ts';
import { histogramFields } from '../../support/histogram_writer.ts';
import type { PlainHistogram, PlainSpan } from '../../support/oracle_messages.ts';
import { bytesField, concat, join } from '../../support/protobuf_writer.ts';
import { runs } from '../../support/runs.ts';
import { expectSameAsOracle } from '../../support/same_as_oracle.ts';
import { label, name, ONE, sample, seriesOf, time, value } from '../../support/series.ts';

/** One for all tests: it has to be as good as new after every request and every error. */
const flattener = new Flattener();
const NAME = label(name('__name__'), value('x'));
const GOOD = bytesField(4, time(7));

/** A request with this histogram between two good ones. */
function requestsOf(histograms: Histograms): fc.Arbitrary<Uint8Array> {
  const style = fc.record({ packing: packings, writesZeros: fc.boolean() });
  return fc.record({ histogram: histograms, style }).map(({ histogram, style }) => {
    const middle = bytesField(4, join(histogramFields(histogram, style)));
    return concat(seriesOf(NAME, sample(), GOOD, middle, GOOD), seriesOf(NAME, sample()));
  });
}

describe('a histogram is archived', () => {
  test.each(Object.entries({ ...VALID, stale: staleHistograms }))('%s', (_, histograms) => {
    fc.assert(
      fc.property(requestsOf(histograms), (request) => {
        const { counts, rejected } = expectSameAsOracle(flattener, request)!;
        expect(rejected.size).toBe(0);
        expect(counts).toEqual({ sample: 2, histogram: 3, exemplar: 0, metadata: 0 });
      }),
      runs(200),
    );
  });
});

describe('a histogram is rejected, and its neighbours are not, for', () => {
  test.each(BROKEN_HISTOGRAMS)('%s', (_, histograms) => {
    fc.assert(
      fc.property(requestsOf(histograms), (request) => {
        const { counts, rejected, firstProblem } = expectSameAsOracle(flattener, request)!;
        expect(rejected).toEqual(new Map([['invalid_histogram', 1]]));
        expect(counts).toEqual({ sample: 2, histogram: 2, exemplar: 0, metadata: 0 });
        expect(firstProblem).toBeDefined();
      }),
      runs(60),
    );
  });
});

test.each<[string, Partial<PlainHistogram>]>([
  [
    'integer',
    {
      countInt: 25_000n,
      positiveDeltas: Array.from({ length: 50_000 }, (_, index) => (index % 2 === 0 ? 0n : index % 4 === 1 ? 1n : -1n)),
    },
  ],
  ['float', { countFloat: ONE, positiveCounts: new Array<bigint>(50_000).fill(ONE) }],
])('a histogram of tens of thousands of buckets is archived: %s', (_, counts) => {
  const positiveSpans = new Array<PlainSpan>(25_000).fill({ offset: 1, length: 2 });
  const histogram = bytesField(4, join(histogramFields({ ...EMPTY_HISTOGRAM, ...counts, positiveSpans })));
  const { rejected } = expectSameAsOracle(flattener, seriesOf(NAME, GOOD, histogram, GOOD))!;
  expect(rejected.size).toBe(0);
});

test('any histogram becomes what the oracle makes of it', () => {
  fc.assert(
    fc.property(requestsOf(anyHistograms), (request) => void expectSameAsOracle(flattener, request)),
    runs(1000),
  );
});
