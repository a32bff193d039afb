import { describe, expect, test } from 'vitest';
import { Gate } from '../../../src/write/gate.ts';

describe('admission by bytes', () => {
  test('refuses what does not fit and admits it once there is room', () => {
    const gate = new Gate(100);
    const first = gate.tryEnter(60)!;
    expect(gate.tryEnter(41)).toBeUndefined();
    const second = gate.tryEnter(40)!;
    expect(gate.heldBytes).toBe(100);
    first.release();
    expect(gate.heldBytes).toBe(40);
    expect(gate.tryEnter(60)).toBeDefined();
    second.release();
    expect(gate.heldBytes).toBe(60);
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
    const gate = new Gate(100);
    const first = gate.tryEnter(10)!;
    const second = gate.tryEnter(50)!;
    expect(first.roomBytes).toBe(50);
    expect(first.tryHold(51)).toBe(false);
    expect(gate.heldBytes).toBe(60);
    expect(first.tryHold(50)).toBe(true);
    expect(second.tryHold(20)).toBe(true);
    expect(gate.heldBytes).toBe(70);
  });

  test('knows whether a request is being read', () => {
    const gate = new Gate(100);
    expect(gate.isReading).toBe(false);
    const first = gate.tryEnter(1)!;
    const second = gate.tryEnter(1)!;
    first.endReading();
    first.endReading();
    expect(gate.isReading).toBe(true);
    second.release();
    expect(gate.isReading).toBe(false);
    first.release();
    expect(gate.isReading).toBe(false);
  });
});
