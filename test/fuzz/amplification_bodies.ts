import SnappyJS from 'snappyjs';
import { bitsOf } from '../../src/record.ts';
import {
  bytesField,
  concat,
  fixed64,
  fixed64Field,
  groupField,
  join,
  varint,
  varintField,
  zigzag,
} from '../support/protobuf_writer.ts';
import { symbolsOf } from '../support/series_v2.ts';

/*
 * Bodies that cost their sender little and might cost the receiver much: each one thing that a request can have, as often as fits.
 */

export interface AmplificationCase {
  readonly name: string;
  readonly version: 1 | 2;
  /** Statuses that are right for it. */
  readonly statuses: readonly number[];
  /** The body as it is sent, of a request of at most so many bytes once decompressed. */
  readonly body: (bytes: number) => Uint8Array;
}

const UP = bytesField(1, concat(bytesField(1, '__name__'), bytesField(2, 'up')));
const TIME = 1_795_000_000_000;
const sampleAt = (time: number) => bytesField(2, concat(fixed64Field(1, bitsOf(1)), varintField(2, time)));
const SAMPLE = sampleAt(TIME);
const EMPTY_STRING = new Uint8Array(0);
/** What is around what is repeated. */
const SLACK = 256;

/** The same again and again. */
function times(unit: Uint8Array, bytes: number): Uint8Array {
  const count = Math.floor(bytes / unit.length);
  const all = new Uint8Array(count * unit.length);
  for (let index = 0; index < count; index++) all.set(unit, index * unit.length);
  return all;
}

/** Units that differ, each made of its number, as many as fit. */
function each(make: (index: number) => Uint8Array, bytes: number): Uint8Array {
  const all = new Uint8Array(bytes);
  let at = 0;
  for (let index = 0; ; index++) {
    const unit = make(index);
    if (at + unit.length > bytes) return all.subarray(0, at);
    all.set(unit, at);
    at += unit.length;
  }
}

const label = (name: string | Uint8Array, value: string | Uint8Array) =>
  bytesField(1, concat(bytesField(1, name), bytesField(2, value)));
const digits = (index: number) => String(index).padStart(8, '0');
/** The other way round than they would be sorted. */
const falling = (index: number) => digits(99_999_999 - index);
const seriesV1 = (...fields: readonly Uint8Array[]) => bytesField(1, concat(...fields));
const histogramV1 = (...fields: readonly Uint8Array[]) => bytesField(4, concat(...fields));
const seriesV2 = (...fields: readonly Uint8Array[]) => bytesField(5, concat(...fields));
const UP_REFS = Uint8Array.of(1, 2);
const UP_SYMBOLS = symbolsOf(['', '__name__', 'up']);

type Message = (bytes: number) => Uint8Array;

function v1(name: string, statuses: readonly number[], message: Message): AmplificationCase {
  return { name, version: 1, statuses, body: (bytes) => SnappyJS.compress(message(bytes - SLACK)) };
}

function v2(name: string, statuses: readonly number[], message: Message): AmplificationCase {
  return { name, version: 2, statuses, body: (bytes) => SnappyJS.compress(message(bytes - SLACK)) };
}

function raw(name: string, statuses: readonly number[], body: Message): AmplificationCase {
  return { name, version: 1, statuses, body: (bytes) => body(bytes - SLACK) };
}

const OK = [204];
const BAD = [400];
const BAD_OR_LARGE = [400, 413];
const ANY = [204, 400, 413];

const LABELS: readonly AmplificationCase[] = [
  v1('labels in one series, sorted', BAD_OR_LARGE, (bytes) =>
    seriesV1(
      UP,
      each((index) => label(`a${digits(index)}`, 'v'), bytes),
      SAMPLE,
    ),
  ),
  v1('labels in one series, falling', BAD_OR_LARGE, (bytes) =>
    seriesV1(
      UP,
      each((index) => label(`a${falling(index)}`, 'v'), bytes),
      SAMPLE,
    ),
  ),
  v1('labels without name and value in one series', ANY, (bytes) =>
    seriesV1(UP, times(Uint8Array.of(0x0a, 0), bytes), SAMPLE),
  ),
  v1('labels without a value in one series', ANY, (bytes) =>
    seriesV1(
      UP,
      each((index) => label(falling(index), ''), bytes),
      SAMPLE,
    ),
  ),
  v1('the same label again and again', BAD_OR_LARGE, (bytes) => seriesV1(times(UP, bytes), SAMPLE)),
  v1('long label names that begin alike, falling, at the most that a line may be', OK, (bytes) => {
    const one = seriesV1(
      UP,
      each((index) => label('a'.repeat(48_000) + falling(index), 'v'), Math.min(bytes, 960_000)),
      SAMPLE,
    );
    return one;
  }),
  v1('series of long label names that begin alike, falling', ANY, (bytes) =>
    times(
      seriesV1(
        UP,
        each((index) => label('a'.repeat(48_000) + falling(index), 'v'), Math.min(bytes, 960_000)),
        SAMPLE,
      ),
      bytes,
    ),
  ),
  v1('series of 1 KB label names that begin alike, falling', ANY, (bytes) =>
    times(
      seriesV1(
        UP,
        each((index) => label('a'.repeat(1_000) + falling(index), 'v'), Math.min(bytes, 960_000)),
        SAMPLE,
      ),
      bytes,
    ),
  ),
  v1('series of short labels, falling, at the most that a line may be', ANY, (bytes) =>
    times(
      seriesV1(
        UP,
        each((index) => label(falling(index), 'v'), Math.min(bytes, 900_000)),
        SAMPLE,
      ),
      bytes,
    ),
  ),
  v1('a label value of NULs, which JSON writes six times as long', ANY, (bytes) =>
    seriesV1(UP, label('z', new Uint8Array(bytes)), SAMPLE),
  ),
  v1('series with a label value of NULs', ANY, (bytes) =>
    times(seriesV1(UP, label('z', new Uint8Array(Math.min(bytes, 160_000))), SAMPLE), bytes),
  ),
  v1('series with a label value that is no UTF-8 at its end', ANY, (bytes) => {
    const text = new Uint8Array(Math.min(bytes, 900_000)).fill(0x61);
    text[text.length - 1] = 0xff;
    return times(seriesV1(UP, label('z', text), SAMPLE), bytes);
  }),
  v1('series without a metric name', BAD, (bytes) => times(seriesV1(label('a', 'b'), SAMPLE), bytes)),
  v1('series without a metric name and with a long label', BAD, (bytes) =>
    times(seriesV1(label('a', 'b'.repeat(Math.min(bytes, 500_000))), SAMPLE), bytes),
  ),
];

const COUNTS: readonly AmplificationCase[] = [
  v1('samples in one series', ANY, (bytes) =>
    seriesV1(
      UP,
      each((index) => sampleAt(TIME + index), bytes),
    ),
  ),
  v1('empty samples in one series', ANY, (bytes) => seriesV1(UP, times(Uint8Array.of(0x12, 0), bytes))),
  v1('empty samples in one series without a name', BAD_OR_LARGE, (bytes) =>
    seriesV1(times(Uint8Array.of(0x12, 0), bytes)),
  ),
  v1('samples of the slowest numbers to write', ANY, (bytes) =>
    seriesV1(
      UP,
      each(
        (index) =>
          bytesField(
            2,
            concat(
              fixed64Field(1, bitsOf(5e-324 * (index + 1) + 1.23456789012345e-300)),
              varintField(2, -TIME - index),
            ),
          ),
        bytes,
      ),
    ),
  ),
  v1('series of one sample', ANY, (bytes) => each((index) => seriesV1(UP, label('id', digits(index)), SAMPLE), bytes)),
  v1('empty series', OK, (bytes) => times(Uint8Array.of(0x0a, 0), bytes)),
  v1('series of labels only', OK, (bytes) => times(seriesV1(UP), bytes)),
  v1('empty metadata', OK, (bytes) => times(Uint8Array.of(0x1a, 0), bytes)),
  v1('metadata of new names', ANY, (bytes) => each((index) => bytesField(3, bytesField(2, digits(index))), bytes)),
  v1('metadata of one name with a long help', ANY, (bytes) =>
    each(
      (index) => bytesField(3, concat(bytesField(2, 'up'), bytesField(4, digits(index) + 'h'.repeat(5_000)))),
      bytes,
    ),
  ),
  v1('empty exemplars in one series', ANY, (bytes) => seriesV1(UP, times(Uint8Array.of(0x1a, 0), bytes))),
  v1('labels of one exemplar, falling', ANY, (bytes) =>
    seriesV1(
      UP,
      bytesField(
        3,
        each((index) => label(falling(index), 'v'), bytes),
      ),
    ),
  ),
  v1('empty exemplars behind a long label', ANY, (bytes) =>
    seriesV1(UP, label('z', 'v'.repeat(Math.min(bytes >> 1, 900_000))), times(Uint8Array.of(0x1a, 0), bytes >> 1)),
  ),
  v1('unknown varints', OK, (bytes) => times(Uint8Array.of(0x38, 0), bytes)),
  v1('unknown varints in a sample', ANY, (bytes) => seriesV1(UP, bytesField(2, times(Uint8Array.of(0x38, 0), bytes)))),
  v1('unknown empty strings in a series', ANY, (bytes) => seriesV1(UP, times(Uint8Array.of(0x3a, 0), bytes), SAMPLE)),
  v1('unknown groups, nested 99 deep', OK, (bytes) => {
    let group: Uint8Array = EMPTY_STRING;
    for (let depth = 0; depth < 99; depth++) group = groupField(7, group);
    return times(group, bytes);
  }),
  v1('unknown groups, nested too deep', BAD, (bytes) => times(Uint8Array.of(0x3b), bytes)),
];

const HISTOGRAMS: readonly AmplificationCase[] = [
  v1('empty histograms in one series', ANY, (bytes) => seriesV1(UP, times(Uint8Array.of(0x22, 0), bytes))),
  ...[1_000_000, Infinity].map((most) =>
    v1(`deltas of a histogram that need 64 bits${most === Infinity ? '' : ', in 1 MB'}`, BAD_OR_LARGE, (bytes) => {
      const up = varint(zigzag(2n ** 60n));
      const down = varint(zigzag(-(2n ** 60n)));
      const deltas = times(concat(up, down), Math.min(bytes, most));
      const count = (deltas.length / (up.length + down.length)) * 2;
      return seriesV1(
        UP,
        histogramV1(bytesField(11, concat(varintField(1, 0), varintField(2, count))), bytesField(12, deltas)),
      );
    }),
  ),
  // The first needs 64 bits, and all that follow are added to it.
  v1('histograms of 400,000 equal buckets of 2^54', ANY, (bytes) => {
    const count = Math.min(bytes >> 1, 400_000);
    const deltas = concat(varint(zigzag(2n ** 54n)), new Uint8Array(count - 1));
    const spans = bytesField(11, concat(varintField(1, 0), varintField(2, count)));
    return seriesV1(UP, times(histogramV1(spans, bytesField(12, deltas)), bytes));
  }),
  v1('small deltas of a histogram', BAD_OR_LARGE, (bytes) =>
    seriesV1(
      UP,
      histogramV1(
        bytesField(11, concat(varintField(1, 0), varintField(2, bytes))),
        bytesField(12, times(Uint8Array.of(2, 1), bytes)),
      ),
    ),
  ),
  v1('counts of a float histogram', BAD_OR_LARGE, (bytes) =>
    seriesV1(
      UP,
      histogramV1(
        fixed64Field(2, bitsOf(1)),
        bytesField(11, concat(varintField(1, 0), varintField(2, Math.floor(bytes / 8)))),
        bytesField(13, times(fixed64(bitsOf(1.23456789012345e-300)), bytes)),
      ),
    ),
  ),
  v1('bounds of a custom histogram', BAD_OR_LARGE, (bytes) =>
    seriesV1(
      UP,
      histogramV1(
        varintField(4, zigzag(-53)),
        bytesField(
          16,
          each((index) => fixed64(bitsOf(index + 0.1)), bytes),
        ),
      ),
    ),
  ),
  v1('empty spans of a histogram', BAD_OR_LARGE, (bytes) =>
    seriesV1(UP, histogramV1(times(Uint8Array.of(0x5a, 0), bytes))),
  ),
  v1('histograms with spans of 4 billion buckets', BAD_OR_LARGE, (bytes) =>
    seriesV1(UP, times(histogramV1(bytesField(11, varintField(2, 2 ** 32 - 1))), bytes)),
  ),
  v1('histograms of 100 buckets', ANY, (bytes) => {
    const deltas = join([varint(zigzag(2n ** 33n)), times(Uint8Array.of(0), 99)]);
    const spans = bytesField(11, concat(varintField(1, 0), varintField(2, 100)));
    return seriesV1(UP, times(histogramV1(varintField(1, 100n * 2n ** 33n), spans, bytesField(12, deltas)), bytes));
  }),
];

const SYMBOLS: readonly AmplificationCase[] = [
  v2('empty symbols', ANY, (bytes) => times(Uint8Array.of(0x22, 0), bytes)),
  v2('symbols, each used once', ANY, (bytes) => {
    const share = Math.floor(bytes / 3);
    const symbols = each((index) => bytesField(4, digits(index)), share);
    const count = symbols.length / 10;
    const series = each(
      (index) =>
        seriesV2(bytesField(1, concat(UP_REFS, varint(3 + (index % count)), varint(3 + (index % count)))), SAMPLE),
      2 * share,
    );
    return concat(UP_SYMBOLS, symbols, series);
  }),
  v2('a 400 KB value that 20,000 series name', ANY, (bytes) =>
    concat(
      symbolsOf(['', '__name__', 'up', 'z', 'v'.repeat(Math.min(bytes >> 1, 400_000))]),
      times(seriesV2(bytesField(1, Uint8Array.of(1, 2, 3, 4)), SAMPLE), Math.min(bytes >> 1, 20_000 * 21)),
    ),
  ),
  v2('a 400 KB value that rejected series name', ANY, (bytes) =>
    concat(
      symbolsOf(['', '__name__', 'up', 'z', 'v'.repeat(Math.min(bytes >> 1, 400_000)), '\u0000']),
      times(seriesV2(bytesField(1, Uint8Array.of(3, 4)), SAMPLE), bytes >> 1),
    ),
  ),
  v2('300 KB label names, falling, of series with one of them twice', ANY, (bytes) => {
    const long = 'n'.repeat(Math.min(bytes >> 3, 300_000));
    return concat(
      symbolsOf(['', '__name__', 'up', `${long}3`, `${long}2`, `${long}1`]),
      times(seriesV2(bytesField(1, Uint8Array.of(1, 2, 3, 2, 4, 2, 4, 2)), SAMPLE), bytes >> 1),
    );
  }),
  v2('10 KB label names, falling, of exemplars', ANY, (bytes) => {
    const long = 'n'.repeat(10_000);
    const names = Array.from({ length: Math.min(80, bytes >> 15) }, (_, index) => `${long}${99 - index}`);
    const refs = names.flatMap((_, index) => [3 + index, 2]);
    return concat(
      symbolsOf(['', '__name__', 'up', ...names]),
      seriesV2(
        bytesField(1, UP_REFS),
        times(bytesField(4, bytesField(1, Uint8Array.from(refs))), bytes - names.length * 10_010),
      ),
    );
  }),
  v2('a 400 KB value that exemplars name', ANY, (bytes) =>
    concat(
      symbolsOf(['', '__name__', 'up', 'z', 'v'.repeat(Math.min(bytes >> 1, 400_000))]),
      seriesV2(bytesField(1, UP_REFS), times(bytesField(4, bytesField(1, Uint8Array.of(3, 4))), bytes >> 1)),
    ),
  ),
  v2('a 400 KB help that the metadata of new names has', ANY, (bytes) => {
    const count = Math.min(20_000, Math.floor(bytes / 64));
    return concat(
      symbolsOf(['', '__name__', 'h'.repeat(Math.min(bytes >> 1, 400_000))]),
      join(Array.from({ length: count }, (_, index) => bytesField(4, digits(index)))),
      join(
        Array.from({ length: count }, (_, index) =>
          seriesV2(bytesField(1, concat(varint(1), varint(3 + index))), bytesField(5, varintField(3, 2))),
        ),
      ),
    );
  }),
  v2('metadata of new names', ANY, (bytes) => {
    const count = Math.floor(bytes / 32);
    return concat(
      symbolsOf(['', '__name__']),
      join(Array.from({ length: count }, (_, index) => bytesField(4, digits(index)))),
      join(
        Array.from({ length: count }, (_, index) =>
          seriesV2(bytesField(1, concat(varint(1), varint(2 + index))), bytesField(5, varintField(1, 1))),
        ),
      ),
    );
  }),
  v2('references of one series, all the same', ANY, (bytes) =>
    concat(UP_SYMBOLS, seriesV2(bytesField(1, times(UP_REFS, bytes)), SAMPLE)),
  ),
  v2('references of one series, unpacked', ANY, (bytes) =>
    concat(UP_SYMBOLS, seriesV2(times(Uint8Array.of(8, 0), bytes), SAMPLE)),
  ),
  v2('references to no symbol', BAD_OR_LARGE, (bytes) =>
    concat(UP_SYMBOLS, seriesV2(bytesField(1, times(Uint8Array.of(0x7f, 0x7f), bytes)), SAMPLE)),
  ),
  v2('labels of empty symbols', ANY, (bytes) =>
    concat(UP_SYMBOLS, seriesV2(bytesField(1, concat(UP_REFS, times(Uint8Array.of(0, 0), bytes))), SAMPLE)),
  ),
  v2('series of one sample', ANY, (bytes) =>
    concat(UP_SYMBOLS, times(seriesV2(bytesField(1, UP_REFS), SAMPLE), bytes)),
  ),
  v2('empty series', ANY, (bytes) => concat(UP_SYMBOLS, times(Uint8Array.of(0x2a, 0), bytes))),
  v2('empty histograms in one series', ANY, (bytes) =>
    concat(UP_SYMBOLS, seriesV2(bytesField(1, UP_REFS), times(Uint8Array.of(0x1a, 0), bytes))),
  ),
  v2('empty exemplars in one series', ANY, (bytes) =>
    concat(UP_SYMBOLS, seriesV2(bytesField(1, UP_REFS), times(Uint8Array.of(0x22, 0), bytes))),
  ),
  v2('symbols among and behind the series', ANY, (bytes) =>
    concat(bytesField(4, ''), times(concat(bytesField(4, 'x'), seriesV2(bytesField(1, UP_REFS), SAMPLE)), bytes)),
  ),
];

/** A snappy block of one kind of element, of which `count` come to the declared length. */
function elements(declared: number, start: Uint8Array, rest: Uint8Array): Uint8Array {
  return concat(varint(declared), start, rest);
}

const BLOCKS: readonly AmplificationCase[] = [
  raw('snappy literals of one byte', ANY, (bytes) => {
    const count = Math.floor(bytes / 2) & ~1;
    // Empty series: 0a 00.
    return elements(count, EMPTY_STRING, times(Uint8Array.of(0, 0x0a, 0, 0), count * 2));
  }),
  raw('snappy copies of one byte', ANY, (bytes) => {
    const count = Math.floor(bytes / 3) & ~1;
    return elements(count + 2, Uint8Array.of(1 << 2, 0x0a, 0), times(Uint8Array.of(2, 2, 0), count * 3));
  }),
  raw('snappy copies of 64 bytes, each of its own output', ANY, (bytes) => {
    const count = Math.floor((bytes - 2) / 64);
    return elements(
      count * 64 + 2,
      Uint8Array.of(1 << 2, 0x0a, 0),
      times(Uint8Array.of(2 | (63 << 2), 2, 0), count * 3),
    );
  }),
  raw('a snappy block that is one byte too short at its end', BAD, (bytes) => {
    const count = Math.floor((bytes - 3) / 64);
    return elements(
      count * 64 + 3,
      Uint8Array.of(1 << 2, 0x0a, 0),
      times(Uint8Array.of(2 | (63 << 2), 2, 0), count * 3),
    );
  }),
  raw('zeros', BAD, (bytes) => SnappyJS.compress(new Uint8Array(bytes))),
  raw('a body of zeros', BAD, (bytes) => new Uint8Array(bytes)),
];

export const AMPLIFICATION: readonly AmplificationCase[] = [...LABELS, ...COUNTS, ...HISTOGRAMS, ...SYMBOLS, ...BLOCKS];
