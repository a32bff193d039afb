import { connect } from 'node:net';
import SnappyJS from 'snappyjs';
import { describe, expect, test } from 'vitest';
import { write, WRITE_HEADERS } from '../support/http.ts';
import { bytesField, concat } from '../support/protobuf_writer.ts';
import { series } from '../support/series.ts';
import { acceptAll, startService } from '../support/service.ts';

/** Bodies that take long are flattened one after the other, in slices, and hold nothing when they end. */

const MIB = 1024 * 1024;
/** Two million pieces of empty metadata, and a sample. */
const SLOW = SnappyJS.compress(concat(series({ __name__: 'slow' }, 1), Buffer.alloc(4 * MIB, bytesField(3, ''))));
const SMALL = SnappyJS.compress(series({ __name__: 'up' }, 1));

/** Sends a whole request, and goes away as soon as it is sent. */
function sendAndLeave(port: number): Promise<void> {
  const head = Object.entries({ ...WRITE_HEADERS, Host: 'x', 'Content-Length': SLOW.length })
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(`POST /receive HTTP/1.1\r\n${head}\r\n`);
      socket.write(SLOW, () => {
        setTimeout(() => socket.destroy(), 50);
      });
    });
    socket.on('close', () => resolve()).on('error', reject);
  });
}

describe('slow bodies', () => {
  test('are all archived, and small ones meanwhile', async () => {
    const { port, sink, metrics } = await startService();
    acceptAll(sink);
    const slow = [1, 2, 3].map(() => write(port, SLOW));
    for (let index = 0; index < 20; index++) expect((await write(port, SMALL)).status).toBe(204);
    expect((await Promise.all(slow)).map(({ status }) => status)).toEqual([204, 204, 204]);
    expect(sink.accepted).toHaveLength(23);
    expect((await metrics())('in_flight_bytes')).toBe(0);
  });

  test('whose senders have gone hold nothing, and do not keep the next one waiting for ever', async () => {
    const { port, sink, metrics } = await startService();
    acceptAll(sink);
    await Promise.all([1, 2, 3, 4].map(() => sendAndLeave(port)));
    expect((await write(port, SLOW)).status).toBe(204);
    await expect.poll(async () => (await metrics())('in_flight_bytes'), { timeout: 10_000 }).toBe(0);
    expect((await metrics())('lines_in_flight')).toBe(0);
  });

  test('do not hold up stopping', async () => {
    const { port, sink, stop } = await startService({ config: { shutdownTimeoutMs: 100 } });
    acceptAll(sink);
    const answers = [1, 2, 3, 4, 5, 6].map(() => write(port, SLOW));
    await expect.poll(async () => (await write(port, SMALL)).status).toBe(204);
    await stop();
    for (const { status } of await Promise.all(answers)) expect([204, 503]).toContain(status);
  });
});
