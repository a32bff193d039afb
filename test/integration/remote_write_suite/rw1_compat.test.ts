import { describe, expect, test } from 'vitest';
import { archivedRecords, sample } from '../../support/described_series.ts';
import { expectLines, post, V1, written } from '../../support/remote_write.ts';
import { acceptAll, startService } from '../../support/service.ts';

/** The suite's rw1_compat.go: remote write 1.0 by its headers, the one with its version among them left out. */
describe('remote write 1.0 without its version', () => {
  const change = { 'X-Prometheus-Remote-Write-Version': undefined };

  test('RW1BasicCompatibility', async () => {
    const { port, sink } = await startService();
    acceptAll(sink);
    const series = [
      { labels: { __name__: 'up', job: 'testjob', instance: 'localhost:9090' }, samples: [sample(1)] },
      { labels: { __name__: 'http_requests_total' }, samples: [sample(100)] },
    ];
    const answer = await post(V1, { port, body: V1.encode(series), change });
    expect([answer.status, written(answer)]).toEqual([204, undefined]);
    expectLines(sink.accepted, { records: archivedRecords(series, '1.0'), sentAtMs: 0 });
  });

  test('RW1ErrorHandling', async () => {
    const { port, sink } = await startService();
    const body = V1.encode([{ labels: { __name__: 'error_test' }, samples: [sample(1)] }]);
    body[0] = 0xff;
    const answer = await post(V1, { port, body, change });
    expect([answer.status, written(answer)]).toEqual([400, undefined]);
    expect(sink.callCount).toBe(0);
  });
});
