/** Of https://webassembly.github.io/spec/core/binary/modules.html#data-section */
const DATA_SECTION = 11;
const I32_CONST = 0x41;
const END = 0x0b;
const PREFACE_BYTES = 8;

/**
 * Where a module lays down data in its memory.
 *
 * @param module in base64
 */
export function dataSegmentsOf(module: string): { readonly from: number; readonly to: number }[] {
  const bytes = Buffer.from(module, 'base64');
  let at = PREFACE_BYTES;
  /** LEB128; what is read here is less than 2 ** 28. */
  const next = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const expectNext = (expected: number) => {
    if (next() !== expected) throw new Error(`the module has something else than ${expected} before byte ${at}`);
  };
  while (at < bytes.length) {
    const section = next();
    const length = next();
    if (section !== DATA_SECTION) {
      at += length;
      continue;
    }
    return Array.from({ length: next() }, () => {
      // Of the memory that there is, and at a constant place.
      expectNext(0);
      expectNext(I32_CONST);
      const from = next();
      expectNext(END);
      const size = next();
      at += size;
      return { from, to: from + size };
    });
  }
  return [];
}
