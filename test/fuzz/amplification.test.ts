import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sidesOfTheLaw } from '../support/adapter.ts';
import { e2eDirectory } from '../support/e2e_directory.ts';
import { send, write } from '../support/http.ts';
import { V1, V2 } from '../support/remote_write.ts';
import { someSeries, writeRequest } from '../support/write_request.ts';
import { AMPLIFICATION, type AmplificationCase } from './amplification_bodies.ts';
import { startWatchedAdapter, type WatchedAdapter } from './watched_adapter.ts';

/**
 * What a request of a given size can cost: one kind of it per row, the longest that it holds the event loop, its CPU time and the memory that it
 * takes. `AMPLIFICATION_MIB=32 npx vitest run test/fuzz/amplification.test.ts` is the long form, in which each row has a process of its own that
 * has seen one small request.
 */
const MIB = 1024 ** 2;
const BODY_MIB = Number(process.env['AMPLIFICATION_MIB'] ?? 0.25);
const isLong = process.env['AMPLIFICATION_MIB'] !== undefined;
/** By the kernel's account, but two cores are shared with other tests, which slow each other down: this tells a loop that hangs. The figures are printed. */
const MOST_HOLD_CPU_MS = 3_000;
/** What a process may have: 160 MiB of its own, the body twice, and lines up to their limit, twice where they are copied. */
const MOST_PEAK_MIB = 512;
const ROW_MS = 60_000;

const { directory } = e2eDirectory();
let shared: WatchedAdapter | undefined;
let started = 0;

async function adapterOfRow(): Promise<WatchedAdapter> {
  if (shared !== undefined && !isLong) return shared;
  await shared?.stop();
  shared = await startWatchedAdapter({ args: ['--archive-dir', join(directory, String(started++))] });
  return shared;
}

async function attempt({ name, version, statuses, body }: AmplificationCase): Promise<void> {
  const adapter = await adapterOfRow();
  const { port } = adapter;
  const neighbour = writeRequest(someSeries(10));
  const bytes = body(BODY_MIB * MIB);
  expect(bytes.length).toBeLessThanOrEqual(BODY_MIB * MIB);
  expect((await write(port, neighbour)).status).toBe(204);
  await adapter.report();

  const { headers } = version === 1 ? V1 : V2;
  const answer = await send({ port, method: 'POST', path: '/receive', headers, body: bytes });
  const report = await adapter.report();
  const figure = (value: number) => String(Math.round(value)).padStart(6);
  console.log(
    [
      `AMPLIFICATION ${name} (${version}.0)`.padEnd(90),
      `${figure(bytes.length / 1024)} KiB sent, ${answer.status}`,
      `loop held ${figure(report.holdCpuMs)} ms of CPU (${figure(report.holdMs)} by the clock)`,
      `CPU ${figure(report.cpuMs)} ms`,
      `peak ${figure(report.peakMiB)} MiB`,
    ].join(' | '),
  );
  // What is too much of 32 MiB may be right of less.
  expect(isLong ? statuses : [204, 400, 413]).toContain(answer.status);
  if (answer.status !== 204) expect(answer.text).toMatch(/^.{1,2000}\n$/);
  expect((await write(port, neighbour)).status).toBe(204);
  expect(report.holdCpuMs).toBeLessThan(MOST_HOLD_CPU_MS);
  expect(report.peakMiB).toBeLessThan(MOST_PEAK_MIB);
  const { received, ended } = sidesOfTheLaw(await adapter.metrics());
  expect(ended).toBe(received);
}

describe.runIf(process.platform === 'linux')(`${BODY_MIB} MiB of`, () => {
  // No test.each, which quotes names and cuts them off.
  for (const row of AMPLIFICATION) {
    test(`remote write ${row.version}.0: ${row.name}`, () => attempt(row), ROW_MS);
  }
});
