import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { REQUEST_ERRORS } from '../../src/errors.ts';
import { createMetrics, exposeState } from '../../src/metrics.ts';

const page = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
const PREFIX = 'prometheus_kinesis_adapter_';

/** The metrics of this program as the page has them: a table made from the code. */
async function metricsTable(): Promise<string> {
  const metrics = createMetrics();
  const zero = () => 0;
  const state = { linesInFlight: zero, bytesInFlight: zero, oldestUndeliveredSeconds: zero, isSinkUp: () => true };
  exposeState(metrics, state, { version: '', sink: '' });
  const all = await metrics.registry.getMetricsAsJSON();
  const rows = all
    .filter(({ name }) => name.startsWith(PREFIX))
    .map(({ name, type, help }) => `| \`${name.slice(PREFIX.length)}\` | ${String(type)} | ${help} |`);
  return ['| metric | type | |', '|---|---|---|', ...rows].join('\n');
}

function errorsTable(): string {
  const rows = Object.entries<{ status: number; retryAfterSeconds?: number }>(REQUEST_ERRORS).map(
    ([code, { status, retryAfterSeconds }]) =>
      `| \`${code}\` | ${status} | ${retryAfterSeconds === undefined ? 'no' : `yes, after ${retryAfterSeconds} s`} |`,
  );
  return ['| code | status | can a retry help? |', '|---|---|---|', ...rows].join('\n');
}

test('the metrics stand in docs/operations.md as they are in the code', async () => {
  expect(page).toContain(await metricsTable());
});

test('the errors stand in docs/operations.md as they are in the code', () => {
  expect(page).toContain(errorsTable());
});
