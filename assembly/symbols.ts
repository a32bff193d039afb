import { MAX_SYMBOLS, REQUEST, REQUEST_BYTES, SYMBOLS, SYMBOL_BYTES } from './memory';
import { isPlain, textHash } from './text';
import { readVarint, varint } from './varint';

/*
 * The symbols of a remote write 2.0 request, each as where it starts and ends in the request, its hash, and its state, of 32 bits each:
 * src/wire/symbols.ts reads the first two.
 */

const SYMBOL: u8 = 0x22;
const SERIES: u8 = 0x2a;

/** Nothing is known of it yet but where it is: most symbols that are no labels are help texts. */
const UNSEEN: u32 = 0;
const PLAIN: u32 = 1;
/** Empty, or JSON does not write it as it is. */
const SPECIAL: u32 = 2;

let count: u32 = 0;

/**
 * Reads the symbols of a request that has nothing else besides series.
 *
 * @param most how many it may have
 * @returns how many it has; −1 where it is left to the caller
 */
export function readSymbols(end: usize, most: u32): i32 {
  let at = REQUEST;
  const requestEnd = REQUEST + end;
  count = 0;
  while (at < requestEnd) {
    const tag = load<u8>(at);
    const from = readVarint(at + 1);
    at = from + <usize>varint;
    if ((tag != SYMBOL && tag != SERIES) || from == 0 || varint > REQUEST_BYTES || at > requestEnd) return -1;
    if (tag == SERIES) continue;
    if (count == min(most, <u32>MAX_SYMBOLS)) return -1;
    const symbol = symbolOf(count++);
    store<u32>(symbol, <u32>(from - REQUEST));
    store<u32>(symbol, <u32>(at - REQUEST), 4);
    store<u32>(symbol, UNSEEN, 12);
  }
  return <i32>count;
}

@inline
export function symbolOf(ref: u32): usize {
  return SYMBOLS + SYMBOL_BYTES * ref;
}

/** Whether there is such a symbol, and JSON writes it as it is. */
@inline
export function isPlainSymbol(ref: u64): bool {
  if (ref >= count) return false;
  const state = load<u32>(symbolOf(<u32>ref), 12);
  return state == UNSEEN ? look(symbolOf(<u32>ref)) : state == PLAIN;
}

@inline
export function textOf(symbol: usize): usize {
  return REQUEST + load<u32>(symbol);
}

@inline
export function bytesOf(symbol: usize): usize {
  return load<u32>(symbol, 4) - load<u32>(symbol);
}

@inline
export function hashOf(symbol: usize): u32 {
  return load<u32>(symbol, 8);
}

function look(symbol: usize): bool {
  const bytes = bytesOf(symbol);
  const plain = bytes > 0 && isPlain(textOf(symbol), bytes);
  store<u32>(symbol, textHash, 8);
  store<u32>(symbol, plain ? PLAIN : SPECIAL, 12);
  return plain;
}
