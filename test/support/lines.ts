import { gunzipSync } from 'node:zlib';
import type { Lines } from '../../src/record.ts';
import type { Batch } from '../../src/sinks/sink.ts';

/** The lines of one request from their texts, which stand without their newlines. Every line is of another series unless told. */
export function linesOf(texts: readonly string[], hash: (index: number) => number = spread): Lines {
  const encoded = texts.map((text) => Buffer.from(`${text}\n`, 'utf8'));
  const ends = new Uint32Array(encoded.length);
  const hashes = new Uint32Array(encoded.length);
  let end = 0;
  encoded.forEach((line, index) => {
    end += line.length;
    ends[index] = end;
    hashes[index] = hash(index);
  });
  // Part of a larger buffer, so that whoever forgets byteOffset reads something else.
  const buffer = Buffer.concat([Buffer.from('before\n'), ...encoded, Buffer.from('after\n')]);
  return { bytes: new Uint8Array(buffer).subarray(7, 7 + end), ends, hashes };
}

/** Fibonacci hashing: neighbours land far apart in 32 bits. */
function spread(index: number): number {
  return Math.imul(index + 1, 0x9e3779b1) >>> 0;
}

/** A batch of one request's lines, all of them. */
export function batchOf(texts: readonly string[]): Batch {
  return [{ lines: linesOf(texts), from: 0, to: texts.length }];
}

/** The lines of a run of bytes, without their newlines. Fails where the bytes do not end with one or are no UTF-8. */
export function textsOf(bytes: Uint8Array): string[] {
  if (bytes.length === 0) return [];
  if (bytes.at(-1) !== 0x0a) throw new Error(`the last of ${bytes.length} bytes is no newline`);
  // ignoreBOM keeps a byte order mark where it stands.
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(0, -1)).split('\n');
}

/** The lines of a record, whatever its packing. */
export function textsOfRecord(data: Uint8Array): string[] {
  return textsOf(data[0] === 0x1f && data[1] === 0x8b ? gunzipSync(data) : data);
}
