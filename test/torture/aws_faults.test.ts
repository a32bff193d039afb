import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { temporaryDir } from '../support/archive.ts';
import { write } from '../support/http.ts';
import { endProcesses } from '../support/processes.ts';
import { writeRequest } from '../support/write_request.ts';
import { FAULTS, NEVER } from './support/faults.ts';
import { inForm } from './support/form.ts';
import { startLoad } from './support/load.ts';
import { FIREHOSE, kinesis } from './support/sinks.ts';
import { endRow, startTortured } from './support/tortured.ts';

/** What can go wrong between the adapter and AWS, for a while, while more is written than fits into what may be in flight. */

const FAULT_SECONDS = inForm({ short: 5, long: 40 });
/** So short in the short form that requests miss it there, too. */
const DELIVERY_TIMEOUT = inForm({ short: '3s', long: '25s' });
/** In the short form one of them each: what is behind them is the same. */
const KINDS = inForm({ short: [kinesis('gzip')], long: [kinesis('none'), kinesis('gzip'), FIREHOSE] });
/** 200 bytes of lines a sample, so that these requests together want some 24 of the 16 MiB. */
const LOAD = { shards: 60, samplesPerRequest: 2_000, pauseMs: 500 } as const;
const MAX_IN_FLIGHT_MIB = 16;
const SAMPLES_AROUND = inForm({ short: 40_000, long: 100_000 });

afterEach(endProcesses);

describe.each(FAULTS)('$name', (fault) => {
  test.each(KINDS)('$name', { timeout: FAULT_SECONDS * 1_000 + 180_000 }, async (kind) => {
    const { sink, options, logged, begin, end } = await fault.start(kind, temporaryDir());
    onTestFinished(() => sink.close());
    const tortured = await startTortured({
      sink,
      maxInFlightMib: MAX_IN_FLIGHT_MIB,
      ...options,
      args: ['--delivery-timeout', DELIVERY_TIMEOUT, ...(options?.args ?? [])],
    });
    const load = startLoad({ ...LOAD, port: tortured.port });
    onTestFinished(() => load.abort());
    await load.more(SAMPLES_AROUND);
    begin();
    await sleep(FAULT_SECONDS * 1_000);
    const recovery = load.recovery('fault');
    end();
    const recoverySeconds = await recovery;
    await load.more(SAMPLES_AROUND);
    await endRow(tortured, { scenario: `${fault.name}, ${FAULT_SECONDS} s`, load, recoverySeconds });
    if (logged) expect(tortured.adapter.process.stderr).toMatch(logged);
  });
});

describe('one call is never answered, the others are, and little is written', () => {
  test.each(KINDS)('$name', { timeout: 120_000 }, async (kind) => {
    const sink = await kind.start(temporaryDir());
    onTestFinished(() => sink.close());
    const tortured = await startTortured({ sink });
    const load = startLoad({ shards: 4, samplesPerRequest: 100, pauseMs: 500, port: tortured.port });
    onTestFinished(() => load.abort());
    await load.more(2_000);
    const stuck = sink.fake!.calls.length;
    sink.fake!.script(({ index }) => (index === stuck ? NEVER : { kind: 'accept' }));
    await sink.fake!.arrived(stuck + 1);
    const recovery = load.recovery('kill');
    // Who comes meanwhile is let in: a request without lines has to wait for nothing else.
    for (let times = 0; times < 16; times++) {
      expect((await write(tortured.port, writeRequest([]))).status).toBe(204);
      await sleep(500);
    }
    const recoverySeconds = await recovery;
    await sleep(inForm({ short: 2_000, long: 30_000 }));
    await endRow(tortured, { scenario: 'one call that is never answered, sparse traffic', load, recoverySeconds });
  });
});
