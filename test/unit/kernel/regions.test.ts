import { describe, expect, test } from 'vitest';
import { KERNEL_MODULE } from '../../../src/kernel/module.ts';
import { instantiate, type ModuleMemory } from '../../../src/kernel/web_assembly.ts';
import { SYMBOL_SLOTS } from '../../../src/wire/symbols.ts';
import { encodeSeries, seriesOfLine, type EncodedSeries } from '../../support/encoded_series.ts';
import { KernelAndAlone } from '../../support/kernel_and_alone.ts';
import { bytesField, concat } from '../../support/protobuf_writer.ts';
import { sample, time, valueOne } from '../../support/series.ts';
import { dataSegmentsOf } from '../../support/wasm_data.ts';

const both = new KernelAndAlone();
const { request, lines, ends, symbols } = both.kernel;
const MAX_SYMBOLS = symbols.length / SYMBOL_SLOTS;
/** Behind each of the regions for texts there is room for what is read and written along with them. */
const SPARE_BYTES = 64;

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);
const times = <Item>(count: number, item: Item): Item[] => new Array<Item>(count).fill(item);

test('no region has in it what the compiler laid down', () => {
  const started = instantiate(KERNEL_MODULE, { numbers: { writeShortestDouble: () => 0 } }) as {
    readonly memory: ModuleMemory;
    readonly start: () => number;
  };
  const registersAt = started.start();
  const [bodyAt] = new Uint32Array(started.memory.buffer, registersAt, 1);
  const segments = dataSegmentsOf(KERNEL_MODULE);
  expect(segments.length).toBeGreaterThan(0);
  // The body is the first of the regions, which have no end but that of the memory.
  expect(segments.filter(({ to }) => to > bodyAt!)).toEqual([]);
  expect(bodyAt).toBeGreaterThan(registersAt);
});

describe.each([1, 2] as const)('version %d', (version) => {
  /** A request of exactly so many bytes. */
  function requestOf(bytes: number): { request: Uint8Array; series: number } {
    const least = encodeSeries(1, [seriesOfLine(150)]).length;
    if (version === 1) {
      const series = Math.floor(bytes / least);
      const longer = bytes - series * least;
      const [one, other] = [seriesOfLine(150), seriesOfLine(151)].map((each) => encodeSeries(1, [each]));
      return { request: concat(...times(longer, other!), ...times(series - longer, one!)), series };
    }
    const some = encodeSeries(2, times(1_000, seriesOfLine(150)));
    return { request: concat(some, bytesField(4, 'x'.repeat(bytes - some.length - 5))), series: 1_000 };
  }

  test.each([-1, 0, 1])('a request as large as the memory for it, and %d bytes', (more) => {
    const { request: large, series } = requestOf(request.length + more);
    expect(large.length).toBe(request.length + more);
    expect(both.expectSameOfLarge(large, { version })).toBe(series);
    expect(both.kernel.takenLines).toBe(more > 0 ? 0 : series);
  });

  test('lines up to any place near the end of the memory for them', () => {
    const behind = new Uint8Array(lines.buffer, lines.byteOffset + lines.length, SPARE_BYTES);
    behind.fill(0xa5);
    const filled = 10_000 * 1_677;
    const long = [seriesOfLine(10_000, times(1_000, 1)), seriesOfLine(10_000, times(677, 1))];
    const rests = [...numbers(18), ...numbers(12).map((index) => 18 + 17 * index), 127, 128, 129, 199, 200, 201];
    for (const rest of rests) {
      const last = seriesOfLine(lines.length - filled - rest);
      const all = encodeSeries(version, [...long, last, ...times(3, seriesOfLine(100))]);
      expect(both.expectSameOfLarge(all, { version })).toBe(1_681);
      expect(both.kernel.takenLines).toBeGreaterThanOrEqual(rest < 128 ? 1_677 : 1_678);
    }
    expect(behind.every((byte) => byte === 0xa5)).toBe(true);
  });

  test.each([-1, 0, 1, 2])('as many lines as there is room for, and %d', (more) => {
    const series = [seriesOfLine(72, times(ends.length + more - 10, 1)), ...times(10, seriesOfLine(90, [2]))];
    expect(both.expectSameOfLarge(encodeSeries(version, series), { version })).toBe(ends.length + more);
    expect(both.kernel.takenLines).toBe(more > 0 ? ends.length : ends.length + more);
    const single = [seriesOfLine(72, times(ends.length + more, 1))];
    expect(both.expectSameOfLarge(encodeSeries(version, single), { version })).toBe(ends.length + more);
    expect(both.kernel.takenLines).toBe(more > 0 ? 0 : ends.length + more);
  });

  test.each([127, 128, 129, 130])('%d labels', (count) => {
    const labels = numbers(count - 1).map((index): [string, string] => [`l${String(index).padStart(4, '0')}`, 'v']);
    const all = encodeSeries(version, [{ labels: [['__name__', 'up'], ...labels], values: [1, 2] }]);
    both.expectSame(all, { version });
    expect(both.kernel.takenLines).toBe(count <= 128 ? 2 : 0);
  });

  test.each([-1, 0, 1])('lines as long as they may be, and %d', (more) => {
    // The second line of the last series is longer than its first.
    const all = encodeSeries(version, [seriesOfLine(200), seriesOfLine(199, [1, 11]), seriesOfLine(180)]);
    both.expectSame(all, { version, maxLineBytes: 200 - more });
    expect(both.kernel.takenLines).toBe(more > 0 ? 1 : 4);
    both.expectSame(encodeSeries(version, [seriesOfLine(200, [1, 11])]), { version, maxLineBytes: 200 - more });
    expect(both.kernel.takenLines).toBe(more < 0 ? 2 : 0);
  });

  test.each([-1, 0, 1])('all lines as long as they may be together, and %d', (more) => {
    const all = encodeSeries(version, times(50, seriesOfLine(200, [1, 2])));
    const outcome = both.expectSameOfLarge(all, { version, maxLinesBytes: 20_000 - more });
    expect(outcome).toEqual(more > 0 ? expect.stringMatching('lines_too_large') : 100);
  });
});

describe('symbols', () => {
  test.each([-1, 0, 1])('as many as there is room for, and %d', (more) => {
    const one = seriesOfLine(150);
    const few = encodeSeries(2, [one]);
    const used = 1 + 2 * one.labels.length;
    const all = concat(few, new Uint8Array(Buffer.alloc(2 * (MAX_SYMBOLS - used + more), bytesField(4, ''))));
    expect(both.expectSameOfLarge(all, { version: 2 })).toBe(1);
    expect(both.kernel.takenLines).toBe(more > 0 ? 0 : 1);
  });

  test.each([1_023, 1_024, 1_025])('%d, where 1,024 are what the lines of a request may be worth', (count) => {
    const few = encodeSeries(2, [seriesOfLine(150)]);
    const unused = count - (1 + 2 * seriesOfLine(150).labels.length);
    const all = concat(few, new Uint8Array(Buffer.alloc(2 * unused, bytesField(4, ''))));
    const outcome = both.expectSameOfLarge(all, { version: 2, maxLinesBytes: 1_024 * 64 });
    expect(outcome).toEqual(count > 1_024 ? expect.stringMatching('lines_too_large') : 1);
  });

  test('of the request before are not taken for those of this one', () => {
    const series = (...refs: readonly number[]) =>
      bytesField(5, concat(bytesField(1, Uint8Array.from(refs)), sample(valueOne, time(1))));
    const texts = ['', '__name__', 'up', 'x', 'y'].map((text) => bytesField(4, text));
    both.expectSame(concat(...texts, series(1, 2, 3, 4)), { version: 2 });
    expect(both.kernel.takenLines).toBe(1);
    both.expectSame(concat(...texts.slice(0, -1), series(1, 2, 3, 4), series(1, 2)), { version: 2 });
    expect(both.kernel.takenLines).toBe(1);
    both.expectSame(concat(...texts.slice(0, -2), series(1, 2, 3, 2), series(1, 2)), { version: 2 });
    expect(both.kernel.takenLines).toBe(1);
  });

  test.each([65_535, 65_536, 70_000, 1_000_000])('of %d bytes', (bytes) => {
    const text = 'x'.repeat(bytes);
    const series: EncodedSeries[] = [
      { labels: [['__name__', text]], values: [1, 2] },
      {
        labels: [
          ['__name__', 'up'],
          [text, text],
        ],
        values: [1, 2],
      },
      {
        labels: [
          ['__name__', 'up'],
          ['a', text],
          ['b', text],
        ],
        values: [1, 2],
      },
    ];
    expect(both.expectSameOfLarge(encodeSeries(2, series), { version: 2 })).toBe(6);
    expect(both.kernel.takenLines).toBe(6);
  });

  // A second of comparing would not be seen, the minutes that these take are.
  test('much longer than a line are not compared again and again', () => {
    const long = 'n'.repeat(3_500_000);
    const texts = ['', '__name__', 'up', `${long}a`, `${long}b`];
    const series = (...refs: readonly number[]) =>
      bytesField(5, concat(bytesField(1, Uint8Array.from(refs)), sample(valueOne, time(1))));
    const unsorted = new Uint8Array(Buffer.alloc(50_000 * series(4, 2, 3, 2).length, series(4, 2, 3, 2)));
    const all = concat(...texts.map((text) => bytesField(4, text)), unsorted, series(1, 2));
    const options = { version: 2 as const, maxLineBytes: 1_000, maxLinesBytes: 64_000_000 };
    expect(both.expectSameOfLarge(all, options)).toBe(1);
    expect(both.kernel.takenLines).toBe(1);
  });

  test('a series of more bytes than all memory together', () => {
    const text = 'x'.repeat(4_000_000);
    const labels = numbers(127).map((index): [string, string] => [`l${String(index).padStart(4, '0')}`, text]);
    const one: EncodedSeries = { labels: [['__name__', text], ...labels], values: [1] };
    const options = { version: 2 as const, maxLineBytes: 1_000_000, maxLinesBytes: 64_000_000 };
    expect(both.expectSameOfLarge(encodeSeries(2, [one, seriesOfLine(100), one]), options)).toBe(1);
    expect(both.kernel.takenLines).toBe(1);
  });
});
