/**
 * The archive's schema: one line of JSON per thing received. docs/record.md is the same in words. PURE.
 *
 * This is the simple encoder and decoder: the oracle that the fast one in `write/flatten.ts` equals byte for byte, and what reads lines
 * back. Archives cannot be migrated, so a change here is a decision record.
 */

/** The lines of one request: one buffer and a plain index, so that nothing downstream makes an object per sample. */
export interface Lines {
  /** Every line, each ending in `\n`, one behind the other. Unchanged from the moment it is made. */
  readonly bytes: Uint8Array;
  /** Offset one past each line's newline. */
  readonly ends: Uint32Array;
  /** A hash of each line's series, the same for all lines of one series. */
  readonly hashes: Uint32Array;
}

export type Kind = 'sample' | 'histogram' | 'exemplar' | 'metadata';
export const KINDS = ['sample', 'histogram', 'exemplar', 'metadata'] as const satisfies readonly Kind[];

/** An IEEE 754 double by its 64 bits: a JavaScript number does not keep the payload of a NaN. */
export type DoubleBits = bigint;

export const STALE_NAN: DoubleBits = 0x7ff0000000000002n;
/** Prometheus's own NaN; the only one that is written without its bits. */
export const ORDINARY_NAN: DoubleBits = 0x7ff8000000000001n;

export interface Label {
  readonly name: string;
  readonly value: string;
}

/** What a line of a series has besides its value. `labels` holds `__name__`, sorted by name in byte order, without empty values. */
interface SeriesRecord {
  /** Milliseconds since the epoch, int64. */
  readonly time: bigint;
  /** Start timestamp, where the sender gave one. */
  readonly start?: bigint;
  readonly labels: readonly Label[];
}

export interface SampleRecord extends SeriesRecord {
  readonly kind: 'sample';
  readonly value: DoubleBits;
}

export interface ExemplarRecord extends SeriesRecord {
  readonly kind: 'exemplar';
  readonly exemplar: { readonly value: DoubleBits; readonly labels: readonly Label[] };
}

/** [offset, length], as in the message BucketSpan. */
export type BucketSpan = readonly [offset: number, length: number];

/** A native histogram by the fields of the message Histogram. Counts are uint64 (`integer`) or doubles by their bits (`float`). */
export interface NativeHistogram {
  readonly type: 'integer' | 'float';
  readonly count: bigint;
  readonly sum: DoubleBits;
  readonly schema: number;
  readonly zeroThreshold: DoubleBits;
  readonly zeroCount: bigint;
  readonly positiveSpans: readonly BucketSpan[];
  /** Deltas (int64) of an integer histogram, counts (double bits) of a float one. */
  readonly positiveBuckets: readonly bigint[];
  readonly negativeSpans: readonly BucketSpan[];
  readonly negativeBuckets: readonly bigint[];
  readonly customValues: readonly DoubleBits[];
  readonly resetHint: ResetHint;
}

export const RESET_HINTS = ['unknown', 'yes', 'no', 'gauge'] as const;
export type ResetHint = (typeof RESET_HINTS)[number];

export interface HistogramRecord extends SeriesRecord {
  readonly kind: 'histogram';
  /** A stale histogram keeps only its type. */
  readonly histogram: NativeHistogram | { readonly type: 'integer' | 'float'; readonly stale: true };
}

export const METRIC_TYPES = [
  'unknown',
  'counter',
  'gauge',
  'histogram',
  'gaugehistogram',
  'summary',
  'info',
  'stateset',
] as const;
export type MetricType = (typeof METRIC_TYPES)[number];

export interface MetadataRecord {
  readonly kind: 'metadata';
  readonly name: string;
  /** Arrival, in milliseconds since the epoch. */
  readonly time: bigint;
  readonly metadata: { readonly type: MetricType; readonly help: string; readonly unit: string };
}

export type ArchiveRecord = SampleRecord | HistogramRecord | ExemplarRecord | MetadataRecord;

/** The parts of a sample's line that stand between its variables. */
export const SAMPLE_LINE = {
  name: '{"name":',
  time: ',"time":',
  value: ',"value":',
  stale: 'null,"stale":true',
  bits: '"NaN","bits":"',
  labels: ',"labels":{',
  end: '}}\n',
} as const;

/** The columns of a line that SQL readers declare, in the order of the fields. */
export const SAMPLE_COLUMNS = {
  kind: 'string',
  name: 'string',
  time: 'bigint',
  start: 'bigint',
  value: 'string',
  stale: 'boolean',
  bits: 'string',
  labels: 'map<string,string>',
} as const;

/** Writes one record as its line, newline included. Labels are expected sorted and without empty values. */
export function encodeRecord(record: ArchiveRecord): string {
  if (record.kind === 'metadata') {
    const { type, help, unit } = record.metadata;
    const metadata = `{"type":"${type}","help":${JSON.stringify(help)},"unit":${JSON.stringify(unit)}}`;
    return `{"kind":"metadata","name":${JSON.stringify(record.name)},"time":${record.time},"metadata":${metadata}}\n`;
  }
  const kind = record.kind === 'sample' ? '' : `"kind":"${record.kind}",`;
  const start = record.start === undefined ? '' : `,"start":${record.start}`;
  const head = `{${kind}"name":${JSON.stringify(nameOf(record.labels))},"time":${record.time}${start}`;
  return `${head}${encodeBody(record)},"labels":${encodeLabels(record.labels)}}\n`;
}

function encodeBody(record: SampleRecord | HistogramRecord | ExemplarRecord): string {
  switch (record.kind) {
    case 'sample':
      return record.value === STALE_NAN ? ',"value":null,"stale":true' : encodeDouble('value', record.value);
    case 'exemplar': {
      const { value, labels } = record.exemplar;
      return `,"exemplar":{${encodeDouble('value', value).slice(1)},"labels":${encodeLabels(labels)}}`;
    }
    case 'histogram':
      return `,"histogram":${encodeHistogram(record.histogram)}`;
  }
}

function encodeHistogram(histogram: HistogramRecord['histogram']): string {
  const type = `{"type":"${histogram.type}"`;
  if ('stale' in histogram) return `${type},"stale":true}`;
  const isFloat = histogram.type === 'float';
  const count = (bits: bigint) => (isFloat ? doubleToken(bits) : String(bits));
  const buckets = (side: string, spans: readonly BucketSpan[], values: readonly bigint[]) =>
    `,"${side}_spans":[${spans.map(([offset, length]) => `[${offset},${length}]`).join()}]` +
    `,"${side}_${isFloat ? 'counts' : 'deltas'}":[${values.map(count).join()}]`;
  return (
    `${type},"count":${count(histogram.count)}${encodeDouble('sum', histogram.sum, 'sum_bits')}` +
    `,"schema":${histogram.schema},"zero_threshold":${doubleToken(histogram.zeroThreshold)}` +
    `,"zero_count":${count(histogram.zeroCount)}` +
    buckets('positive', histogram.positiveSpans, histogram.positiveBuckets) +
    buckets('negative', histogram.negativeSpans, histogram.negativeBuckets) +
    `,"custom_values":[${histogram.customValues.map(doubleToken).join()}],"reset_hint":"${histogram.resetHint}"}`
  );
}

function encodeLabels(labels: readonly Label[]): string {
  return `{${labels.map(({ name, value }) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join()}}`;
}

function encodeDouble(field: string, bits: DoubleBits, bitsField = 'bits'): string {
  const payload = isNaNBits(bits) && bits !== ORDINARY_NAN;
  return `,"${field}":${doubleToken(bits)}${payload ? `,"${bitsField}":"${bits.toString(16).padStart(16, '0')}"` : ''}`;
}

/**
 * A double as a JSON token: the shortest digits that read back as the same double, and the words of the protobuf JSON mapping for what JSON
 * has no number for. Minus zero is `-0.0`, because JSON readers turn `-0` into 0.
 */
export function doubleToken(bits: DoubleBits): string {
  const value = doubleOf(bits);
  if (Number.isFinite(value)) return Object.is(value, -0) ? '-0.0' : String(value);
  return `"${value}"`;
}

const scratch = new DataView(new ArrayBuffer(8));

export function doubleOf(bits: DoubleBits): number {
  scratch.setBigUint64(0, bits);
  return scratch.getFloat64(0);
}

/** The bits of a double that is not a NaN; of a NaN, Prometheus's ordinary one. */
export function bitsOf(value: number): DoubleBits {
  if (Number.isNaN(value)) return ORDINARY_NAN;
  scratch.setFloat64(0, value);
  return scratch.getBigUint64(0);
}

function isNaNBits(bits: DoubleBits): boolean {
  return (bits & 0x7ff0000000000000n) === 0x7ff0000000000000n && (bits & 0x000fffffffffffffn) !== 0n;
}

/** The value of `__name__`; empty where there is none. */
export function nameOf(labels: readonly Label[]): string {
  return labels.find(({ name }) => name === '__name__')?.value ?? '';
}

/** Sorts labels by name in the byte order of UTF-8 (JavaScript's own order is that of UTF-16 units). */
export function sortLabels(labels: readonly Label[]): Label[] {
  return labels.toSorted((a, b) => compareBytes(a.name, b.name));
}

/** The order of UTF-8 bytes is the order of code points. */
function compareBytes(a: string, b: string): number {
  let index = 0;
  while (index < a.length && index < b.length && a[index] === b[index]) index++;
  // Two pairs of surrogates that differ in the second unit compare right by that unit alone.
  const left = a.codePointAt(index) ?? -1;
  const right = b.codePointAt(index) ?? -1;
  return left - right;
}

/** JSON's tokens that are strings or numbers. */
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/g;

/**
 * Reads a line back.
 *
 * @throws SyntaxError when it is not a line of this schema
 */
export function decodeRecord(line: string): ArchiveRecord {
  // Number tokens become strings first: JSON.parse would round int64 and uint64. No field has both a number and the same digits as a string.
  const json = JSON.parse(line.replace(TOKEN, (token) => (token.startsWith('"') ? token : `"${token}"`))) as Json;
  const kind = json['kind'] ?? 'sample';
  const time = BigInt(text(json, 'time'));
  if (kind === 'metadata') {
    const metadata = object(json, 'metadata');
    const type = word(METRIC_TYPES, text(metadata, 'type'));
    return {
      kind,
      name: text(json, 'name'),
      time,
      metadata: { type, help: text(metadata, 'help'), unit: text(metadata, 'unit') },
    };
  }
  const series = {
    time,
    ...(json['start'] === undefined ? {} : { start: BigInt(text(json, 'start')) }),
    labels: decodeLabels(object(json, 'labels')),
  };
  if (kind === 'sample')
    return { kind, ...series, value: json['stale'] === true ? STALE_NAN : decodeDouble(json, 'value') };
  if (kind === 'exemplar') {
    const exemplar = object(json, 'exemplar');
    return {
      kind,
      ...series,
      exemplar: { value: decodeDouble(exemplar, 'value'), labels: decodeLabels(object(exemplar, 'labels')) },
    };
  }
  if (kind === 'histogram') return { kind, ...series, histogram: decodeHistogram(object(json, 'histogram')) };
  throw new SyntaxError(`a line of an unknown kind: ${JSON.stringify(kind)}`);
}

type Json = Record<string, unknown>;

function decodeHistogram(json: Json): HistogramRecord['histogram'] {
  const type = word(['integer', 'float'] as const, text(json, 'type'));
  if (json['stale'] === true) return { type, stale: true };
  const count = (token: string) => (type === 'float' ? bitsOf(Number(token)) : BigInt(token));
  const spans = (field: string) =>
    array(json, field).map((span) => {
      const [offset, length] = span as [string, string];
      return [Number(offset), Number(length)] as const;
    });
  const buckets = (side: string) =>
    array(json, `${side}_${type === 'float' ? 'counts' : 'deltas'}`).map((token) => count(String(token)));
  return {
    type,
    count: count(text(json, 'count')),
    sum: decodeDouble(json, 'sum', 'sum_bits'),
    schema: Number(text(json, 'schema')),
    zeroThreshold: decodeDouble(json, 'zero_threshold'),
    zeroCount: count(text(json, 'zero_count')),
    positiveSpans: spans('positive_spans'),
    positiveBuckets: buckets('positive'),
    negativeSpans: spans('negative_spans'),
    negativeBuckets: buckets('negative'),
    customValues: array(json, 'custom_values').map((token) => bitsOf(Number(token))),
    resetHint: word(RESET_HINTS, text(json, 'reset_hint')),
  };
}

function decodeDouble(json: Json, field: string, bitsField = 'bits'): DoubleBits {
  return json[bitsField] === undefined ? bitsOf(Number(text(json, field))) : BigInt(`0x${text(json, bitsField)}`);
}

function decodeLabels(json: Json): Label[] {
  // Numeric label names would come out of an object in another order, hence the sort.
  return sortLabels(Object.keys(json).map((name) => ({ name, value: text(json, name) })));
}

function text(json: Json, field: string): string {
  const value = json[field];
  if (typeof value !== 'string') throw new SyntaxError(`a line without ${field}`);
  return value;
}

function object(json: Json, field: string): Json {
  const value = json[field];
  if (typeof value !== 'object' || value === null) throw new SyntaxError(`a line without ${field}`);
  return value as Json;
}

function array(json: Json, field: string): readonly unknown[] {
  const value = json[field];
  if (!Array.isArray(value)) throw new SyntaxError(`a line without ${field}`);
  return value;
}

function word<const Words extends readonly string[]>(words: Words, value: string): Words[number] {
  if (!words.includes(value)) throw new SyntaxError(`${value} is none of ${words.join(', ')}`);
  return value;
}
