import protobuf from 'protobufjs/light.js';
import { WriteRequest, WriteRequestV2 } from '../../src/wire/messages.ts';

/*
 * Requests of both versions as the same plain objects. protobufjs decodes; here symbols are looked up, and 64 bits become a bigint.
 */

/** A 64-bit number as protobufjs gives it. */
interface Long {
  readonly low: number;
  readonly high: number;
}

/** protobufjs gives an empty array for bytes that are not there. */
type ByteList = Uint8Array | readonly number[];

/** A name or a value, not known to be UTF-8. */
export type Bytes = Uint8Array;

/** undefined stands for a reference to a symbol that the request does not have, or for a name without its value. */
export type PlainLabels = readonly { readonly name: Bytes; readonly value: Bytes }[] | undefined;

export interface PlainSample {
  readonly time: bigint;
  readonly start: bigint;
  readonly value: bigint;
}

export interface PlainExemplar {
  readonly time: bigint;
  readonly value: bigint;
  readonly labels: PlainLabels;
}

/** A histogram field by field: integers as they are, doubles by their bits. Of a oneof at most one member is set. */
export interface PlainHistogram {
  readonly time: bigint;
  readonly start: bigint;
  readonly countInt?: bigint | undefined;
  readonly countFloat?: bigint | undefined;
  readonly sum: bigint;
  readonly schema: number;
  readonly zeroThreshold: bigint;
  readonly zeroCountInt?: bigint | undefined;
  readonly zeroCountFloat?: bigint | undefined;
  readonly negativeSpans: readonly PlainSpan[];
  readonly negativeDeltas: readonly bigint[];
  readonly negativeCounts: readonly bigint[];
  readonly positiveSpans: readonly PlainSpan[];
  readonly positiveDeltas: readonly bigint[];
  readonly positiveCounts: readonly bigint[];
  readonly resetHint: number;
  readonly customValues: readonly bigint[];
}

export interface PlainSpan {
  readonly offset: number;
  readonly length: number;
}

/** `help` and `unit` are undefined where they refer to a symbol that the request does not have. */
export interface PlainMetadata {
  readonly type: number;
  readonly help: Bytes | undefined;
  readonly unit: Bytes | undefined;
}

export interface PlainSeries {
  readonly labels: PlainLabels;
  readonly samples: readonly PlainSample[];
  readonly histograms: readonly PlainHistogram[];
  readonly exemplars: readonly PlainExemplar[];
  readonly metadata: PlainMetadata | undefined;
}

/** What a request holds, in the order of the wire. In version 1 metadata is of a family, and stands among the series. */
export type PlainEntry = PlainSeries | (PlainMetadata & { readonly family: Bytes });

export type Version = 1 | 2;

const SERIES_V1 = (1 << 3) | 2;
const METADATA_V1 = (3 << 3) | 2;
const SERIES_V2 = (5 << 3) | 2;

/** @returns undefined when the request can't be decoded */
export function decodePlainly(request: Uint8Array, version: Version): readonly PlainEntry[] | undefined {
  // What is thrown behind protobufjs's decode is a fault of this file, and not of the request.
  const decoded = tryDecode(request, version === 1 ? WriteRequest : WriteRequestV2);
  if (!decoded) return undefined;
  const tags = tagsOf(request);
  const [v1, v2] = [tags.some((tag) => tag === SERIES_V1 || tag === METADATA_V1), tags.includes(SERIES_V2)];
  // A request of the other version is not an empty one of this.
  if (version === 1 ? v2 && !v1 : v1 && !v2) return undefined;
  return version === 1 ? entriesOfV1(decoded as DecodedV1, kindsInOrder(tags)) : entriesOfV2(decoded as DecodedV2);
}

function tryDecode(request: Uint8Array, type: protobuf.Type): unknown {
  try {
    return type.decode(request);
  } catch {
    return undefined;
  }
}

interface DecodedV1 {
  readonly timeseries: readonly {
    readonly labels: DecodedLabels;
    readonly samples: readonly DecodedSample[];
    readonly exemplars: readonly (DecodedExemplar & { readonly labels: DecodedLabels })[];
    readonly histograms: readonly DecodedHistogram[];
  }[];
  readonly metadata: readonly {
    readonly type: number;
    readonly metricFamilyName: ByteList;
    readonly help: ByteList;
    readonly unit: ByteList;
  }[];
}

interface DecodedV2 {
  readonly symbols: readonly ByteList[];
  readonly timeseries: readonly {
    readonly labelsRefs: readonly number[];
    readonly samples: readonly DecodedSample[];
    readonly exemplars: readonly (DecodedExemplar & { readonly labelsRefs: readonly number[] })[];
    readonly histograms: readonly DecodedHistogram[];
    readonly metadata: { readonly type: number; readonly helpRef: number; readonly unitRef: number } | null;
    readonly createdTimestamp: Long;
  }[];
}

type DecodedLabels = readonly { readonly name: ByteList; readonly value: ByteList }[];

interface DecodedTimes {
  readonly timestamp: Long;
  /** Version 1 does not have it. */
  readonly startTimestamp?: Long;
}

interface DecodedSample extends DecodedTimes {
  readonly value: Long;
}

interface DecodedExemplar {
  readonly value: Long;
  readonly timestamp: Long;
}

interface DecodedHistogram extends DecodedTimes {
  /** protobufjs's name of the member that is set. */
  readonly count?: 'countInt' | 'countFloat';
  readonly countInt: Long;
  readonly countFloat: Long;
  readonly sum: Long;
  readonly schema: number;
  readonly zeroThreshold: Long;
  readonly zeroCount?: 'zeroCountInt' | 'zeroCountFloat';
  readonly zeroCountInt: Long;
  readonly zeroCountFloat: Long;
  readonly negativeSpans: readonly PlainSpan[];
  readonly negativeDeltas: readonly Long[];
  readonly negativeCounts: readonly Long[];
  readonly positiveSpans: readonly PlainSpan[];
  readonly positiveDeltas: readonly Long[];
  readonly positiveCounts: readonly Long[];
  readonly resetHint: number;
  readonly customValues: readonly Long[];
}

function entriesOfV1({ timeseries, metadata }: DecodedV1, kinds: readonly ('series' | 'metadata')[]): PlainEntry[] {
  const series = timeseries.map((decoded): PlainSeries => {
    const { samples, histograms, exemplars } = decoded;
    return {
      labels: plainLabels(decoded.labels),
      samples: samples.map((sample) => plainSample(sample, 0n)),
      histograms: histograms.map((histogram) => plainHistogram(histogram, 0n)),
      exemplars: exemplars.map((exemplar) => plainExemplar(exemplar, plainLabels(exemplar.labels))),
      metadata: undefined,
    };
  });
  const families = metadata.map(({ type, metricFamilyName, help, unit }) => {
    return { type, family: bytesOf(metricFamilyName), help: bytesOf(help), unit: bytesOf(unit) };
  });
  return kinds.map((kind) => (kind === 'series' ? series.shift()! : families.shift()!));
}

/** The order of the two kinds, which protobufjs collects apart. */
function kindsInOrder(tags: readonly number[]): ('series' | 'metadata')[] {
  return tags.flatMap((tag) => (tag === SERIES_V1 ? ['series'] : tag === METADATA_V1 ? ['metadata'] : []));
}

/** The tags of a request's fields, in their order. */
function tagsOf(request: Uint8Array): number[] {
  const reader = protobuf.Reader.create(request);
  const tags: number[] = [];
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    tags.push(tag);
    reader.skipType(tag & 7, 0, tag >>> 3);
  }
  return tags;
}

function entriesOfV2({ symbols, timeseries }: DecodedV2): PlainSeries[] | undefined {
  if (symbols.length > 0 && symbols[0]!.length > 0) return undefined;
  const symbol = (ref: number) => (symbols[ref] === undefined ? undefined : bytesOf(symbols[ref]));
  const symbolOrNone = (ref: number) => (ref === 0 ? new Uint8Array(0) : symbol(ref));
  const labels = (refs: readonly number[]): PlainLabels => {
    const texts = refs.map(symbol);
    if (texts.length % 2 === 1 || texts.includes(undefined)) return undefined;
    return refs.flatMap((_, index) => (index % 2 === 0 ? [{ name: texts[index]!, value: texts[index + 1]! }] : []));
  };
  return timeseries.map((series) => {
    const { samples, histograms, exemplars, metadata } = series;
    const created = signed(series.createdTimestamp);
    return {
      labels: labels(series.labelsRefs),
      samples: samples.map((sample) => plainSample(sample, created)),
      histograms: histograms.map((histogram) => plainHistogram(histogram, created)),
      exemplars: exemplars.map((exemplar) => plainExemplar(exemplar, labels(exemplar.labelsRefs))),
      metadata: metadata
        ? { type: metadata.type, help: symbolOrNone(metadata.helpRef), unit: symbolOrNone(metadata.unitRef) }
        : undefined,
    };
  });
}

function plainLabels(labels: DecodedLabels): PlainLabels {
  return labels.map(({ name, value }) => ({ name: bytesOf(name), value: bytesOf(value) }));
}

/** @param created start of the series, where its parts have none of their own; 0 is none */
function plainTimes({ timestamp, startTimestamp }: DecodedTimes, created: bigint) {
  const start = startTimestamp ? signed(startTimestamp) : 0n;
  return { time: signed(timestamp), start: start === 0n ? created : start };
}

function plainSample(decoded: DecodedSample, created: bigint): PlainSample {
  return { ...plainTimes(decoded, created), value: unsigned(decoded.value) };
}

function plainExemplar({ value, timestamp }: DecodedExemplar, labels: PlainLabels): PlainExemplar {
  return { time: signed(timestamp), value: unsigned(value), labels };
}

function plainHistogram(decoded: DecodedHistogram, created: bigint): PlainHistogram {
  return {
    ...plainTimes(decoded, created),
    ...(decoded.count && { [decoded.count]: unsigned(decoded[decoded.count]) }),
    sum: unsigned(decoded.sum),
    schema: decoded.schema,
    zeroThreshold: unsigned(decoded.zeroThreshold),
    ...(decoded.zeroCount && { [decoded.zeroCount]: unsigned(decoded[decoded.zeroCount]) }),
    negativeSpans: decoded.negativeSpans,
    negativeDeltas: decoded.negativeDeltas.map(signed),
    negativeCounts: decoded.negativeCounts.map(unsigned),
    positiveSpans: decoded.positiveSpans,
    positiveDeltas: decoded.positiveDeltas.map(signed),
    positiveCounts: decoded.positiveCounts.map(unsigned),
    resetHint: decoded.resetHint,
    customValues: decoded.customValues.map(unsigned),
  };
}

function bytesOf(list: ByteList): Bytes {
  return Uint8Array.from(list);
}

function unsigned({ low, high }: Long): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}

function signed(long: Long): bigint {
  return BigInt.asIntN(64, unsigned(long));
}
