import { describe, expect, test } from 'vitest';
import { decodeRecord } from '../../../src/record_decode.ts';
import { sample, type DescribedSeries } from '../../support/described_series.ts';
import { post, V1, V2, VERSIONS } from '../../support/remote_write.ts';
import type { ScriptedSink } from '../../support/scripted_sink.ts';
import { acceptAll, startService } from '../../support/service.ts';

/** Metadata of one family, which senders repeat: 2.0 with every sample, 1.0 every minute. */
function series(help: string, job = 'test'): DescribedSeries[] {
  const metadata = { type: 'counter', help, unit: '' } as const;
  return [{ labels: { __name__: 'requests_total', job }, samples: [sample(1)], metadata }];
}

/** What the archive has of metadata, by its help. */
function helps({ accepted }: ScriptedSink): string[] {
  return accepted.map(decodeRecord).flatMap((record) => (record.kind === 'metadata' ? record.metadata.help : []));
}

for (const remoteWrite of VERSIONS) {
  const bodyOf = (...args: Parameters<typeof series>) => remoteWrite.encode(series(...args));

  describe(`metadata of remote write ${remoteWrite.version} is written`, () => {
    test('once, however often and with whatever series it comes; and at once when it changes', async () => {
      const { port, sink, metrics } = await startService();
      acceptAll(sink);
      for (const body of [bodyOf('Old'), bodyOf('Old'), bodyOf('Old', 'other'), bodyOf('New'), bodyOf('Old')]) {
        expect((await post(remoteWrite, { port, body })).status).toBe(204);
      }
      expect(helps(sink)).toEqual(['Old', 'New']);
      expect((await metrics())('lines_skipped_total{kind="metadata"}')).toBe(3);
    });

    test('again by the retry of a request that was not delivered', async () => {
      // Time for the first request to be seen by the sink, and for the retry to wait for the sink's backoff, on a busy machine too.
      const { port, sink } = await startService({ config: { deliveryTimeoutMs: 1_000 } });
      const body = bodyOf('Help');
      const first = post(remoteWrite, { port, body });
      const call = await sink.call();
      expect((await first).status).toBe(503);
      await call.fail(new Error('it did not arrive'));
      acceptAll(sink);
      expect((await post(remoteWrite, { port, body })).status).toBe(204);
      expect(helps(sink)).toEqual(['Help']);
    });
  });
}

test('metadata that came in one version is known in the other', async () => {
  const { port, sink } = await startService();
  acceptAll(sink);
  for (const remoteWrite of [V2, V1, V2]) {
    const body = remoteWrite.encode(series('Help'));
    expect((await post(remoteWrite, { port, body })).status).toBe(204);
  }
  expect(helps(sink)).toEqual(['Help']);
});
