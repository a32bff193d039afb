import {
  encodeRecord,
  METRIC_TYPES,
  nameOf,
  sortLabels,
  type ArchiveRecord,
  type Kind,
  type Label,
  type MetadataRecord,
} from '../../src/record.ts';
import { NO_LABEL_LIMITS, type LabelLimits } from '../../src/wire/label_column.ts';
import { readHistogram } from './oracle_histogram.ts';
import {
  decodePlainly,
  type Bytes,
  type PlainExemplar,
  type PlainHistogram,
  type PlainLabels,
  type PlainMetadata,
  type PlainSample,
  type PlainSeries,
  type Version,
} from './oracle_messages.ts';

export interface OracleOptions {
  readonly version: Version;
  /** Arrival of the request in milliseconds since the epoch: the time of its metadata. */
  readonly arrivedAtMs: number;
  /** What has a later time is rejected; undefined accepts any. */
  readonly maxTimeMs: number | undefined;
  /** The longest line, in bytes, its newline included. */
  readonly maxLineBytes: number;
  /** What the labels of a series may be; any, unless given. */
  readonly labelLimits?: LabelLimits;
  /** Whether this metadata is archived already, whenever that was. */
  readonly isSeen: (metadata: MetadataRecord) => boolean;
}

const DEFAULTS: OracleOptions = {
  version: 1,
  arrivedAtMs: 0,
  maxTimeMs: undefined,
  maxLineBytes: Infinity,
  isSeen: () => false,
};

export interface OracleResult {
  readonly lines: readonly string[];
  readonly received: Readonly<Record<Kind, number>>;
  readonly skipped: Readonly<Record<Kind, number>>;
  readonly rejected: Readonly<Record<string, number>>;
  /** Labels that were left out because their value is empty, of series and of exemplars whose labels were looked at. */
  readonly emptyLabels: number;
}

/**
 * What the archive holds of a remote write request, the plain way: protobufjs decodes, objects are made, `encodeRecord` encodes. No request is
 * too large for it.
 *
 * @returns undefined when the body can't be decoded
 */
export function flattenPlainly(request: Uint8Array, options: Partial<OracleOptions> = {}): OracleResult | undefined {
  const complete: OracleOptions = { ...DEFAULTS, ...options };
  const entries = decodePlainly(request, complete.version);
  if (!entries) return undefined;
  const oracle = new Oracle(complete);
  for (const entry of entries) {
    if ('family' in entry) oracle.addFamily(entry, entry.family);
    else oracle.addSeries(entry);
  }
  return oracle;
}

/** A record, or why there is none. */
type Outcome = ArchiveRecord | { readonly problem: string };

class Oracle implements OracleResult {
  readonly lines: string[] = [];
  readonly received: Record<Kind, number> = { sample: 0, histogram: 0, exemplar: 0, metadata: 0 };
  readonly skipped: Record<Kind, number> = { sample: 0, histogram: 0, exemplar: 0, metadata: 0 };
  readonly rejected: Record<string, number> = {};
  emptyLabels = 0;

  readonly #options: OracleOptions;
  readonly #metadataLines = new Set<string>();

  constructor(options: OracleOptions) {
    this.#options = options;
  }

  addSeries({ labels, samples, histograms, exemplars, metadata }: PlainSeries): void {
    const count = samples.length + histograms.length + exemplars.length + (metadata ? 1 : 0);
    // A series that says nothing is nothing, whatever it is called.
    if (count === 0) return;
    this.received.sample += samples.length;
    this.received.histogram += histograms.length;
    this.received.exemplar += exemplars.length;
    this.received.metadata += metadata ? 1 : 0;

    const read = this.#readLabels(labels, this.#options.labelLimits);
    const problem = read.problem ?? (nameOf(read.labels) === '' ? 'no_metric_name' : undefined);
    if (problem !== undefined) {
      this.#reject(problem, count);
      return;
    }
    this.#addSamples(samples.map((sample) => this.#sampleOf(sample, read.labels)));
    for (const histogram of histograms) this.#add(this.#histogramOf(histogram, read.labels));
    for (const exemplar of exemplars) this.#add(this.#exemplarOf(exemplar, read.labels));
    if (metadata) this.#addMetadata(metadata, new TextEncoder().encode(nameOf(read.labels)));
  }

  addFamily(metadata: PlainMetadata, family: Bytes): void {
    this.received.metadata++;
    this.#addMetadata(metadata, family);
  }

  #sampleOf({ time, start, value }: PlainSample, labels: readonly Label[]): Outcome {
    if (this.#isTooLate(time)) return { problem: 'too_far_in_future' };
    return { kind: 'sample', time, ...startOf(start), value, labels };
  }

  #histogramOf(message: PlainHistogram, labels: readonly Label[]): Outcome {
    const { time, start } = message;
    if (this.#isTooLate(time)) return { problem: 'too_far_in_future' };
    const histogram = readHistogram(message);
    if (!histogram) return { problem: 'invalid_histogram' };
    return { kind: 'histogram', time, ...startOf(start), histogram, labels };
  }

  #exemplarOf({ time, value, labels: own }: PlainExemplar, labels: readonly Label[]): Outcome {
    const read = this.#readLabels(own);
    if (this.#isTooLate(time)) return { problem: 'too_far_in_future' };
    if (read.problem !== undefined) return { problem: read.problem };
    return { kind: 'exemplar', time, exemplar: { value, labels: read.labels }, labels };
  }

  #isTooLate(time: bigint): boolean {
    const { maxTimeMs } = this.#options;
    return maxTimeMs !== undefined && time > BigInt(maxTimeMs);
  }

  #addMetadata({ type: typeNumber, help, unit }: PlainMetadata, name: Bytes): void {
    if (!help || !unit) {
      this.#reject('invalid_refs');
      return;
    }
    const type = METRIC_TYPES[typeNumber] ?? 'unknown';
    if (type === 'unknown' && help.length === 0 && unit.length === 0) {
      this.skipped.metadata++;
      return;
    }
    if (name.length === 0) {
      this.#reject('no_metric_name');
      return;
    }
    const texts = [name, help, unit].map(tryText);
    if (texts.includes(undefined)) {
      this.#reject('invalid_utf8');
      return;
    }
    const record: MetadataRecord = {
      kind: 'metadata',
      name: texts[0]!,
      time: BigInt(this.#options.arrivedAtMs),
      metadata: { type, help: texts[1]!, unit: texts[2]! },
    };
    // All metadata of a request has one time, so a second copy of one is the same line.
    const line = encodeRecord(record);
    if (this.#options.isSeen(record) || this.#metadataLines.has(line)) {
      this.skipped.metadata++;
      return;
    }
    if (!this.#isTooLong(line)) this.#metadataLines.add(line);
    this.#addLine(line);
  }

  /** Samples of a series differ in little, so they are too long together. */
  #addSamples(outcomes: readonly Outcome[]): void {
    const rejected = outcomes.filter((outcome) => 'problem' in outcome);
    for (const { problem } of rejected) this.#reject(problem);
    const lines = outcomes.flatMap((outcome) => ('problem' in outcome ? [] : [encodeRecord(outcome)]));
    if (lines.some((line) => this.#isTooLong(line))) this.#reject('oversize', lines.length);
    else this.lines.push(...lines);
  }

  #add(outcome: Outcome): void {
    if ('problem' in outcome) this.#reject(outcome.problem);
    else this.#addLine(encodeRecord(outcome));
  }

  #addLine(line: string): void {
    if (this.#isTooLong(line)) this.#reject('oversize');
    else this.lines.push(line);
  }

  #isTooLong(line: string): boolean {
    return Buffer.byteLength(line) > this.#options.maxLineBytes;
  }

  #reject(problem: string, count = 1): void {
    this.rejected[problem] = (this.rejected[problem] ?? 0) + count;
  }

  /** Labels as the archive has them, or why it can't have them; whether one is `__name__` is not asked. */
  #readLabels(
    labels: PlainLabels,
    limits = NO_LABEL_LIMITS,
  ): { readonly labels: readonly Label[]; readonly problem?: string } {
    if (!labels) return { labels: [], problem: 'invalid_refs' };
    // A label without a value is no label, so nothing else about it matters.
    const kept = labels.filter(({ value }) => value.length > 0);
    this.emptyLabels += labels.length - kept.length;
    // Labels that alone are longer than a line are not looked at: in JSON each has four quotes, a colon and a comma.
    const leastBytes = kept.reduce((sum, { name, value }) => sum + name.length + value.length + 6, 0);
    if (leastBytes > this.#options.maxLineBytes) return { labels: [], problem: 'oversize' };
    if (kept.length > limits.maxLabels) return { labels: [], problem: 'too_many_labels' };
    for (const { name, value } of kept) {
      if (name.length > limits.maxNameBytes) return { labels: [], problem: 'label_name_too_long' };
      if (value.length > limits.maxValueBytes) return { labels: [], problem: 'label_value_too_long' };
    }

    const read: Label[] = [];
    for (const label of kept) {
      const name = tryText(label.name);
      const value = tryText(label.value);
      if (name === undefined || value === undefined) return { labels: [], problem: 'invalid_utf8' };
      read.push({ name, value });
    }
    const names = read.map(({ name }) => name);
    if (names.includes('')) return { labels: [], problem: 'empty_label_name' };
    if (new Set(names).size < names.length) return { labels: [], problem: 'repeated_label' };
    return { labels: sortLabels(read) };
  }
}

/** The field `start` of a record; 0 is none. */
function startOf(start: bigint): { readonly start?: bigint } {
  return start === 0n ? {} : { start };
}

/** @returns undefined for bytes that are not UTF-8 */
function tryText(bytes: Bytes): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
