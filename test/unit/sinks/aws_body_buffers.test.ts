import { expect, test } from 'vitest';
import { BodyBuffers } from '../../../src/sinks/aws_body_buffers.ts';

test('a buffer is used again when it was given back, and only then', () => {
  const buffers = new BodyBuffers(2);
  const first = buffers.take(100_000);
  expect(first.length).toBe(100_000);
  const second = buffers.take(100_000);
  expect(second.buffer).not.toBe(first.buffer);
  buffers.giveBack(first);
  const third = buffers.take(90_000);
  expect(third.length).toBe(90_000);
  expect(third.buffer).toBe(first.buffer);
  expect(buffers.take(90_000).buffer).not.toBe(first.buffer);
});

test('a body that is longer gets a buffer that holds it', () => {
  const buffers = new BodyBuffers(2);
  const short = buffers.take(10);
  buffers.giveBack(short);
  const long = buffers.take(short.buffer.byteLength + 1);
  expect(long.length).toBe(short.buffer.byteLength + 1);
  expect(long.buffer).not.toBe(short.buffer);
});

test('no more are held than calls may be under way, and none that is large', () => {
  const buffers = new BodyBuffers(1);
  const [one, other] = [buffers.take(10), buffers.take(10)];
  buffers.giveBack(one);
  buffers.giveBack(other);
  expect(buffers.take(10).buffer).toBe(one.buffer);
  expect(buffers.take(10).buffer).not.toBe(other.buffer);

  const large = buffers.take(1024 ** 2);
  buffers.giveBack(large);
  expect(buffers.take(1024 ** 2).buffer).not.toBe(large.buffer);
});
