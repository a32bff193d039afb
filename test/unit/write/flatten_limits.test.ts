import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import SnappyJS from 'snappyjs';
import { describe, expect, test } from 'vitest';
import { RequestError } from '../../../src/errors.ts';
import { Flattener } from '../../../src/write/flatten.ts';
import type { LineLimits } from '../../../src/write/line_list.ts';
import { textsOf } from '../../support/lines.ts';
import { bytesField, concat, join } from '../../support/protobuf_writer.ts';
import { expectSameAsOracle, expectWholeIndex, NO_LIMITS } from '../../support/same_as_oracle.ts';
import { label, name, sample, series, seriesOf, value } from '../../support/series.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** One for all tests: it has to be as good as new after every request and every error. */
const flattener = new Flattener();

function linesOf(request: Uint8Array, limits: LineLimits = NO_LIMITS): string[] {
  return textsOf(flattener.flatten(request, { ...NO_LIMITS, ...limits }).lines.bytes);
}

function errorOf(request: Uint8Array, limits: LineLimits): RequestError {
  try {
    flattener.flatten(request, { ...NO_LIMITS, ...limits });
  } catch (error) {
    if (error instanceof RequestError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** Bytes of buffers that are no garbage. Those that are, are freed by a thread of its own: they are waited for until there are no fewer. */
async function keptBytes(): Promise<number> {
  for (let least = Infinity; ;) {
    collectGarbage();
    await setTimeout(100);
    const { arrayBuffers } = process.memoryUsage();
    if (arrayBuffers >= least) return arrayBuffers;
    least = arrayBuffers;
  }
}

describe('limits', () => {
  const maxLinesBytes = 64 * 1024 * 1024;

  /** Bytes of buffers that were taken, those included that the garbage collector has not taken back yet. */
  function takenBy(work: () => void): number {
    flattener.flatten(new Uint8Array(0), NO_LIMITS);
    collectGarbage();
    const before = process.memoryUsage().arrayBuffers;
    work();
    return process.memoryUsage().arrayBuffers - before;
  }

  test('a small body that names a large label many times is refused before 8 GB of lines are written', () => {
    const request = series({ __name__: 'up', large: 'x'.repeat(400_000) }, ...new Array<number>(20_000).fill(1));
    expect(SnappyJS.compress(request).length).toBeLessThan(40_000);
    const taken = takenBy(() => {
      expect(errorOf(request, { maxLinesBytes, maxLineBytes: 1_000_000 }).code).toBe('lines_too_large');
    });
    expect(taken).toBeLessThan(5_000_000);
    expectSameAsOracle(flattener, series({ __name__: 'up' }, 1));
  });

  test('a body of what is escaped most takes little more memory than the limit', () => {
    const request = Buffer.alloc(20_000_000, series({ __name__: 'up', x: '\u0001'.repeat(10_000) }, 1));
    const taken = takenBy(() => {
      expect(errorOf(request, { maxLinesBytes, maxLineBytes: 1_000_000 }).code).toBe('lines_too_large');
    });
    // What it has, the half of that from which it grew, and the halves before.
    expect(taken).toBeLessThan(3 * maxLinesBytes);
  });

  test('what a large request needed is given back', async () => {
    const large = series({ __name__: 'up', x: 'x'.repeat(1000) }, ...new Array<number>(30_000).fill(1));
    const another = new Flattener();
    const before = await keptBytes();
    for (const request of [large, series({ __name__: 'up' }, 1)]) another.flatten(request, NO_LIMITS);
    expect((await keptBytes()) - before).toBeLessThan(5_000_000);
    expect(another.flatten(large, NO_LIMITS).counts.sample).toBe(30_000);
  });

  test('a series of more samples than the lines may hold is refused while it is read', () => {
    const fields = Buffer.alloc(1_000_000, sample());
    const taken = takenBy(() => {
      const limits = { maxLinesBytes: 1_000_000, maxLineBytes: 1_000_000 };
      expect(errorOf(bytesField(1, fields), limits).code).toBe('lines_too_large');
    });
    expect(taken).toBeLessThan(3_000_000);
  });

  test('the lines may be as long as the limit says', () => {
    const request = concat(series({ __name__: 'a' }, 1, 2), series({ __name__: 'b' }, 1));
    const length = flattener.flatten(request, NO_LIMITS).lines.bytes.length;
    expect(linesOf(request, { ...NO_LIMITS, maxLinesBytes: length }).length).toBe(3);
    const error = errorOf(request, { ...NO_LIMITS, maxLinesBytes: length - 1 });
    expect([error.code, error.status]).toEqual(['lines_too_large', 413]);
  });

  test.each([
    ['plain', 'x'],
    ['escaped', '\u0001'],
    ['not ASCII', 'é'],
  ])('the longest line is kept, a longer one rejected, with its series only: %s', (_, character) => {
    const neighbour = series({ __name__: 'a' }, 1);
    const request = concat(neighbour, series({ __name__: 'b', x: character.repeat(5000), none: '' }, 1, 10), neighbour);
    const longest = Math.max(...linesOf(request).map((line) => Buffer.byteLength(line) + 1));

    expect(linesOf(request, { ...NO_LIMITS, maxLineBytes: longest }).length).toBe(4);
    const flattened = flattener.flatten(request, { ...NO_LIMITS, maxLineBytes: longest - 1 });
    expectWholeIndex(flattened);
    expect(textsOf(flattened.lines.bytes)).toEqual([...linesOf(neighbour), ...linesOf(neighbour)]);
    expect(flattened.rejected).toEqual(new Map([['oversize', 2]]));
    expect(flattened.firstProblem).toMatch(/longer lines than the sink takes: \d+ bytes of labels/);
  });

  test('an oversize series of many samples is rejected, not its request', () => {
    const times = Array(1000).keys();
    const request = concat(series({ __name__: 'a', x: 'x'.repeat(5000) }, ...times), series({ __name__: 'b' }, 1));
    const { rejected, lines } = flattener.flatten(request, {
      ...NO_LIMITS,
      maxLinesBytes: 1_000_000,
      maxLineBytes: 5000,
    });
    expect(rejected).toEqual(new Map([['oversize', 1000]]));
    expect(lines.ends.length).toBe(1);
  });

  test('an oversize label takes no memory', () => {
    const request = series({ __name__: 'a', x: '\u0001'.repeat(10_000_000) }, 1);
    const taken = takenBy(() => {
      expect(
        flattener.flatten(request, { ...NO_LIMITS, maxLinesBytes, maxLineBytes: 1_000_000 }).rejected.get('oversize'),
      ).toBe(1);
    });
    expect(taken).toBeLessThan(1_000_000);
  });

  test('what is returned is the caller’s', () => {
    const { bytes } = flattener.flatten(series({ __name__: 'first' }, 1), NO_LIMITS).lines;
    flattener.flatten(series({ __name__: 'other' }, 2), NO_LIMITS);
    expect(textsOf(bytes)).toEqual(['{"name":"first","time":1,"value":1,"labels":{"__name__":"first"}}']);
    expect(bytes.buffer.byteLength).toBe(bytes.length);
  });

  test('a hundred thousand unsorted labels are sorted in no time', () => {
    const count = 100_000;
    const labels = Array.from({ length: count }, (_, index) => label(name(`l${(index * 7919) % count}`), value('x')));
    const request = seriesOf(join(labels), label(name('__name__'), value('up')), sample());
    const start = performance.now();
    expect(linesOf(request).length).toBe(1);
    // Sorted one by one they would take half a minute.
    expect(performance.now() - start).toBeLessThan(5000);
  });
});

describe('hashes', () => {
  test('are those of the labels, in whatever order they came', () => {
    const labels = { __name__: 'up', job: 'node', instance: 'a:9100', path: 'C:\\' };
    fc.assert(
      fc.property(fc.shuffledSubarray(Object.entries(labels), { minLength: 4 }), fc.nat(), (shuffled, time) => {
        const request = concat(
          series({ __name__: 'up', empty: '' }, 1),
          series(Object.fromEntries(shuffled), time, 3),
          series({ ...labels, empty: '' }, 1),
        );
        const { hashes } = flattener.flatten(request, NO_LIMITS).lines;
        expect(hashes.length).toBe(4);
        expect(hashes[1]).toBe(hashes[3]);
        expect(hashes[2]).toBe(hashes[3]);
        expect(hashes[0]).not.toBe(hashes[3]);
      }),
    );
  });

  test.each<[string, (index: number) => Record<string, string>]>([
    ['targets', (index) => ({ cpu: String(index % 64), instance: `10.0.${index >>> 14}.${(index >>> 6) & 255}:9100` })],
    ['buckets', (index) => ({ le: String((index % 40) * 0.25), path: `/api/v1/${Math.floor(index / 40)}` })],
    ['counters in a name', (index) => ({ id: String(index).padStart(12, '0') })],
  ])('are spread evenly by any run of their bits: %s', (_, labelsOf) => {
    const count = 16_000;
    const request = join(
      Array.from({ length: count }, (__, index) => series({ __name__: 'metric', ...labelsOf(index) }, 1)),
    );
    const { hashes } = flattener.flatten(request, NO_LIMITS).lines;
    // Among 16,000 random numbers of 32 bits a pair that is equal is rare.
    expect(new Set(hashes).size).toBeGreaterThan(count - 5);
    for (let shift = 0; shift <= 26; shift++) {
      const buckets = new Array<number>(64).fill(0);
      for (const hash of hashes) buckets[(hash >>> shift) & 63]!++;
      // 250 are expected in each, with a standard deviation of 16.
      expect(Math.min(...buckets)).toBeGreaterThan(160);
      expect(Math.max(...buckets)).toBeLessThan(340);
    }
  });
});
