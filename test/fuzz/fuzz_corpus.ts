import fc from 'fast-check';
import { staleHistograms, validHistograms } from '../support/arbitrary_histograms.ts';
import { writeRequests } from '../support/arbitrary_requests.ts';
import { writeRequestsV2 } from '../support/arbitrary_requests_v2.ts';
import { BROKEN_HISTOGRAMS } from '../support/broken_histograms.ts';
import { fixture, FIXTURES } from '../support/fixtures.ts';
import { histogramFields } from '../support/histogram_writer.ts';
import { bytesField, concat } from '../support/protobuf_writer.ts';
import { label, name, seriesOf as seriesOfV1, value } from '../support/series.ts';
import * as v2 from '../support/series_v2.ts';
import { readFields, type Field } from './message_tree.ts';

/** Requests that are bent by the fuzz: mostly valid, and small, so that a million of them can be sent. */
export interface CorpusMessage {
  readonly version: 1 | 2;
  readonly fields: readonly Field[];
}

const GENERATED = 300;
const PER_BROKEN_RULE = 4;
const MOST_BYTES = 6_000;
/** Of what a real sender sent, fields as they follow each other. */
const FIXTURE_FIELDS = 6;
const FIXTURE_PIECES = 12;
/** Its first series refer to its first symbols. */
const FIXTURE_SYMBOLS = 120;

export function createCorpus(seed: number): readonly CorpusMessage[] {
  const sample = <Value>(arbitrary: fc.Arbitrary<Value>, numRuns: number) => fc.sample(arbitrary, { seed, numRuns });
  const messages = [
    ...sample(writeRequests, GENERATED).map((bytes) => ({ version: 1 as const, bytes })),
    ...sample(writeRequestsV2, GENERATED).map((bytes) => ({ version: 2 as const, bytes })),
    ...[
      ...sample(validHistograms, GENERATED),
      ...sample(staleHistograms, 10),
      ...BROKEN_HISTOGRAMS.flatMap(([, broken]) => sample(broken, PER_BROKEN_RULE)),
    ].flatMap((histogram) => {
      const fields = concat(...histogramFields(histogram));
      const up = label(name('__name__'), value('up'));
      const symbols = v2.symbolsOf(['', '__name__', 'up']);
      return [
        { version: 1 as const, bytes: seriesOfV1(up, bytesField(4, fields)) },
        { version: 2 as const, bytes: concat(symbols, v2.seriesOf(v2.refs(1, 2), v2.histogram(fields))) },
      ];
    }),
  ];
  const generated = messages
    .filter(({ bytes }) => bytes.length <= MOST_BYTES)
    .flatMap(({ version, bytes }) => {
      const fields = tryRead(bytes, version);
      return fields === undefined ? [] : [{ version, fields }];
    });
  return [...generated, ...FIXTURES.flatMap(piecesOf)];
}

/** What is not valid, as some of what is generated is not, can't be read. */
function tryRead(bytes: Uint8Array, version: 1 | 2): Field[] | undefined {
  try {
    return readFields(bytes, version === 1 ? 'request1' : 'request2');
  } catch {
    return undefined;
  }
}

function piecesOf({ name, version }: (typeof FIXTURES)[number]): CorpusMessage[] {
  const fields = readFields(fixture(name), version === 1 ? 'request1' : 'request2');
  const symbols = version === 2 ? fields.filter(({ holds }) => holds === 'text').slice(0, FIXTURE_SYMBOLS) : [];
  const rest = fields.filter(({ holds }) => holds !== 'text');
  return Array.from({ length: FIXTURE_PIECES }, (_, index) => {
    // Histograms and exemplars are seldom, and the first requests of a sender have them behind their samples.
    const from = version === 2 ? index * 2 : Math.floor((index * (rest.length - FIXTURE_FIELDS)) / FIXTURE_PIECES);
    return { version, fields: [...symbols, ...rest.slice(from, from + FIXTURE_FIELDS)] };
  });
}
