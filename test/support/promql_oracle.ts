/**
 * What Prometheus's functions answer, written plainly from its documentation and what it was seen to answer (test/e2e/athena_agreement.test.ts
 * holds the queries to a real one): the oracle of `athena/queries/` for samples that no target would show on demand.
 */

/** A sample; without a value it is a stale marker. */
export interface Point {
  readonly timeMs: number;
  readonly value: number | undefined;
}

export interface Window {
  readonly tMs: number;
  readonly windowMs: number;
  /** Windows of Prometheus 2 hold their first moment as well. */
  readonly version: 2 | 3;
}

/** The samples of a window, stale markers left out. */
export function samplesIn(
  points: readonly Point[],
  { tMs, windowMs, version }: Window,
): { readonly timeMs: number; readonly value: number }[] {
  const earliestMs = tMs - windowMs + (version === 3 ? 1 : 0);
  return points.flatMap(({ timeMs, value }) =>
    value !== undefined && timeMs >= earliestMs && timeMs <= tMs ? [{ timeMs, value }] : [],
  );
}

/** `increase`, `delta` and, by the second, `rate`; undefined where there are fewer than two samples. */
export function extrapolated(
  kind: 'increase' | 'rate' | 'delta',
  points: readonly Point[],
  window: Window,
): number | undefined {
  const samples = samplesIn(points, window);
  const [first] = samples;
  const last = samples.at(-1);
  if (first === undefined || last === undefined || samples.length < 2) return undefined;
  let gain = last.value - first.value;
  if (kind !== 'delta') {
    for (let i = 1; i < samples.length; i++) {
      if (samples[i]!.value < samples[i - 1]!.value) gain += samples[i - 1]!.value;
    }
  }
  const sampled = (last.timeMs - first.timeMs) / 1_000;
  const apart = sampled / (samples.length - 1);
  const clip = (seconds: number) => (seconds >= apart * 1.1 ? apart / 2 : seconds);
  const toStart = (first.timeMs - (window.tMs - window.windowMs)) / 1_000;
  const toEnd = (window.tMs - last.timeMs) / 1_000;
  const toZero = kind !== 'delta' && gain > 0 && first.value >= 0 ? sampled * (first.value / gain) : Infinity;
  const before = window.version === 2 ? clip(Math.min(toStart, toZero)) : Math.min(clip(toStart), toZero);
  const factor = (sampled + before + clip(toEnd)) / sampled;
  return gain * (kind === 'rate' ? factor / (window.windowMs / 1_000) : factor);
}

/** The value of a series at a time. */
export function instant(points: readonly Point[], lookback: Window): number | undefined {
  const latest = points.filter(({ timeMs }) => timeMs <= lookback.tMs).at(-1);
  return latest === undefined ? undefined : samplesIn([latest], lookback)[0]?.value;
}

/** How much the buckets up to a bound hold. */
export type ClassicBuckets = readonly (readonly [upper: number, count: number])[];

const SMALL_DIFFERENCE = 1e-12;

export function classicQuantile(q: number, given: ClassicBuckets, version: 2 | 3): number {
  if (q < 0) return -Infinity;
  if (q > 1) return Infinity;
  const buckets = given.map(([upper, count]) => ({ upper, count })).sort((a, b) => a.upper - b.upper);
  let held = -Infinity;
  for (const bucket of buckets) {
    const isAsMuch = version === 3 && (bucket.count - held) / (bucket.count + held) < SMALL_DIFFERENCE;
    if (bucket.count < held || isAsMuch) bucket.count = held;
    held = bucket.count;
  }
  const last = buckets.at(-1);
  if (last === undefined || buckets.length < 2 || last.upper !== Infinity || last.count === 0) return NaN;
  const rank = q * last.count;
  const found = buckets.findIndex(({ count }, index) => index === buckets.length - 1 || count >= rank);
  const below = buckets[found - 1];
  const { upper, count } = buckets[found]!;
  if (found === buckets.length - 1) return below!.upper;
  if (below === undefined) return upper <= 0 ? upper : upper * (rank / count);
  return below.upper + (upper - below.upper) * ((rank - below.count) / (count - below.count));
}
