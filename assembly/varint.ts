/** What readVarint read. */
export let varint: u64 = 0;

/** Reads a varint of up to eight bytes; returns the offset behind it, or 0 where it is longer. */
@inline
export function readVarint(at: usize): usize {
  let byte: u64 = load<u8>(at++);
  varint = byte;
  if (byte < 0x80) return at;
  varint &= 0x7f;
  for (let shift: u64 = 7; shift < 56; shift += 7) {
    byte = load<u8>(at++);
    varint |= (byte & 0x7f) << shift;
    if (byte < 0x80) return at;
  }
  return 0;
}
