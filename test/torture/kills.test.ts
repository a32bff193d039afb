import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { temporaryDir } from '../support/archive.ts';
import { endProcesses } from '../support/processes.ts';
import { KILLS } from './support/form.ts';
import { startLoad } from './support/load.ts';
import { SINKS } from './support/sinks.ts';
import { endRow, startTortured } from './support/tortured.ts';

/** The adapter ends again and again in the middle of what it does, by the signal of who is polite and by that of who is not. */

/** Some of two senders' requests are always under way, and what the sinks hold at the end is not more than the tests can. */
const LOAD = { shards: 30, samplesPerRequest: 200, pauseMs: 100 } as const;
const SAMPLES_BETWEEN = 4_000;
/** So that it is not always the same moment of a request, a call or a write. */
const MOMENT_MS = 300;

const SIGNALS = [
  { signal: 'SIGTERM', scenario: `SIGTERM under load × ${KILLS}` },
  { signal: 'SIGKILL', scenario: `kill −9 under load × ${KILLS}` },
] as const;

afterEach(endProcesses);

describe.each(SIGNALS)('$scenario', ({ signal, scenario }) => {
  test.each(SINKS)('$name', { timeout: KILLS * 10_000 + 60_000 }, async (kind) => {
    const sink = await kind.start(temporaryDir());
    onTestFinished(() => sink.close());
    const tortured = await startTortured({ sink });
    const load = startLoad({ ...LOAD, port: tortured.port });
    onTestFinished(() => load.abort());
    let recoverySeconds = 0;
    let torn = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      await load.more(SAMPLES_BETWEEN);
      await sleep(Math.random() * MOMENT_MS);
      const recovery = load.recovery('kill');
      await tortured.end(signal);
      if (signal === 'SIGKILL' && sink.tear?.() === true) torn++;
      // Nothing that came in was left behind.
      if (signal === 'SIGTERM') expect(tortured.adapter.process.stderr).toContain('returnedLines=0');
      await tortured.start();
      recoverySeconds = Math.max(recoverySeconds, await recovery);
    }
    if (signal === 'SIGKILL' && sink.tear) expect(torn).toBeGreaterThan(0);
    await endRow(tortured, { scenario, load, recoverySeconds });
  });
});
