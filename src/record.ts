/**
 * The archive's schema: one line of JSON per thing received. docs/record.md is the same in words. PURE.
 *
 * This is the simple encoder, the oracle that the fast one in `write/flatten.ts` equals byte for byte. record_decode.ts reads lines back.
 * Archives cannot be migrated, so a change here is a decision record.
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

/** A count for each kind, from 0. */
export function countsOfKinds(): Record<Kind, number> {
  return { sample: 0, histogram: 0, exemplar: 0, metadata: 0 };
}

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
  start: ',"start":',
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

/**
 * The fields of the objects `histogram`, `exemplar` and `metadata`, which SQL readers declare as structs. What may be a number or a word is
 * a string, as `value` is; the counts of an integer histogram are strings too, because uint64 fits no integer type that every reader has. All
 * that a line may have is here, so that what SQL keeps of a line is the whole of it.
 */
export const OBJECT_FIELDS = {
  histogram: {
    type: 'string',
    stale: 'boolean',
    count: 'string',
    count_bits: 'string',
    sum: 'string',
    sum_bits: 'string',
    schema: 'bigint',
    zero_threshold: 'string',
    zero_threshold_bits: 'string',
    zero_count: 'string',
    zero_count_bits: 'string',
    positive_spans: 'array<array<bigint>>',
    positive_deltas: 'array<bigint>',
    positive_counts: 'array<string>',
    positive_counts_bits: 'array<array<string>>',
    negative_spans: 'array<array<bigint>>',
    negative_deltas: 'array<bigint>',
    negative_counts: 'array<string>',
    negative_counts_bits: 'array<array<string>>',
    custom_values: 'array<string>',
    custom_values_bits: 'array<array<string>>',
    reset_hint: 'string',
  },
  exemplar: { value: 'string', bits: 'string', labels: 'map<string,string>' },
  metadata: { type: 'string', help: 'string', unit: 'string' },
} as const;

/** How the lines of each kind start, by the first byte that tells them apart; those of samples have no kind. */
const KIND_AT = '{"kind":"'.length;
const KINDS_BY_LETTER: ReadonlyMap<number, Kind> = new Map(KINDS.map((kind) => [kind.charCodeAt(0), kind]));
const NAME_LETTER = SAMPLE_LINE.name.charCodeAt(2);

/** The kind of the line that starts at `start`. */
export function kindOfLine(bytes: Uint8Array, start: number): Kind {
  if (bytes[start + 2] === NAME_LETTER) return 'sample';
  return KINDS_BY_LETTER.get(bytes[start + KIND_AT]!) ?? 'sample';
}

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
      return record.value === STALE_NAN
        ? SAMPLE_LINE.value + SAMPLE_LINE.stale
        : encodeDouble('value', record.value, 'bits');
    case 'exemplar': {
      const { value, labels } = record.exemplar;
      return `,"exemplar":{${encodeDouble('value', value, 'bits').slice(1)},"labels":${encodeLabels(labels)}}`;
    }
    case 'histogram':
      return `,"histogram":${encodeHistogram(record.histogram)}`;
  }
}

function encodeHistogram(histogram: HistogramRecord['histogram']): string {
  const { type } = histogram;
  if ('stale' in histogram) return `{"type":"${type}","stale":true}`;
  const isFloat = type === 'float';
  const count = (field: string, value: bigint) => (isFloat ? encodeDouble(field, value) : `,"${field}":${value}`);
  const side = (name: string, spans: readonly BucketSpan[], buckets: readonly bigint[]) =>
    `,"${name}_spans":[${spans.map(([offset, length]) => `[${offset},${length}]`).join()}]` +
    (isFloat ? encodeDoubles(`${name}_counts`, buckets) : `,"${name}_deltas":[${buckets.join()}]`);
  return (
    `{"type":"${type}"${count('count', histogram.count)}${encodeDouble('sum', histogram.sum)}` +
    `,"schema":${histogram.schema}${encodeDouble('zero_threshold', histogram.zeroThreshold)}` +
    count('zero_count', histogram.zeroCount) +
    side('positive', histogram.positiveSpans, histogram.positiveBuckets) +
    side('negative', histogram.negativeSpans, histogram.negativeBuckets) +
    `${encodeDoubles('custom_values', histogram.customValues)},"reset_hint":"${histogram.resetHint}"}`
  );
}

function encodeLabels(labels: readonly Label[]): string {
  return `{${labels.map(({ name, value }) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join()}}`;
}

/** A field that is a double; where its token does not tell all 64 bits, they stand behind it in a field of their own. */
function encodeDouble(field: string, bits: DoubleBits, bitsField = `${field}_bits`): string {
  return `,"${field}":${doubleToken(bits)}${isPlain(bits) ? '' : `,"${bitsField}":${hexToken(bits)}`}`;
}

/** A field that is a list of doubles; the bits stand behind it as pairs of index and bits. */
function encodeDoubles(field: string, values: readonly DoubleBits[]): string {
  const payloads = values.flatMap((bits, index) => (isPlain(bits) ? [] : [`[${index},${hexToken(bits)}]`]));
  const list = `,"${field}":[${values.map(doubleToken).join()}]`;
  return payloads.length === 0 ? list : `${list},"${field}_bits":[${payloads.join()}]`;
}

/** The bits of a NaN, which are always 16 digits: it begins with 7ff or fff. */
function hexToken(bits: DoubleBits): string {
  return `"${bits.toString(16)}"`;
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

/** Whether doubleToken tells all 64 bits: of every double but the NaNs that are not Prometheus's own. */
function isPlain(bits: DoubleBits): boolean {
  return bits === ORDINARY_NAN || !Number.isNaN(doubleOf(bits));
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
