import { PARTITION_KEY_CHARS, type PutBodyOptions, type StreamField } from '../../src/sinks/aws_put_body.ts';
import type { Batch, Span } from '../../src/sinks/sink.ts';

const OPEN = pairsOf('{"Data": "');
const KEY = pairsOf('","PartitionKey":"');
const CLOSE = pairsOf('"}, ');
const LAST_CLOSE = '"}]}';

const BASE64 = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/');
/** Two base64 characters by the 12 bits they stand for. */
const BASE64_PAIRS = pairsOf(BASE64.flatMap((high) => BASE64.map((low) => high + low)).join(''));
/** A base64 character and a padding sign, by the 6 bits that it stands for. */
const BASE64_PADDED = pairsOf(BASE64.map((digit) => `${digit}=`).join(''));
const PADDING = pairsOf('==')[0]!;
/** Two hexadecimal characters by their byte. */
const HEX_PAIRS = pairsOf(Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0')).join(''));

/** The body of a call, byte for byte as src/sinks/aws_put_body.ts has WebAssembly write it. */
export function plainPutBody(stream: StreamField, batch: Batch, { partitionKeys }: PutBodyOptions): Uint8Array {
  const text = `${JSON.stringify(stream).slice(0, -1)},"Records":[`;
  const head = Buffer.from(text.length % 2 === 0 ? text : `${text} `);

  const pairsPerRecord = OPEN.length + (partitionKeys ? KEY.length + PARTITION_KEY_CHARS / 2 : 0) + CLOSE.length;
  const size = batch.reduce((sum, span) => sum + encodedBytes(span, 2 * pairsPerRecord), head.length);
  const out = new Uint16Array(size / 2);
  const bytes = new Uint8Array(out.buffer);
  bytes.set(head);
  let pos = head.length / 2;
  for (const span of batch) pos = writeRecords(span, { out, pos, partitionKeys });
  bytes.set(Buffer.from(LAST_CLOSE), size - LAST_CLOSE.length);
  return bytes;
}

function encodedBytes({ lines: { ends }, from, to }: Span, bytesPerRecord: number): number {
  let size = (to - from) * bytesPerRecord;
  let start = from === 0 ? 0 : ends[from - 1]!;
  for (let index = from; index < to; index++) {
    const end = ends[index]!;
    size += 4 * Math.ceil((end - start) / 3);
    start = end;
  }
  return size;
}

/**
 * Writes a span's records, each with a comma behind it, from the pair `pos` on.
 *
 * @returns where the next pair goes
 */
function writeRecords(
  { lines, from, to }: Span,
  { out, pos, partitionKeys }: PutBodyOptions & { readonly out: Uint16Array; pos: number },
): number {
  const { bytes, ends, hashes } = lines;
  let start = from === 0 ? 0 : ends[from - 1]!;
  for (let index = from; index < to; index++) {
    const end = ends[index]!;
    for (const pair of OPEN) out[pos++] = pair;
    const whole = end - ((end - start) % 3);
    for (let at = start; at < whole; at += 3) {
      const middle = bytes[at + 1]!;
      out[pos++] = BASE64_PAIRS[(bytes[at]! << 4) | (middle >> 4)]!;
      out[pos++] = BASE64_PAIRS[((middle & 0xf) << 8) | bytes[at + 2]!]!;
    }
    if (whole < end) {
      const last = whole + 1 < end ? bytes[whole + 1]! : 0;
      out[pos++] = BASE64_PAIRS[(bytes[whole]! << 4) | (last >> 4)]!;
      out[pos++] = whole + 1 < end ? BASE64_PADDED[(last & 0xf) << 2]! : PADDING;
    }
    if (partitionKeys) {
      for (const pair of KEY) out[pos++] = pair;
      const hash = hashes[index]!;
      out[pos++] = HEX_PAIRS[hash >>> 24]!;
      out[pos++] = HEX_PAIRS[(hash >>> 16) & 0xff]!;
      out[pos++] = HEX_PAIRS[(hash >>> 8) & 0xff]!;
      out[pos++] = HEX_PAIRS[hash & 0xff]!;
    }
    for (const pair of CLOSE) out[pos++] = pair;
    start = end;
  }
  return pos;
}

/** An ASCII text of even length as pairs of characters, in the machine's own byte order. */
function pairsOf(text: string): Uint16Array {
  return new Uint16Array(new TextEncoder().encode(text).buffer);
}
