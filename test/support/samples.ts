import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { memberLength } from '../../src/archive.ts';
import { STALE_NAN, type DoubleBits, type Label } from '../../src/record.ts';
import { decodeRecord } from '../../src/record_decode.ts';
import { archiveFiles } from './archive.ts';
import { textsOf } from './lines.ts';

/** Values by (labels, time): the bits of each. */
export type SampleSet = Map<string, DoubleBits>;

/** What names a sample. Labels are sorted, without empty values. */
export function sampleKey(labels: readonly Label[], time: bigint): string {
  return `${JSON.stringify(labels.map(({ name, value }) => [name, value]))} ${time}`;
}

function labelsOf(key: string): string {
  return key.slice(0, key.lastIndexOf(' '));
}

/** How an archive differs from the truth. */
export interface Comparison {
  readonly series: number;
  readonly samples: number;
  readonly staleMarkers: number;
  readonly missing: number;
  /** Another value than the truth's, or a sample that the truth does not know. */
  readonly wrong: number;
  readonly duplicates: number;
  /** The first few that are missing or wrong. */
  readonly examples: readonly string[];
}

/** Compares the lines of an archive that lie in a span of time with all that the sender holds of it. */
export function compare(
  truth: ReadonlyMap<string, DoubleBits>,
  lines: Iterable<string>,
  { fromMs, toMs }: Span,
): Comparison {
  const archived: SampleSet = new Map();
  const examples: string[] = [];
  let duplicates = 0;
  let wrong = 0;
  for (const line of lines) {
    const record = decodeRecord(line);
    if (record.kind !== 'sample' || record.time < fromMs || record.time > toMs) continue;
    const key = sampleKey(record.labels, record.time);
    if (archived.has(key)) duplicates++;
    archived.set(key, record.value);
    if (truth.get(key) === record.value) continue;
    wrong++;
    examples.push(`wrong ${line}, expected ${String(truth.get(key))}`);
  }
  const missing = [...truth.keys()].filter((key) => !archived.has(key));
  return {
    series: new Set([...truth.keys()].map(labelsOf)).size,
    samples: truth.size,
    staleMarkers: [...truth.values()].filter((bits) => bits === STALE_NAN).length,
    missing: missing.length,
    wrong,
    duplicates,
    examples: [...examples, ...missing.map((key) => `missing ${key}`)].slice(0, 5),
  };
}

/** Times of samples in milliseconds since the epoch, both ends included. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** All lines of an archive that is being written: of each file those of its whole members, the rest was never acknowledged. */
export function readWholeMembers(dir: string): string[] {
  return archiveFiles(dir).flatMap((path) => {
    const bytes = readFileSync(join(dir, path));
    let end = 0;
    for (let length = memberLength(bytes); length !== undefined && end + length <= bytes.length;) {
      end += length;
      length = memberLength(bytes, end);
    }
    return end === 0 ? [] : textsOf(gunzipSync(bytes.subarray(0, end)));
  });
}
