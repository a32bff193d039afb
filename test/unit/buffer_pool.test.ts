import { describe, expect, test } from 'vitest';
import { BufferPool } from '../../src/buffer_pool.ts';

const KIB = 1024;

describe('a pool of buffers', () => {
  test('gives a buffer that came back to the next who takes about as much', () => {
    const pool = new BufferPool();
    const buffer = pool.take(400 * KIB);
    const other = pool.take(400 * KIB);
    expect(other.buffer).not.toBe(buffer.buffer);
    pool.give(buffer.subarray(0, 7));
    const again = pool.take(390 * KIB);
    expect(again.buffer).toBe(buffer.buffer);
    expect(again.length).toBeGreaterThanOrEqual(390 * KIB);
    expect(pool.take(400 * KIB).buffer).not.toBe(buffer.buffer);
  });

  test('makes small ones as small as they are, and does not keep them', () => {
    const pool = new BufferPool();
    const small = pool.take(100);
    expect(small.buffer.byteLength).toBe(100);
    pool.give(small);
    expect(pool.take(100).buffer).not.toBe(small.buffer);
    expect(pool.take(0).length).toBe(0);
  });

  test('makes no more than few sizes, each at most an eighth too large', () => {
    const pool = new BufferPool();
    const sizes = new Set<number>();
    for (let bytes = 32 * KIB; bytes <= 4 * KIB * KIB; bytes += 1021) {
      const { length } = pool.take(bytes);
      expect(length).toBeGreaterThanOrEqual(bytes);
      expect(length).toBeLessThanOrEqual(bytes * 1.125 + 1);
      sizes.add(length);
    }
    expect(sizes.size).toBeLessThan(60);
  });

  test('makes room for other sizes than before', () => {
    const pool = new BufferPool();
    const old = Array.from({ length: 40 }, () => pool.take(KIB * KIB));
    for (const buffer of old) pool.give(buffer);
    const other = pool.take(600 * KIB);
    pool.give(other);
    expect(pool.take(600 * KIB).buffer).toBe(other.buffer);
  });

  test('keeps a bounded number of bytes, and none of what is large', () => {
    const pool = new BufferPool();
    const large = pool.take(5 * KIB * KIB);
    pool.give(large);
    expect(pool.take(5 * KIB * KIB).buffer).not.toBe(large.buffer);
    const many = Array.from({ length: 40 }, () => pool.take(KIB * KIB));
    for (const buffer of many) pool.give(buffer);
    const known = new Set(many.map(({ buffer }) => buffer));
    const again = Array.from({ length: 40 }, () => pool.take(KIB * KIB));
    expect(again.filter(({ buffer }) => known.has(buffer))).toHaveLength(32);
    expect(new Set(again.map(({ buffer }) => buffer)).size).toBe(40);
  });
});
