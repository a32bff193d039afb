import { isUtf8 } from 'node:buffer';
import { ORDINARY_NAN, STALE_NAN } from '../../src/record.ts';
import { below, pick, plainSeries, type PlainSample, type PlainSeries, type Random } from './plain_series.ts';
import { bytesField, concat, fixed64Field, join, varint, varintField } from './protobuf_writer.ts';

/** A request of plain series, and what the kernel has to take of it. */
export interface PlainRequest {
  readonly bytes: Uint8Array;
  /** How many lines of samples the kernel writes. */
  readonly takenLines: number;
}

/** What Metadata of remote write 2.0 a series has: its fields in any number and order. */
interface PlainMetadata {
  readonly fields: Uint8Array;
  readonly isTaken: boolean;
}

export function plainRequestV1(random: Random, maxTimeMs = Infinity): PlainRequest {
  const series = Array.from({ length: 1 + below(random, 5) }, () => plainSeries(random));
  return {
    bytes: join(series.map(seriesV1)),
    takenLines: countTaken(series, (one) => isTaken(one, maxTimeMs)),
  };
}

export function plainRequestV2(random: Random, maxTimeMs = Infinity): PlainRequest {
  const series = Array.from({ length: 1 + below(random, 5) }, () => plainSeries(random));
  // The series of a name are one behind the other, mostly with the same metadata.
  const repeated = series.flatMap((one) => (random() < 0.3 ? [one, one] : [one]));
  const table = new Symbols(random);
  const shared = metadataOf(random, table);
  const metadata = repeated.map(() => {
    const share = random();
    if (share < 0.3) return undefined;
    return share < 0.6 ? shared : metadataOf(random, table);
  });
  const odd = below(random, 100);
  const messages = repeated.map((one, index) =>
    seriesV2({ series: one, table, random, metadata: metadata[index], odd }),
  );
  const symbols = table.fields();
  const behind = random() < 0.1 ? below(random, symbols.length + 1) : symbols.length;
  const taken = repeated.filter((one, index) => isTaken(one, maxTimeMs) && (metadata[index]?.isTaken ?? true));
  return {
    bytes: concat(join(symbols.slice(0, behind)), join(messages), join(symbols.slice(behind))),
    takenLines: odd < ODD_REFS.length ? 0 : countTaken(taken, () => true),
  };
}

function countTaken(series: readonly PlainSeries[], isTaken: (series: PlainSeries) => boolean): number {
  return series.reduce((lines, one) => lines + (isTaken(one) ? one.samples.length : 0), 0);
}

/** What the kernel takes, said as plainly as can be. */
function isTaken({ labels, samples }: PlainSeries, maxTimeMs: number): boolean {
  const texts = labels.map((label) => label.map((text) => Buffer.from(text).toString('latin1')));
  const names = texts.map(([name]) => name!);
  return (
    labels.flat().every(isUtf8) &&
    // Nothing that JSON escapes.
    texts.flat().every((text) => /^[ !#-[\]-\xff]+$/.test(text)) &&
    names.every((name, index) => index === 0 || names[index - 1]! < name) &&
    names.includes('__name__') &&
    labels.length <= 128 &&
    samples.length > 0 &&
    samples.every(({ time, padding, bits }) => {
      const isTold = bits === STALE_NAN || bits === ORDINARY_NAN || !isNan(bits ?? 0n);
      return varint(time, padding).length <= 8 && Number(time) <= maxTimeMs && isTold;
    })
  );
}

function isNan(bits: bigint): boolean {
  return BigInt.asUintN(63, bits) > 0x7ff0_0000_0000_0000n;
}

function sampleField({ bits, time, padding }: PlainSample): Uint8Array {
  const value = bits === undefined ? [] : [fixed64Field(1, bits)];
  const room = 10 - varint(time).length;
  return bytesField(2, concat(...value, varintField(2, time, Math.min(padding, room))));
}

function seriesV1({ labels, samples }: PlainSeries): Uint8Array {
  const fields = labels.map(([name, value]) => bytesField(1, concat(bytesField(1, name), bytesField(2, value))));
  return bytesField(1, join([...fields, ...samples.map(sampleField)]));
}

/** A list of references that is no list of labels. */
const ODD_REFS: readonly ((refs: Uint8Array, count: number) => Uint8Array)[] = [
  (refs) => concat(refs, varint(1)),
  (refs, count) => concat(refs, varint(1), varint(count + 1_000)),
  (refs, count) => concat(varint(count + 1_000), varint(1), refs),
  (refs) => concat(refs, varint(1), varint(2n ** 32n + 1n)),
  (refs) => concat(refs, varint(2n ** 56n + 1n), varint(1)),
  (refs) => concat(refs, varint(-1), varint(1)),
  (refs) => concat(refs, varint(1), varint(0)),
  (refs) => concat(refs, varint(0), varint(1)),
];

interface PlainSeriesV2 {
  readonly series: PlainSeries;
  readonly table: Symbols;
  readonly random: Random;
  readonly metadata: PlainMetadata | undefined;
  readonly odd: number;
}

function seriesV2({ series, table, random, metadata, odd }: PlainSeriesV2): Uint8Array {
  const extra = () => (random() < 0.05 ? below(random, 4) : 0);
  const list = join(series.labels.flat().map((text) => varint(table.refOf(text), extra())));
  const refs = ODD_REFS[odd]?.(list, table.count) ?? list;
  return bytesField(
    5,
    concat(
      bytesField(1, refs, extra()),
      join(series.samples.map(sampleField)),
      metadata ? bytesField(5, metadata.fields) : new Uint8Array(0),
    ),
    extra(),
  );
}

const LARGE_NUMBERS = [2n ** 31n, 2n ** 32n - 1n, 2n ** 32n + 1n, 2n ** 63n];
const HELP_TEXTS = ['', 'help', 'other help', 'with "quotes"', 'ü', 'x'.repeat(300)];

function metadataOf(random: Random, table: Symbols): PlainMetadata {
  const fields: Uint8Array[] = [];
  const ref = () => table.refOf(new TextEncoder().encode(pick(random, HELP_TEXTS)));
  // As many as make the length of the message take two bytes, as no sender does it.
  const count = random() < 0.03 ? 40 + below(random, 30) : below(random, 4);
  for (let field = 0; field < count; field++) {
    const number = pick(random, [1, 3, 4]);
    // A type that there is not, and a reference to nothing.
    const other = random() < 0.1 ? pick(random, [9, 127, 128, 300, 2 ** 20, 2 ** 31 - 1]) : undefined;
    fields.push(varintField(number, other ?? (number === 1 ? below(random, 9) : ref())));
  }
  if (random() < 0.95) return { fields: join(fields), isTaken: join(fields).length < 128 };
  const odd = random() < 0.5 ? varintField(2, 1) : varintField(pick(random, [1, 3, 4]), pick(random, LARGE_NUMBERS));
  return { fields: join(random() < 0.5 ? [...fields, odd] : [odd, ...fields]), isTaken: false };
}

/** Some more than are used, and some twice, as no sender does it. */
class Symbols {
  readonly #random: Random;
  readonly #texts: Uint8Array[] = [new Uint8Array(0)];
  readonly #refs = new Map([['', 0]]);

  constructor(random: Random) {
    this.#random = random;
    // References of one, two and three bytes.
    const unused = pick(random, [0, 0, 0, 120, 127, 128, 200, 16_380]);
    if (unused < 1_000 || random() < 0.02)
      for (let index = 0; index < unused; index++) this.#texts.push(Uint8Array.of(0x22));
  }

  get count(): number {
    return this.#texts.length;
  }

  refOf(text: Uint8Array): number {
    const key = Buffer.from(text).toString('latin1');
    const known = this.#refs.get(key);
    if (known !== undefined && (known === 0 || this.#random() < 0.97)) return known;
    this.#refs.set(key, this.#texts.length);
    return this.#texts.push(text) - 1;
  }

  fields(): Uint8Array[] {
    return this.#texts.map((text) => bytesField(4, text));
  }
}
