import { expect, test } from 'vitest';
import { hashMetadata, MetadataSet, REPEAT_AFTER_MS, type MetadataTexts } from '../../../src/write/metadata_set.ts';

const NOW = 1_795_167_566_368;

function metadata({ name = 'up', help = 'Help.', unit = '', type = 2 } = {}): MetadataTexts {
  const texts = [help, name, unit].map((text) => new TextEncoder().encode(text));
  // What stands before a text in a message: its tag and its length at least.
  const bytes = new Uint8Array(texts.reduce((sum, { length }) => sum + length + 4, 0));
  const offsets = new Int32Array(6);
  let at = 0;
  texts.forEach((text, index) => {
    at += 4;
    bytes.set(text, at);
    offsets[2 * index] = at;
    at += text.length;
    offsets[2 * index + 1] = at;
  });
  return { view: new DataView(bytes.buffer), offsets, type };
}

function setOf(families: readonly MetadataTexts[], maxBytes?: number, nowMs = NOW): MetadataSet {
  const set = new MetadataSet(maxBytes);
  for (const family of families) set.add(family, hashMetadata(family), nowMs);
  return set;
}

const has = (set: MetadataSet, texts: MetadataTexts, nowMs = NOW) => set.has(texts, hashMetadata(texts), nowMs);
const familiesOf = (count: number, help = 'x') =>
  Array.from({ length: count }, (_, index) => metadata({ name: `family_${index}`, help }));

test('is keyed by all four of name, type, help and unit', () => {
  const set = setOf([metadata()]);
  expect(has(set, metadata())).toBe(true);
  for (const other of [
    { name: 'down' },
    { name: 'upx' },
    { help: 'Help!' },
    { help: '' },
    { unit: 's' },
    { type: 1 },
  ]) {
    expect(has(set, metadata(other)), JSON.stringify(other)).toBe(false);
    expect(set.isNext(metadata(other), NOW), JSON.stringify(other)).toBe(false);
  }
  // The same bytes, cut elsewhere.
  expect(has(set, metadata({ name: 'u', help: 'Help.', unit: 'p' }))).toBe(false);
});

test('of two that share a hash, the later one is known, and the other is not taken for it', () => {
  const [one, other] = [metadata({ name: 'one' }), metadata({ name: 'two' })];
  const set = new MetadataSet();
  set.add(one, 7, NOW);
  set.add(other, 7, NOW);
  expect([set.has(one, 7, NOW), set.has(other, 7, NOW)]).toEqual([false, true]);
});

test('forgets after a while, so that it is written again', () => {
  const set = setOf([metadata()]);
  expect(has(set, metadata(), NOW + REPEAT_AFTER_MS - 1)).toBe(true);
  expect(has(set, metadata(), NOW + REPEAT_AFTER_MS)).toBe(false);
  const { memoryBytes } = set;
  set.add(metadata(), hashMetadata(metadata()), NOW + REPEAT_AFTER_MS);
  expect(has(set, metadata(), NOW + REPEAT_AFTER_MS + 1)).toBe(true);
  expect(set.memoryBytes).toBe(memoryBytes);
});

test('a clock that is set back silences nothing', () => {
  const set = setOf([metadata()]);
  expect(has(set, metadata(), NOW - 1)).toBe(false);
  expect(set.isNext(metadata(), NOW - 1)).toBe(false);
});

test('knows the next one of the same order without a hash', () => {
  const families = familiesOf(3);
  const set = setOf(families);
  for (let round = 0; round < 3; round++) {
    for (const family of families) expect(set.isNext(family, NOW)).toBe(true);
  }
  expect(set.isNext(families[1]!, NOW)).toBe(false);
  expect(has(set, families[1]!)).toBe(true);
  expect(set.isNext(families[2]!, NOW)).toBe(true);
});

test('grows, and keeps what it has', () => {
  const families = familiesOf(1000);
  const set = setOf(families);
  expect(families.every((family) => has(set, family))).toBe(true);
});

test('takes over what another set has', () => {
  const families = familiesOf(1000, 'Help of several words.');
  const set = setOf([metadata()]);
  set.addAll(setOf(families), NOW + 5, () => false).next();
  expect([...families, metadata()].every((family) => has(set, family, NOW + 5))).toBe(true);
  expect(has(set, families[0]!, NOW + 4 + REPEAT_AFTER_MS)).toBe(true);
  expect(has(set, metadata(), NOW + 4 + REPEAT_AFTER_MS)).toBe(false);
});

test('what does not fit is not known, and does not drive out what is; all is forgotten once in a while', () => {
  const maxBytes = 256 * 1024;
  const families = familiesOf(500, 'x'.repeat(1000));
  const set = setOf(families, maxBytes);
  expect(set.memoryBytes).toBeLessThan(maxBytes + 500 * 100);
  const known = families.filter((family) => has(set, family)).length;
  expect(known).toBeGreaterThan(200);
  for (let round = 0; round < 3; round++) {
    for (const family of families) if (!has(set, family)) set.add(family, hashMetadata(family), NOW + 1000);
  }
  expect(families.filter((family) => has(set, family, NOW + 1000)).length).toBe(known);

  // The last one that was found is no longer where it was.
  const nextHour = NOW + REPEAT_AFTER_MS;
  expect(set.isNext(families[0]!, NOW + 1000)).toBe(true);
  set.add(families.at(-1)!, hashMetadata(families.at(-1)!), nextHour);
  expect(has(set, families.at(-1)!, nextHour)).toBe(true);
  expect(set.isNext(families.at(-1)!, nextHour)).toBe(true);
  expect(families.filter((family) => has(set, family, nextHour)).length).toBe(1);
});

test('what is too large by itself is not kept', () => {
  const set = setOf([metadata()], 64 * 1024);
  const large = metadata({ help: 'x'.repeat(64 * 1024) });
  set.add(large, hashMetadata(large), NOW + REPEAT_AFTER_MS);
  expect(has(set, large, NOW + REPEAT_AFTER_MS)).toBe(false);
  expect(has(set, metadata())).toBe(true);
});
