/*
 * Texts of a message, four bytes at a time: little-endian words of a view of the request. A text stands behind its tag and its length at least, so the
 * four bytes that end where it ends are always there.
 */

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const SIGN_BITS = 0x8080_8080;

/** A hash of a text; 0 for the empty one. */
export function hashText(view: DataView, from: number, to: number): number {
  let hash = 0;
  let at = from;
  for (; at + 4 <= to; at += 4) hash = hashWord(hash, view.getInt32(at, true));
  return at < to ? hashWord(hash, lastWord(view, at, to)) : hash;
}

/** One step of a hash like MurmurHash2: it multiplies, and brings the upper bits down again. */
export function hashWord(hash: number, word: number): number {
  const product = Math.imul(hash ^ word, 0x5bd1_e995);
  return product ^ (product >>> 15);
}

/** The finalizer of MurmurHash3: every bit of the hash changes about half of the bits, so any run of them picks a shard. */
export function spread(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  return mixed ^ (mixed >>> 16);
}

/** The last one to three bytes of a text, [at, to), as a word filled up with spaces. */
export function lastWord(view: DataView, at: number, to: number): number {
  const bits = 8 * (to - at);
  return (view.getInt32(to - 4, true) >>> (32 - bits)) | (0x2020_2020 << bits);
}

/**
 * Looks at four bytes at once for what JSON does not write as it is: control characters, quotes, backslashes and what is not ASCII. Results
 * for several words may be joined by OR before `isSpecial` tells whether there was one.
 *
 * A byte that is not ASCII has its sign bit set already. In the others a subtraction sets it where it borrows: XOR makes 0 of a backslash; it
 * swaps quote and space, so that the quote stands right behind the control characters and one subtraction finds both.
 */
export function markSpecial(word: number): number {
  return word | ((word ^ 0x5c5c_5c5c) - 0x0101_0101) | ((word ^ 0x0202_0202) - 0x2121_2121);
}

/** Whether marks are of words with such a byte. */
export function isSpecial(marks: number): boolean {
  return (marks & SIGN_BITS) !== 0;
}
