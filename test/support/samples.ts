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

/** The time of the latest sample. */
export function latestMs(samples: SampleSet): number {
  let latest = 0;
  for (const key of samples.keys()) latest = Math.max(latest, Number(key.slice(key.lastIndexOf(' '))));
  return latest;
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
export function compare(truth: ReadonlyMap<string, DoubleBits>, lines: Iterable<string>, span: Span): Comparison {
  const archived: [string, DoubleBits][] = [];
  for (const line of lines) {
    const record = decodeRecord(line);
    if (record.kind !== 'sample' || !isIn(span, record.time)) continue;
    archived.push([sampleKey(record.labels, record.time), record.value]);
  }
  return {
    series: new Set([...truth.keys()].map(labelsOf)).size,
    samples: truth.size,
    staleMarkers: [...truth.values()].filter((bits) => bits === STALE_NAN).length,
    ...compareEntries(truth, archived),
  };
}

/** Compares what arrived, values by keys, with the truth. */
export function compareEntries<Value extends string | bigint>(
  truth: ReadonlyMap<string, Value>,
  arrived: Iterable<readonly [key: string, value: Value]>,
): Pick<Comparison, 'missing' | 'wrong' | 'duplicates' | 'examples'> {
  const keys = new Set<string>();
  const examples: string[] = [];
  let duplicates = 0;
  let wrong = 0;
  for (const [key, value] of arrived) {
    if (keys.has(key)) duplicates++;
    keys.add(key);
    if (truth.get(key) === value) continue;
    wrong++;
    examples.push(`wrong ${key}: ${value}, expected ${truth.get(key)}`);
  }
  const missing = [...truth.keys()].filter((key) => !keys.has(key));
  const all = [...examples, ...missing.map((key) => `missing ${key}: ${truth.get(key)}`)];
  return { missing: missing.length, wrong, duplicates, examples: all.slice(0, 5) };
}

/** The first few lines that stand in one of two sorted lists only, as the lists as a whole are too long for a message. */
export function differences(expected: readonly string[], actual: readonly string[]): string[] {
  const found: string[] = [];
  for (let left = 0, right = 0; found.length < 5 && (left < expected.length || right < actual.length);) {
    const [one, other] = [expected[left], actual[right]];
    if (one === other) {
      left++;
      right++;
    } else if (other === undefined || (one !== undefined && one < other)) {
      found.push(`missing ${one}`);
      left++;
    } else {
      found.push(`too much ${other}`);
      right++;
    }
  }
  return found;
}

export function isIn({ fromMs, toMs }: Span, time: bigint): boolean {
  return time >= fromMs && time <= toMs;
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
