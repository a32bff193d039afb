import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { temporaryDir } from '../support/archive.ts';
import { endProcesses } from '../support/processes.ts';
import { NEVER } from './support/faults.ts';
import { inForm } from './support/form.ts';
import { startLoad } from './support/load.ts';
import { FIREHOSE, kinesis } from './support/sinks.ts';
import { endRow, startTortured } from './support/tortured.ts';

/** What memory it takes at the most: requests too large for the kernel's memory, three times as many as may be in flight, and a sink that takes nothing. */

const SECONDS = inForm({ short: 5, long: 30 });
const KINDS = inForm({
  short: [kinesis('gzip')],
  long: [kinesis('none'), kinesis('lines'), kinesis('gzip'), FIREHOSE],
});
/** 8.4 MB of protobuf and 10 MB of lines each. */
const LOAD = { shards: inForm({ short: 16, long: 40 }), samplesPerRequest: 60_000, pauseMs: 2_000 } as const;
const DEFAULTS = { maxInFlightMib: 128, maxBodyMib: 32, maxRequestLinesMib: 64, connections: 1_000 } as const;

afterEach(endProcesses);

describe('a flood of large requests while the sink is silent, default options', () => {
  test.each(KINDS)('$name', { timeout: 240_000 }, async (kind) => {
    const sink = await kind.start(temporaryDir());
    onTestFinished(() => sink.close());
    const tortured = await startTortured({ sink, ...DEFAULTS });
    sink.fake!.script(() => NEVER);
    const load = startLoad({ ...LOAD, port: tortured.port });
    onTestFinished(() => load.abort());
    await sleep(SECONDS * 1_000);
    const recovery = load.recovery('fault');
    sink.fake!.script(() => ({ kind: 'accept' }));
    const recoverySeconds = await recovery;
    expect(load.answers.get(503)).toBeGreaterThan(0);
    const scenario = `flood of requests of 8 MB, default options, the sink silent for ${SECONDS} s`;
    await endRow(tortured, { scenario, load, recoverySeconds });
  });
});
