import { MASKS } from './masks';

/*
 * The usual answer to a call: of each record that it was accepted. Anything else is left to the caller.
 */

/**
 * Counts entries of an answer, one behind the other with commas between, each of which is `<receipt>…"}` or `<receipt>…<other>…"}`: the first text is not
 * empty, and both are ASCII without escapes.
 *
 * @param receipt such as `{"SequenceNumber":"`, up to 32 bytes
 * @param other such as `","ShardId":"`, up to 32 bytes
 * @returns how many there are; −1 where anything else stands
 */
export function countEntries(
  at: usize,
  end: usize,
  receipt: usize,
  receiptBytes: usize,
  other: usize,
  otherBytes: usize,
): i32 {
  let count = 0;
  while (at + receiptBytes < end) {
    if (!isAt(at, receipt, receiptBytes)) return -1;
    const text = at + receiptBytes;
    let quote = endOfText(text, end);
    if (quote == 0 || quote == text) return -1;
    if (isAt(quote, other, otherBytes)) quote = endOfText(quote + otherBytes, end);
    // Behind a quote that is in front of the end, the end itself may be read.
    if (quote == 0 || load<u8>(quote, 1) != 0x7d) return -1;
    count++;
    at = quote + 2;
    if (at == end) return count;
    if (at > end || load<u8>(at) != 0x2c) return -1;
    at++;
  }
  return -1;
}

@inline
function isAt(at: usize, piece: usize, bytes: usize): bool {
  let different = v128.and(v128.xor(v128.load(at), v128.load(piece)), v128.load(MASKS + 16 - min<usize>(bytes, 16)));
  if (bytes > 16) {
    const rest = v128.xor(v128.load(at, 16), v128.load(piece, 16));
    different = v128.or(different, v128.and(rest, v128.load(MASKS + 32 - bytes)));
  }
  return !v128.any_true(different);
}

/** Where the quote is that ends a text; 0 where none does, or another character than ASCII without escapes stands before it. */
@inline
function endOfText(at: usize, end: usize): usize {
  for (; at < end; at += 16) {
    const text = v128.load(at);
    const special = v128.or(i8x16.eq(text, i8x16.splat(0x5c)), i8x16.lt_s(text, i8x16.splat(0x20)));
    const marks = i8x16.bitmask(v128.or(special, i8x16.eq(text, i8x16.splat(0x22))));
    if (marks == 0) continue;
    at += ctz(marks);
    return at < end && load<u8>(at) == 0x22 ? at : 0;
  }
  return 0;
}
