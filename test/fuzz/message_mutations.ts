import { bitsOf, ORDINARY_NAN, STALE_NAN } from '../../src/record.ts';
import { below, pick, type Random } from '../support/plain_series.ts';
import { fixed64, varint, WIRE_TYPE } from '../support/protobuf_writer.ts';
import { cloneFields, writeFields, type Field } from './message_tree.ts';

/** A field and the message that it stands in. */
interface Place {
  readonly list: Field[];
  readonly index: number;
  readonly field: Field;
}

type Mutation = (place: Place, random: Random, others: readonly Field[]) => void;

const SPECIAL_VARINTS = [0n, 1n, 127n, 128n, 2n ** 31n - 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n + 1n]
  .concat([2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n])
  .map((value) => varint(value));
const SPECIAL_DOUBLES = [0n, bitsOf(-0), bitsOf(1), bitsOf(-1), bitsOf(Infinity), bitsOf(-Infinity), STALE_NAN]
  .concat([ORDINARY_NAN, 0xfff8_0000_dead_beefn, bitsOf(5e-324), bitsOf(Number.MAX_VALUE)])
  .map(fixed64);
const TEXTS = [
  new Uint8Array(0),
  Uint8Array.of(0),
  Uint8Array.of(0xff),
  // Surrogates, alone; longer than they need be; past the last character; cut off.
  Uint8Array.of(0xed, 0xa0, 0x80),
  Uint8Array.of(0x61, 0xed, 0xbf, 0xbf),
  Uint8Array.of(0xc0, 0x80),
  Uint8Array.of(0xf4, 0x90, 0x80, 0x80),
  Uint8Array.of(0x61, 0xe2, 0x82),
  Buffer.from('__name__'),
  Buffer.from('"\\\n\u2028\u{10ffff}\ufeff'),
  Buffer.from('__proto__'),
  Buffer.from('{"name":"x"}\n{"name":"y"}'),
];
/** What a length may say that is not so: past all ends, of too many bits or bytes, cut off. */
const LENGTHS = [
  varint(2 ** 31 - 1),
  varint(2 ** 31),
  varint(2 ** 32 - 1),
  varint(2n ** 63n),
  varint(2n ** 64n - 1n),
  varint(1, 4),
  varint(0, 9),
  Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01),
  Uint8Array.of(0x80),
];
const FIELD_NUMBERS = [0, 1, 2, 3, 4, 5, 6, 8, 9, 11, 12, 15, 16, 17, 18, 100, 2 ** 28, 2 ** 29 - 1, 2 ** 29, 2 ** 32];
/** Seldom many: each is a line or more. */
const REPEATS = [2, 2, 2, 3, 10, 100];

function contentBytes({ content }: Field): Buffer {
  return Array.isArray(content) ? writeFields(content) : Buffer.from(content);
}

function randomBytes(random: Random, most: number): Uint8Array {
  return Uint8Array.from({ length: below(random, most) }, () => below(random, 256));
}

/** Bits turned, bytes overwritten, taken away or put in. */
export function bendBytes(bytes: Uint8Array, random: Random): Uint8Array {
  if (bytes.length === 0) return randomBytes(random, 8);
  const copy = Uint8Array.from(bytes);
  const at = below(random, copy.length);
  switch (below(random, 5)) {
    case 0:
      copy[at]! ^= 1 << below(random, 8);
      return copy;
    case 1:
      copy.set(randomBytes(random, Math.min(8, copy.length - at + 1)), at);
      return copy;
    case 2:
      return copy.subarray(0, at);
    case 3:
      return Buffer.concat([copy.subarray(0, at), copy.subarray(Math.min(copy.length, at + 1 + below(random, 8)))]);
    default:
      return Buffer.concat([copy.subarray(0, at), randomBytes(random, 9), copy.subarray(at)]);
  }
}

const remove: Mutation = ({ list, index }) => list.splice(index, 1);

const repeat: Mutation = ({ list, index, field }, random) => {
  const copies = Array.from({ length: pick(random, REPEATS) - 1 }, () => cloneFields([field])[0]!);
  list.splice(index, 0, ...copies);
};

const swap: Mutation = ({ list, index }, random) => {
  const other = below(random, list.length);
  [list[index], list[other]] = [list[other]!, list[index]!];
};

const transplant: Mutation = ({ list, index }, random, others) => {
  const places = placesOf(cloneFields(others));
  if (places.length > 0) list.splice(index, below(random, 2), pick(random, places).field);
};

const renumber: Mutation = ({ field }, random) => {
  field.number = pick(random, FIELD_NUMBERS);
};

/** The bytes stay as they are, and are to be read as something else. */
const retype: Mutation = ({ field }, random) => {
  if (Array.isArray(field.content)) field.content = writeFields(field.content);
  field.wireType = below(random, 8);
};

const lieAboutLength: Mutation = ({ field }, random) => {
  const { length } = contentBytes(field);
  field.wireType = WIRE_TYPE.bytes;
  const near = [length - 1, length + 1, length + 100].filter((value) => value >= 0).map((value) => varint(value));
  field.length = pick(random, random() < 0.5 ? near : LENGTHS);
};

/** A message within a message, a group around it, or groups within groups up to past the bound. */
const nest: Mutation = ({ list, index, field }, random) => {
  const depth = pick(random, [1, 1, 2, 99, 101, 150]);
  const wireType = pick(random, [WIRE_TYPE.bytes, WIRE_TYPE.startGroup]);
  let nested = field;
  for (let level = 0; level < depth; level++) {
    nested = {
      number: level === depth - 1 ? field.number : pick(random, FIELD_NUMBERS),
      wireType,
      holds: 'unknown',
      content: [nested],
    };
  }
  list[index] = nested;
};

const insertUnknown: Mutation = ({ list, index }, random) => {
  const wireType = below(random, 8);
  const content = randomBytes(random, 12);
  list.splice(index, 0, { number: pick(random, FIELD_NUMBERS), wireType, holds: 'unknown', content });
};

const bend: Mutation = ({ field }, random) => {
  field.content = bendBytes(contentBytes(field), random);
};

/** Packed numbers one by one, or a number as a packed run. */
const unpack: Mutation = ({ list, index, field }, random) => {
  const bytes = contentBytes(field);
  if (field.wireType !== WIRE_TYPE.bytes) {
    list[index] = { ...field, wireType: WIRE_TYPE.bytes, content: Buffer.concat([bytes, bytes]) };
    return;
  }
  const wireType = field.holds === 'doubles' ? WIRE_TYPE.fixed64 : WIRE_TYPE.varint;
  const width = field.holds === 'doubles' ? 8 : 1 + below(random, 2);
  const numbers: Field[] = [];
  for (let at = 0; at < Math.min(bytes.length, 64); at += width) {
    numbers.push({ ...field, wireType, content: bytes.subarray(at, at + width) });
  }
  list.splice(index, 1, ...numbers);
};

/** What has a meaning of its own in its place: extreme numbers, texts that are none, references to nothing. */
const special: Mutation = ({ field }, random) => {
  const bytes = contentBytes(field);
  if (field.holds === 'varint') field.content = pick(random, SPECIAL_VARINTS);
  else if (field.holds === 'double') field.content = pick(random, SPECIAL_DOUBLES);
  else if (field.holds === 'text') field.content = textOf(random, bytes);
  else if (field.holds === 'doubles') field.content = Buffer.concat([bytes, pick(random, SPECIAL_DOUBLES)]);
  else if (field.holds === 'varints') {
    const at = below(random, bytes.length + 1);
    field.content = Buffer.concat([bytes.subarray(0, at), pick(random, SPECIAL_VARINTS), bytes.subarray(at)]);
  } else field.content = randomBytes(random, 20);
};

function textOf(random: Random, bytes: Buffer): Uint8Array {
  const share = random();
  if (share < 0.02) return Buffer.alloc(1 << (8 + below(random, 9)), pick(random, [0, 0x61, 0x22, 0xff]));
  if (share < 0.4) return pick(random, TEXTS);
  const at = below(random, bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, at), pick(random, TEXTS), bytes.subarray(at)]);
}

const MUTATIONS: readonly Mutation[] = [
  remove,
  repeat,
  swap,
  transplant,
  renumber,
  retype,
  lieAboutLength,
  nest,
  insertUnknown,
  bend,
  unpack,
  ...Array.from({ length: 6 }, () => special),
];

function placesOf(fields: Field[], found: Place[] = []): Place[] {
  fields.forEach((field, index) => {
    found.push({ list: fields, index, field });
    if (Array.isArray(field.content)) placesOf(field.content, found);
  });
  return found;
}

/** Bends a message in a few places. `others` are those of another one, of which parts may be taken. */
export function bendMessage(fields: readonly Field[], others: readonly Field[], random: Random): Uint8Array {
  const bent = cloneFields(fields);
  const count = pick(random, [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 8]);
  for (let done = 0; done < count; done++) {
    const places = placesOf(bent);
    if (places.length === 0) break;
    pick(random, MUTATIONS)(pick(random, places), random, others);
  }
  const bytes = writeFields(bent);
  return random() < 0.06 ? bendBytes(bytes, random) : bytes;
}
