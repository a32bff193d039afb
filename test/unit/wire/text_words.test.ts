import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hashText, isSpecial, lastWord, markSpecial } from '../../../src/wire/text_words.ts';

function isEscaped(byte: number): boolean {
  return byte >= 0x80 || JSON.stringify(String.fromCharCode(byte)).length > 3;
}

test('a word is special when one of its bytes is, whatever the others are', () => {
  const neighbours = [0x20, 0x21, 0x23, 0x5b, 0x5d, 0x7f];
  for (let place = 0; place < 32; place += 8) {
    for (let byte = 0; byte < 256; byte++) {
      for (const other of neighbours) {
        const others = (other * 0x0101_0101) & ~(0xff << place);
        expect(isSpecial(markSpecial(others | (byte << place))), `${byte} at ${place} beside ${other}`).toBe(
          isEscaped(byte),
        );
      }
    }
  }
});

test('any word', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 4, maxLength: 4 }), (bytes) => {
      expect(isSpecial(markSpecial(new DataView(bytes.buffer).getInt32(0, true)))).toBe(bytes.some(isEscaped));
    }),
    { numRuns: 5000 },
  );
});

/** A text as it stands in a message: behind at least four bytes. */
function placed(text: Uint8Array, fill: number): { view: DataView; from: number; to: number } {
  const bytes = new Uint8Array(4 + text.length + 4).fill(fill);
  bytes.set(text, 4);
  return { view: new DataView(bytes.buffer), from: 4, to: 4 + text.length };
}

test('the hash of a text does not depend on what stands around it', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 20 }), fc.nat(255), fc.nat(255), (text, fill, otherFill) => {
      const [one, other] = [placed(text, fill), placed(text, otherFill)];
      expect(hashText(one.view, one.from, one.to)).toBe(hashText(other.view, other.from, other.to));
    }),
  );
});

test('texts have hashes of their own', () => {
  const texts = Array.from({ length: 20_000 }, (_, index) => `node_${index % 100}_${index}`);
  const hashes = texts.map((text) => {
    const { view, from, to } = placed(new TextEncoder().encode(text), 0);
    return hashText(view, from, to);
  });
  // 20,000 of 2^32 have 0.05 pairs in common on average.
  expect(new Set(hashes).size).toBeGreaterThan(texts.length - 3);
});

test('the last word is filled up with spaces', () => {
  const { view, from, to } = placed(new TextEncoder().encode('abcdef'), 0xff);
  expect(lastWord(view, from + 4, to)).toBe(0x2020_6665);
});
