import { bitsOf, ORDINARY_NAN, STALE_NAN } from '../../src/record.ts';

/*
 * Series as nearly all are, at every edge of what that is: seeded, so that millions of them can be tried in little time.
 */

export type Random = () => number;

/** Labels in the order in which they are sent. */
export interface PlainSeries {
  readonly labels: readonly PlainLabel[];
  readonly samples: readonly PlainSample[];
}
export type PlainLabel = readonly [name: Uint8Array, value: Uint8Array];
export interface PlainSample {
  /** Undefined where it is not sent, which is 0. */
  readonly bits: bigint | undefined;
  readonly time: bigint;
  /** How many bytes that carry nothing the time has. */
  readonly padding: number;
}

export function below(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}

export function pick<Item>(random: Random, items: readonly Item[]): Item {
  return items[below(random, items.length)]!;
}

/** Around every length of which the kernel moves or hashes something else. */
const LENGTHS = [4, 8, 12, 16, 20, 24, 28, 32, 48, 64].flatMap((length) => [length - 1, length, length + 1]);
/** The longest that a name and a value of remote write 1.0 may be together so that the length of the label takes one byte. */
const LABEL_BYTES = 127 - 4;
/** What JSON writes as it is, mostly at the edges of that. */
const PLAIN_BYTES = [0x20, 0x21, 0x23, 0x5b, 0x5d, 0x7f, 0x2f, 0x30, 0x41, 0x5f, 0x61];
/** The first and the last of each row of RFC 3629's table of UTF-8. */
const FOREIGN_CHARACTERS = [
  '\u0080',
  '\u07ff',
  '\u0800',
  '\u0fff',
  '\ud7ff',
  '\ue000',
  '\uffff',
  '\u{10000}',
  '\u{10ffff}',
];
const SPECIAL_BYTES = [0x00, 0x1f, 0x22, 0x5c, 0x80, 0xff];

function plainText(random: Random, length: number): Uint8Array {
  const text = Uint8Array.from({ length }, () => pick(random, PLAIN_BYTES));
  const character = Buffer.from(pick(random, FOREIGN_CHARACTERS));
  if (random() < 0.1 && length >= character.length) text.set(character, below(random, length - character.length + 1));
  return text;
}

function lengthOf(random: Random, most: number): number {
  return Math.min(most, random() < 0.7 ? pick(random, LENGTHS) : 1 + below(random, 130));
}

const METRIC_NAME = new TextEncoder().encode('__name__');
/** Not the metric's name, but nearly so. */
const NEAR_METRIC_NAMES = ['__name_', '__name_^', '__name_`', '__name__0', '_', '__nam_'].map((text) =>
  new TextEncoder().encode(text),
);

/** Sorted and plain but for one series in ten, or so. */
export function plainSeries(random: Random): PlainSeries {
  const labels = sortedLabels(random, random() < 0.02 ? 124 + below(random, 7) : 1 + below(random, 7));
  const oddity = below(random, 130);
  if (oddity < ODDITIES.length) ODDITIES[oddity]!(labels, random);
  return { labels, samples: samplesOf(random) };
}

function sortedLabels(random: Random, count: number): PlainLabel[] {
  const names = new Map<string, Uint8Array>([['__name__', METRIC_NAME]]);
  // A name of few letters is often the start of another.
  for (let tries = 0; names.size < count && tries < 1000; tries++) {
    const name = random() < 0.05 ? pick(random, NEAR_METRIC_NAMES) : plainText(random, lengthOf(random, 60));
    names.set(Buffer.from(name).toString('latin1'), name);
  }
  return [...names]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([, name]) => [name, plainText(random, lengthOf(random, LABEL_BYTES - name.length))]);
}

/** What a series may have that makes it one of those that the kernel leaves. */
const ODDITIES: readonly ((labels: PlainLabel[], random: Random) => void)[] = [
  (labels) => labels.reverse(),
  (labels, random) => labels.push(pick(random, labels)),
  (labels, random) => labels.splice(below(random, labels.length), 0, [METRIC_NAME, plainText(random, 3)]),
  (labels) => labels.splice(0, labels.length, ...labels.filter(([name]) => name !== METRIC_NAME)),
  (labels) => (labels.length = 0),
  (labels, random) => change(labels, random, ([name]) => [name, new Uint8Array(0)]),
  (labels, random) => change(labels, random, ([, value]) => [new Uint8Array(0), value]),
  (labels, random) => change(labels, random, ([name, value]) => [name, special(random, value)]),
  (labels, random) => change(labels, random, ([name, value]) => [special(random, name), value]),
  (labels, random) => change(labels, random, ([name]) => [name, plainText(random, LABEL_BYTES + 1 - name.length)]),
  (labels, random) => change(labels, random, ([name]) => [name, plainText(random, 100 + below(random, 200))]),
];

function change(labels: PlainLabel[], random: Random, changed: (label: PlainLabel) => PlainLabel): void {
  const index = below(random, labels.length);
  labels[index] = changed(labels[index]!);
}

function special(random: Random, text: Uint8Array): Uint8Array {
  const copy = text.slice();
  copy[below(random, copy.length)] = pick(random, SPECIAL_BYTES);
  return copy;
}

function samplesOf(random: Random): PlainSample[] {
  const share = random();
  const count = share < 0.02 ? 0 : share < 0.04 ? below(random, 300) : 1 + below(random, 4);
  const first = timeOf(random);
  return Array.from({ length: count }, () => ({
    bits: valueBits(random),
    time: random() < 0.6 ? first : timeOf(random),
    padding: random() < 0.02 ? below(random, 3) : 0,
  }));
}

/** Where the digits of a time change, or its bytes, or what is done about it. */
const TIMES = [0n, 1n, 999n, 1_000n, 999_999n, 1_000_000n, 999_999_999n, 1_000_000_000n, 10n ** 16n, 10n ** 15n]
  .concat([2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 49n - 1n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n])
  .concat([2n ** 56n - 1n]);
const LEFT_TIMES = [2n ** 56n, 2n ** 63n - 1n, 2n ** 64n - 1n, 2n ** 63n];

function timeOf(random: Random): bigint {
  const share = random();
  if (share < 0.003) return pick(random, LEFT_TIMES);
  if (share < 0.2) return pick(random, TIMES);
  if (share < 0.3) return BigInt(Math.floor(2 ** (random() * 53)));
  return 1_700_000_000_000n + BigInt(below(random, 100_000_000));
}

const word = (random: Random) => BigInt(below(random, 2 ** 32));
const sign = (random: Random) => (random() < 0.3 ? -1 : 1);
const powerOfTen = (random: Random, least: number, most: number) =>
  Number(`1e${least + below(random, most - least + 1)}`);
const EDGES = [1e-7, 1e-6, 1e6, 1e12, 1e21, 2 ** 53, 0.5, 1e-300];
const SPECIAL_VALUES = [bitsOf(0), bitsOf(-0), bitsOf(Infinity), bitsOf(-Infinity), STALE_NAN, ORDINARY_NAN, undefined];

/** Every class of doubles. */
const VALUES: readonly ((random: Random) => bigint | undefined)[] = [
  (random) => pick(random, SPECIAL_VALUES),
  (random) => bitsOf(sign(random) * below(random, 2000)),
  (random) => bitsOf(sign(random) * Math.floor(2 ** (random() * 54))),
  (random) => bitsOf(sign(random) * (powerOfTen(random, 0, 17) + below(random, 5) - 2)),
  // A decimal of up to 15 digits, of any magnitude.
  (random) => bitsOf(Number(`${sign(random) * below(random, powerOfTen(random, 1, 15))}e${below(random, 32) - 16}`)),
  (random) => bitsOf((sign(random) * below(random, 1e6)) / powerOfTen(random, 1, 10)),
  // Neighbours of where it is written otherwise.
  (random) => bitsOf(sign(random) * pick(random, EDGES)) + BigInt(below(random, 5) - 2),
  (random) => bitsOf(sign(random) * random() * powerOfTen(random, -8, 22)),
  (random) => notNan((word(random) << 32n) | word(random)),
];

function notNan(bits: bigint): bigint {
  return (bits & 0x7ff0_0000_0000_0000n) === 0x7ff0_0000_0000_0000n ? bits & 0xffffn : bits;
}

function valueBits(random: Random): bigint | undefined {
  // One that the kernel leaves: a NaN whose bits have to be told.
  if (random() < 0.002) return 0x7ff8_0000_0000_0000n | (word(random) << 4n);
  return pick(random, VALUES)(random);
}
