import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isUtf8, MAX_ESCAPE, writeEscaped } from '../../../src/write/json_string.ts';
import { unicodeText } from '../../support/arbitrary_values.ts';

const encoder = new TextEncoder();

test('the escapes are those of JSON.stringify', () => {
  const characters = Array.from({ length: 0x800 }, (_, code) => String.fromCharCode(code)).join('');
  fc.assert(
    fc.property(unicodeText(), (text) => {
      const source = encoder.encode(`before${text}behind`);
      const target = new Uint8Array(2 + MAX_ESCAPE * source.length).fill(0xee);
      const from = encoder.encode('before').length;
      const to = source.length - from;
      const end = writeEscaped(source, { from, to, target, pos: 2 });
      expect(Buffer.from(target.subarray(2, end)).toString()).toBe(JSON.stringify(text).slice(1, -1));
    }),
    { examples: [[characters]] },
  );
});

test('UTF-8 is what the platform takes for it', () => {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const leads = fc.constantFrom(
    0x00,
    0x7f,
    0x80,
    0xbf,
    0xc0,
    0xc1,
    0xc2,
    0xdf,
    0xe0,
    0xe1,
    0xec,
    0xed,
    0xee,
    0xef,
    0xf0,
    0xf1,
    0xf3,
    0xf4,
    0xf5,
    0xff,
  );
  const rest = fc.constantFrom(0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0);
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 5 }),
    fc.tuple(leads, rest, rest, rest).map((all) => Uint8Array.from(all)),
    fc
      .tuple(leads, fc.array(rest, { maxLength: 4 }), leads)
      .map(([lead, middle, last]) => Uint8Array.of(lead, ...middle, last)),
  );
  fc.assert(
    fc.property(bytes, (source) => {
      let isValid = true;
      try {
        decoder.decode(source);
      } catch {
        isValid = false;
      }
      expect(isUtf8(source, 0, source.length)).toBe(isValid);
      const target = new Uint8Array(MAX_ESCAPE * source.length);
      expect(writeEscaped(source, { from: 0, to: source.length, target, pos: 0 }) >= 0).toBe(isValid);
    }),
    { numRuns: 5000 },
  );
});
