import { BODY, REQUEST } from './memory';

/**
 * Decodes the snappy block in BODY to REQUEST, as src/wire/snappy.ts does, which see for the format.
 *
 * @param start where the elements begin, behind the declared length
 * @param length of the block
 * @returns `declared`, or another number where the block is not valid
 */
export function decodeSnappy(start: usize, length: usize, declared: usize): i32 {
  let read = BODY + start;
  const end = BODY + length;
  let write = REQUEST;
  const limit = REQUEST + declared;
  while (read < end) {
    const tag: u32 = load<u8>(read++);
    const type = tag & 3;
    let count: usize = (tag >>> 2) + 1;
    if (type == 0) {
      if (count > 60) {
        const extra = count - 60;
        if (read + extra > end) return -1;
        const word = load<u32>(read);
        count = <usize>(extra == 4 ? word : word & ((1 << (8 * <u32>extra)) - 1)) + 1;
        read += extra;
      }
      if (count == 0 || count > end - read || count > limit - write) return -1;
      let from = read;
      let to = write;
      read += count;
      write += count;
      do {
        v128.store(to, v128.load(from));
        to += 16;
        from += 16;
      } while (to < write);
      continue;
    }
    let offset: usize;
    if (type == 1) {
      if (read >= end) return -1;
      count = ((tag >>> 2) & 7) + 4;
      offset = ((tag >>> 5) << 8) | load<u8>(read++);
    } else {
      const bytes: usize = type == 2 ? 2 : 4;
      if (read + bytes > end) return -1;
      offset = bytes == 2 ? load<u16>(read) : load<u32>(read);
      read += bytes;
    }
    if (offset == 0 || offset > write - REQUEST || count > limit - write) return -1;
    // A copy may overlap its own output, so it goes forwards, in steps that are not longer than its offset.
    let to = write;
    write += count;
    if (offset >= 16) {
      do {
        v128.store(to, v128.load(to - offset));
        to += 16;
      } while (to < write);
    } else if (offset >= 8) {
      do {
        store<u64>(to, load<u64>(to - offset));
        to += 8;
      } while (to < write);
    } else {
      do {
        store<u8>(to, load<u8>(to - offset));
        to++;
      } while (to < write);
    }
  }
  return <i32>(write - REQUEST);
}
