import { describe, expect, test } from 'vitest';
import { Gate, REQUEST_BYTES } from '../../../src/write/gate.ts';

describe('admission by bytes', () => {
  test('counts what a request holds, and refuses what says that it will hold more than there is room for', () => {
    const gate = new Gate(2 * REQUEST_BYTES + 100);
    const first = gate.tryEnter(60)!;
    expect(gate.heldBytes).toBe(REQUEST_BYTES);
    expect(first.tryHold(60)).toBe(true);
    expect(gate.tryEnter(41)).toBeUndefined();
    const second = gate.tryEnter(40)!;
    expect(gate.heldBytes).toBe(2 * REQUEST_BYTES + 60);
    first.release();
    expect(gate.heldBytes).toBe(REQUEST_BYTES);
    expect(gate.tryEnter(100)).toBeDefined();
    second.release();
    expect(gate.heldBytes).toBe(REQUEST_BYTES);
  });

  test('what a request says is not held before it comes', () => {
    const gate = new Gate(4 * REQUEST_BYTES);
    gate.tryEnter(2 * REQUEST_BYTES);
    expect(gate.tryEnter(2 * REQUEST_BYTES)).toBeDefined();
  });

  test('requests without a byte are not for nothing', () => {
    const gate = new Gate(3 * REQUEST_BYTES);
    expect([gate.tryEnter(0), gate.tryEnter(0), gate.tryEnter(0)]).not.toContain(undefined);
    expect(gate.tryEnter(0)).toBeUndefined();
  });

  test('a request alone in flight always fits', () => {
    const gate = new Gate(100);
    const pass = gate.tryEnter(1_000)!;
    expect(pass.roomBytes).toBe(Infinity);
    expect(pass.tryHold(2_000)).toBe(true);
    expect(gate.tryEnter(0)).toBeUndefined();
    pass.release();
    expect(gate.heldBytes).toBe(0);
  });

  test('a request may grow up to its room, and shrink at any time', () => {
    const gate = new Gate(2 * REQUEST_BYTES + 100);
    const first = gate.tryEnter(0)!;
    const second = gate.tryEnter(0)!;
    expect(second.tryHold(50)).toBe(true);
    expect(first.roomBytes).toBe(50);
    expect(first.tryHold(51)).toBe(false);
    expect(first.tryHold(50)).toBe(true);
    expect(second.tryHold(20)).toBe(true);
    expect(gate.heldBytes).toBe(2 * REQUEST_BYTES + 70);
  });

  test('knows how many requests are being read', () => {
    const gate = new Gate(4 * REQUEST_BYTES);
    expect(gate.reading).toBe(0);
    const first = gate.tryEnter(1)!;
    const second = gate.tryEnter(1)!;
    first.endReading();
    first.endReading();
    expect(gate.reading).toBe(1);
    second.release();
    expect(gate.reading).toBe(0);
    first.release();
    expect(gate.reading).toBe(0);
  });
});
