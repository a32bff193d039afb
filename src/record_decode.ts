/** Reads lines back: the other half of record.ts. PURE. */

import {
  KINDS,
  METRIC_TYPES,
  RESET_HINTS,
  STALE_NAN,
  bitsOf,
  sortLabels,
  type ArchiveRecord,
  type DoubleBits,
  type HistogramRecord,
  type Label,
  type BucketSpan,
} from './record.ts';

/** JSON's tokens that are strings or numbers. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/g;

/** A value of JSON in which every number is a string. */
type Json = Record<string, unknown>;

/**
 * Reads a line back.
 *
 * @throws SyntaxError when it is not a line of this schema
 */
export function decodeRecord(line: string): ArchiveRecord {
  // Number tokens become strings first: JSON.parse would round int64 and uint64. No field has both a number and the same digits as a string.
  const json = toObject(JSON.parse(line.replace(TOKEN, (token) => (token.startsWith('"') ? token : `"${token}"`))));
  const kind = json['kind'] === undefined ? 'sample' : toWord(KINDS, json['kind']);
  const time = toInteger(json['time']);
  if (kind === 'metadata') {
    const { type, help, unit } = toObject(json['metadata']);
    const metadata = { type: toWord(METRIC_TYPES, type), help: toText(help), unit: toText(unit) };
    return { kind, name: toText(json['name']), time, metadata };
  }
  const start = json['start'] === undefined ? {} : { start: toInteger(json['start']) };
  const series = { time, ...start, labels: decodeLabels(json) };
  switch (kind) {
    case 'sample':
      return { kind, ...series, value: json['stale'] === true ? STALE_NAN : decodeDouble(json, 'value', 'bits') };
    case 'exemplar': {
      const exemplar = toObject(json['exemplar']);
      const value = decodeDouble(exemplar, 'value', 'bits');
      return { kind, ...series, exemplar: { value, labels: decodeLabels(exemplar) } };
    }
    case 'histogram':
      return { kind, ...series, histogram: decodeHistogram(toObject(json['histogram'])) };
  }
}

function decodeHistogram(json: Json): HistogramRecord['histogram'] {
  const type = toWord(['integer', 'float'], json['type']);
  if (json['stale'] === true) return { type, stale: true };
  const isFloat = type === 'float';
  const count = (field: string) => (isFloat ? decodeDouble(json, field) : toInteger(json[field]));
  const spans = (field: string) =>
    toArray(json[field]).map((span): BucketSpan => {
      const [offset, length] = toArray(span);
      return [Number(toInteger(offset)), Number(toInteger(length))];
    });
  const buckets = (side: string) =>
    isFloat ? decodeDoubles(json, `${side}_counts`) : toArray(json[`${side}_deltas`]).map(toInteger);
  return {
    type,
    count: count('count'),
    sum: decodeDouble(json, 'sum'),
    schema: Number(toInteger(json['schema'])),
    zeroThreshold: decodeDouble(json, 'zero_threshold'),
    zeroCount: count('zero_count'),
    positiveSpans: spans('positive_spans'),
    positiveBuckets: buckets('positive'),
    negativeSpans: spans('negative_spans'),
    negativeBuckets: buckets('negative'),
    customValues: decodeDoubles(json, 'custom_values'),
    resetHint: toWord(RESET_HINTS, json['reset_hint']),
  };
}

function decodeLabels(json: Json): Label[] {
  const labels = toObject(json['labels']);
  // Names that are numbers come out of an object first, hence the sort.
  return sortLabels(Object.entries(labels).map(([name, value]) => ({ name, value: toText(value) })));
}

function decodeDouble(json: Json, field: string, bitsField = `${field}_bits`): DoubleBits {
  return json[bitsField] === undefined ? toDouble(json[field]) : toBits(json[bitsField]);
}

function decodeDoubles(json: Json, field: string): DoubleBits[] {
  const values = toArray(json[field]).map(toDouble);
  for (const pair of toArray(json[`${field}_bits`] ?? [])) {
    const [index, bits] = toArray(pair);
    values[Number(toInteger(index))] = toBits(bits);
  }
  return values;
}

function toDouble(token: unknown): DoubleBits {
  const value = Number(toText(token));
  if (Number.isNaN(value) && token !== 'NaN') throw new SyntaxError(`no number: ${JSON.stringify(token)}`);
  return bitsOf(value);
}

function toBits(token: unknown): DoubleBits {
  return BigInt(`0x${toText(token)}`);
}

function toInteger(token: unknown): bigint {
  return BigInt(toText(token));
}

function toText(token: unknown): string {
  if (typeof token !== 'string') throw new SyntaxError('a line without one of its fields');
  return token;
}

function toWord<const Words extends readonly string[]>(words: Words, token: unknown): Words[number] {
  const word = toText(token);
  if (!words.includes(word)) throw new SyntaxError(`${word} is none of ${words.join(', ')}`);
  return word;
}

function toArray(token: unknown): readonly unknown[] {
  if (!Array.isArray(token)) throw new SyntaxError('a line without one of its lists');
  return token;
}

function toObject(token: unknown): Json {
  if (typeof token !== 'object' || token === null) throw new SyntaxError('a line without one of its objects');
  return token as Json;
}
