import { RequestError } from '../errors.ts';
import { viewOf } from './text_words.ts';

/** How deep messages and unknown groups may nest; protobufjs has the same bound. */
const MAX_DEPTH = 100;

/** No sender has groups; to step over one takes as long as to read it. */
const MAX_GROUP_BYTES = 8 * 1024 * 1024;

export const VARINT = 0;
export const FIXED64 = 1;
export const LENGTH_DELIMITED = 2;
const START_GROUP = 3;
const END_GROUP = 4;
const FIXED32 = 5;

/** A field's tag: its number times 8, plus its wire type. */
export function tagOf(fieldNumber: number, wireType: number): number {
  return fieldNumber * 8 + wireType;
}

/**
 * A cursor over protobuf's wire format (https://protobuf.dev/programming-guides/encoding/) that accepts exactly what protobufjs accepts. The
 * caller sets `end` to the end of the message that it reads; nothing is read past it.
 */
export class WireReader {
  bytes: Uint8Array = new Uint8Array(0);
  /** Of the bytes. */
  view = viewOf(this.bytes);
  pos = 0;
  end = 0;
  /** The two halves of the number that varint64 read, as signed 32-bit integers. */
  low = 0;
  high = 0;

  reset(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.view = viewOf(bytes);
    this.pos = 0;
    this.end = bytes.length;
  }

  /** Reads a tag. */
  tag(): number {
    const byte = this.pos < this.end ? this.bytes[this.pos]! : 0x80;
    if (byte < 0x80) {
      this.pos++;
      return byte;
    }
    return this.#varint32(0x0f);
  }

  /** Reads a length and checks that as many bytes are left. Returns the offset behind them. */
  lengthEnd(): number {
    const byte = this.pos < this.end ? this.bytes[this.pos]! : 0x80;
    let length = byte;
    if (byte < 0x80) this.pos++;
    else length = this.#varint32(0x07);
    const stop = this.pos + length;
    if (stop > this.end) throw truncated(this.pos);
    return stop;
  }

  /** Steps into the message whose length is next. Returns the end of the one around it, for the caller to set `end` to once it has read it all. */
  enter(): number {
    const outer = this.end;
    this.end = this.lengthEnd();
    return outer;
  }

  /** Reads a fixed64 or double: the offset of its 8 bytes. */
  fixed64(): number {
    const at = this.pos;
    this.#advance(8);
    return at;
  }

  /** Reads an int32, uint32 or enum, as a signed integer: of a longer varint its lower 32 bits. */
  int32(): number {
    const byte = this.pos < this.end ? this.bytes[this.pos]! : 0x80;
    if (byte < 0x80) {
      this.pos++;
      return byte;
    }
    this.varint64();
    return this.low;
  }

  /** Reads a sint32. */
  sint32(): number {
    const zigzag = this.int32();
    return (zigzag >>> 1) ^ -(zigzag & 1);
  }

  /** Reads a sint64 into `low` and `high`. */
  sint64(): void {
    this.varint64();
    const sign = -(this.low & 1);
    this.low = ((this.low >>> 1) | (this.high << 31)) ^ sign;
    this.high = (this.high >>> 1) ^ sign;
  }

  /** Reads a varint of at most 64 bits into `low` and `high`. */
  varint64(): void {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.pos >= this.end) throw truncated(this.pos);
      const byte = this.bytes[this.pos++]!;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 0x80) {
        this.low = low;
        this.high = high;
        return;
      }
    }
    throw invalid(`a varint of more than 10 bytes at byte ${this.pos}`);
  }

  /** Skips a field of no interest. `depth` is that of the message it stands in: 0 for the outermost. */
  skip(tag: number, depth: number): void {
    if (depth > MAX_DEPTH) throw invalid(`groups nested too deep at byte ${this.pos}`);
    if (tag >>> 3 === 0) throw invalid(`field number 0 at byte ${this.pos}`);
    switch (tag & 7) {
      case VARINT:
        do {
          if (this.pos >= this.end) throw truncated(this.pos);
        } while (this.bytes[this.pos++]! >= 0x80);
        return;
      case FIXED64:
        this.#advance(8);
        return;
      case LENGTH_DELIMITED:
        this.pos = this.lengthEnd();
        return;
      case START_GROUP:
        this.#skipGroup(tag, depth);
        return;
      case FIXED32:
        this.#advance(4);
        return;
      default:
        throw invalid(`wire type ${tag & 7} at byte ${this.pos}`);
    }
  }

  #skipGroup(start: number, depth: number): void {
    for (const from = this.pos; ;) {
      if (this.pos - from > MAX_GROUP_BYTES) throw invalid(`a group of more than ${MAX_GROUP_BYTES} bytes`);
      const tag = this.tag();
      if ((tag & 7) === END_GROUP) {
        if (tag >>> 3 !== start >>> 3) throw invalid(`a group's end without its start at byte ${this.pos}`);
        return;
      }
      this.skip(tag, depth + 1);
    }
  }

  #advance(count: number): void {
    if (this.pos + count > this.end) throw truncated(this.pos);
    this.pos += count;
  }

  /** @param maxFifthByte what the fifth byte may be: 15 for 32 bits, 7 for 31 */
  #varint32(maxFifthByte: number): number {
    let value = 0;
    for (let index = 0; index < 5; index++) {
      if (this.pos >= this.end) throw truncated(this.pos);
      const byte = this.bytes[this.pos++]!;
      if (index === 4 && byte > maxFifthByte) break;
      value |= (byte & 0x7f) << (7 * index);
      if (byte < 0x80) return value >>> 0;
    }
    throw invalid(`a tag or length out of range at byte ${this.pos}`);
  }
}

function truncated(position: number): RequestError {
  return invalid(`it is cut off at byte ${position}`);
}

function invalid(detail: string): RequestError {
  return new RequestError('invalid_protobuf', `the body is not a valid write request: ${detail}`);
}
