import { expect, test } from 'vitest';
import { decodeRecord } from '../../../src/record_decode.ts';
import { exemplar, histogram, sample } from '../../support/described_series.ts';
import { post, VERSIONS, written, writtenOf } from '../../support/remote_write.ts';
import { acceptAll, startService } from '../../support/service.ts';
import { EMPTY_HISTOGRAM } from '../../support/native_histograms.ts';

const maxFutureMs = 10 * 60_000;

for (const remoteWrite of VERSIONS) {
  test(`remote write ${remoteWrite.version}: what is too far in the future is rejected alone`, async () => {
    const { port, sink, metrics } = await startService({ config: { maxFutureMs } });
    acceptAll(sink);
    // A minute on either side of the limit, whatever the test takes; and what a time of 64 bits can be.
    const now = BigInt(Date.now());
    const near = { time: now + BigInt(maxFutureMs - 60_000) };
    const far = { time: now + BigInt(maxFutureMs + 60_000) };
    const [past, never] = [{ time: -(2n ** 63n) }, { time: 2n ** 63n - 1n }];
    const series = [
      {
        labels: { __name__: 'times' },
        samples: [near, far, past, never].map((at) => ({ ...sample(1), ...at })),
        histograms: [far, near].map((at) => ({ ...histogram(EMPTY_HISTOGRAM), ...at })),
        exemplars: [far, never, near].map((at) => ({ ...exemplar({}, 1), ...at })),
        metadata: { type: 'gauge' as const, help: 'Has no time of its own', unit: '' },
      },
    ];
    const answer = await post(remoteWrite, { port, body: remoteWrite.encode(series) });
    const records = sink.accepted.map(decodeRecord);
    expect([answer.status, written(answer)]).toEqual([400, writtenOf(remoteWrite, records)]);
    expect(records.map(({ kind, time }) => [kind, kind === 'metadata' ? 0n : time])).toEqual([
      ['sample', near.time],
      ['sample', past.time],
      ['histogram', near.time],
      ['exemplar', near.time],
      ['metadata', 0n],
    ]);
    expect((await metrics())('lines_rejected_total{reason="too_far_in_future"}')).toBe(5);
  });
}
