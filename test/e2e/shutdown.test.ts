import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { startAdapter, type Adapter } from '../support/adapter.ts';
import { startFakeKinesis } from '../support/fake_kinesis.ts';
import { get, write } from '../support/http.ts';
import { endProcesses, waitFor, within } from '../support/processes.ts';
import { someSeries, writeRequest } from '../support/write_request.ts';

/** How the program ends: by the signals that a shell, Docker and Kubernetes send. Under load: test/torture/kills.test.ts. */

const BOUND_MS = 10_000;

afterEach(endProcesses);

describe('with a call of the sink under way', () => {
  const body = writeRequest(someSeries(3));

  test.each(['SIGTERM', 'SIGINT'] as const)('%s: waits for it, refuses new writes, exits 0', async (signal) => {
    const { adapter, inFlight, letGo, fake } = await startHeld();
    adapter.process.kill(signal);
    await logged(adapter, 'stopping');
    expect((await get(adapter.port, '/-/ready')).status).toBe(503);
    const refused = await write(adapter.port, body);
    expect([refused.status, refused.headers.connection]).toEqual([503, 'close']);
    letGo();
    expect((await inFlight).status).toBe(204);
    expect(await within(BOUND_MS, 'the adapter to end', adapter.process.exited)).toEqual({ code: 0, signal: null });
    expect(fake.lines()).toHaveLength(3);
  });

  test('past the shutdown timeout: answers 503, exits 0', async () => {
    const { adapter, inFlight } = await startHeld(['--shutdown-timeout', '1s']);
    const startedAt = performance.now();
    expect(await adapter.stop()).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect((await inFlight).status).toBe(503);
    expect(adapter.process.stderr).toContain('returnedLines=3');
  });

  test('a second signal within a second is the first come twice; one after that ends it at once', async () => {
    const { adapter, inFlight } = await startHeld(['--shutdown-timeout', '1m']);
    const cut = expect(inFlight).rejects.toThrow('socket hang up');
    adapter.process.kill('SIGINT');
    await logged(adapter, 'stopping');
    adapter.process.kill('SIGINT');
    await sleep(1_100);
    expect(adapter.process.hasExited).toBe(false);
    const startedAt = performance.now();
    adapter.process.kill('SIGTERM');
    expect(await within(BOUND_MS, 'the adapter to end', adapter.process.exited)).toEqual({ code: 1, signal: null });
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    expect(adapter.process.stderr).toContain('second signal');
    await cut;
  });
});

/** An adapter with a request of three lines under way, whose call Kinesis does not answer until it is let go. */
async function startHeld(args: readonly string[] = []) {
  const fake = await startFakeKinesis();
  onTestFinished(() => fake.close());
  const { promise: released, resolve: letGo } = withResolvers();
  fake.script(async () => {
    await released;
    return { kind: 'accept' };
  });
  const adapter = await startAdapter({
    env: { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x', STREAM_NAME: 'history' },
    args: ['--endpoint-url', fake.url, ...args],
  });
  const inFlight = write(adapter.port, writeRequest(someSeries(3)));
  await Promise.race([fake.arrived(1), inFlight]);
  return { adapter, fake, inFlight, letGo };
}

/** Promise.withResolvers, which Node 20 has not. */
function withResolvers() {
  let resolve!: () => void;
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}

function logged(adapter: Adapter, text: string): Promise<unknown> {
  return waitFor(() => adapter.process.stderr.includes(text), {
    timeoutMs: BOUND_MS,
    what: () => `"${text}" in the log:\n${adapter.process.stderr}`,
  });
}
