import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { agreementOf, agreementOfStored, Asker, rowOf, spanOf } from '../support/agreement.ts';
import { agreementCases, agreementTitles, QUANTILES, weekOverWeek, type AskedOf } from '../support/agreement_cases.ts';
import { runForAgreement } from '../support/agreement_run.ts';
import { openAthena, type AthenaOnDuckdb } from '../support/athena_on_duckdb.ts';
import { e2eDirectory } from '../support/e2e_directory.ts';
import { libraryQuery, type Parameters } from '../support/library.ts';
import { mustHavePrometheus, reasonToSkip, type Prometheus } from '../support/prometheus.ts';
import { answerKey, ask, askAll, compareAnswers, type Agreement } from '../support/promql.ts';
import { findPrometheus3, skippedWithout } from '../support/senders.ts';

/**
 * A real Prometheus scrapes targets that count, jump, are reset, come and go and are not numbers at times, and writes to an adapter. What the
 * queries of `athena/queries/` answer from the archive is then what that Prometheus answers itself: none missing, none too many, and no
 * relative error above 10⁻⁹. Through the views of `query` and through those of `athena/`.
 */

const RUN_MS = 240_000;
const LONGEST_WINDOW_MS = 10_000;
const ALL_AGREE = { missing: 0, surplus: 0, different: 0, examples: [] };
const { directory, atEnd } = e2eDirectory();

interface Run {
  readonly asked: AskedOf;
  readonly asker: Asker;
  readonly athena: AthenaOnDuckdb;
  readonly prometheus: Prometheus;
}

const reason = reasonToSkip('the agreement of the queries with a real Prometheus');
const program3 = findPrometheus3();

testAgreement(`Prometheus${reason === undefined ? '' : ` (SKIPPED: ${reason})`}`, {
  isSkipped: reason !== undefined,
  isVersion3: false,
});
testAgreement(`Prometheus 3${skippedWithout(program3, 'PROMETHEUS3')}`, {
  isSkipped: program3 === undefined,
  isVersion3: true,
});

function testAgreement(title: string, { isSkipped, isVersion3 }: { isSkipped: boolean; isVersion3: boolean }): void {
  describe.skipIf(isSkipped)(title, { timeout: RUN_MS }, () => {
    let started: Promise<Run> | undefined;
    // Not a hook: what fails here is to fail tests, and a failed hook skips them.
    const run = () => (started ??= start(isVersion3 ? program3 : undefined));
    const titles = agreementTitles(isVersion3);
    const table: string[] = [];

    test.each(titles)('%s', async (name) => {
      const { asked, asker } = await run();
      const asCase = agreementCases(asked).find((one) => one.title === name)!;
      const agreement = await agreementOf(asker, 'query', asCase);
      table.push(rowOf(name, agreement));
      expect(agreement).toMatchObject(ALL_AGREE);
      expect(agreement.evaluations).toBeGreaterThan(50);
      expect(await agreementOf(asker, 'athena', asCase)).toMatchObject(ALL_AGREE);
    });

    test.each(['query', 'athena'] as const)('week over week, of the views of %s', async (views) => {
      const { asked, asker } = await run();
      for (const asCase of weekOverWeek(asked)) {
        expect(await agreementOf(asker, views, asCase)).toMatchObject(ALL_AGREE);
      }
    });

    test('uptime, restarts and resets', async () => {
      const { asked, athena, prometheus } = await run();
      const { parameters, at, range } = spanOf(asked);
      const rowsOf = async (query: string, more: Parameters) =>
        (await athena.rows(libraryQuery(query, { ...parameters, ...more }))).map(
          (row) => [answerKey(row['labels'] as Record<string, string>, at.toMs), row] as const,
        );
      const up = new Map((await rowsOf('uptime', { interval: 1 })).map(([key, row]) => [key, Number(row['up'])]));
      expect(compareAnswers(await ask(prometheus, `avg_over_time(up[${range}])`, at), up)).toMatchObject(ALL_AGREE);
      expect([...up.values()].some((share) => share < 1)).toBe(true);
      for (const [query, metric, promql] of [
        ['restarts', 'agreement_start_time_seconds', 'changes'],
        ['counter_resets', 'agreement_requests_total', 'resets'],
      ] as const) {
        const counts = new Map<string, number>();
        for (const [key] of await rowsOf(query, { metric })) counts.set(key, (counts.get(key) ?? 0) + 1);
        const expected = await ask(prometheus, `${promql}(${metric}[${range}]) > 0`, at);
        expect(expected.size).toBeGreaterThan(0);
        expect([query, compareAnswers(expected, counts)]).toMatchObject([query, ALL_AGREE]);
      }
    });

    test('SLO burn', async () => {
      const { asked, athena, prometheus } = await run();
      const { parameters, at } = spanOf(asked);
      const windows = { window_1: 3, window_2: 5, window_3: 10, window_4: 20 };
      const { datehour } = parameters;
      const metric = 'agreement_requests_total';
      const more = { metric, by: 'part', datehour, at: new Date(at.toMs), objective: 0.9, prometheus: asked.version };
      const rows = await athena.rows(libraryQuery('slo_burn', { ...windows, ...more }));
      for (const window of Object.values(windows)) {
        const rate = (selector: string) => `sum by (part) (rate(${metric}${selector}[${window}s]))`;
        const expected = await ask(prometheus, `${rate('{code=~"5.."}')} / ${rate('')} / (1 - 0.9)`, at);
        const actual = rows
          .filter((row) => row['window_seconds'] === window)
          .map((row) => [answerKey({ part: String(row['label']) }, at.toMs), Number(row['burn_rate'])] as const);
        expect([window, compareAnswers(expected, new Map(actual))]).toMatchObject([window, ALL_AGREE]);
      }
    });

    test('cardinality by name', async () => {
      const { asked, athena, prometheus } = await run();
      const { parameters, at, range } = spanOf(asked);
      const rows = await athena.rows(libraryQuery('cardinality_by_name', { ...parameters, most: 100_000 }));
      const names = rows.map(({ name }) => String(name));
      const actual = rows.map(
        ({ name, series }) => [`${String(name)} ${answerKey({}, at.toMs)}`, Number(series)] as const,
      );
      const promql = (name: string) => `count(last_over_time({__name__="${name}"}[${range}]))`;
      const expected = await askAll(prometheus, asked.everyMetric, promql, at);
      expect(names.length).toBeGreaterThan(100);
      expect(compareAnswers(expected, new Map(actual))).toMatchObject(ALL_AGREE);
    });

    if (isVersion3) {
      test('histogram_quantile, native, as stored', async () => {
        const { asked, athena, prometheus } = await run();
        const agreements: Agreement[] = [];
        for (const quantile of QUANTILES) {
          agreements.push(await agreementOfStored({ span: asked.between, quantile, athena, prometheus }));
        }
        table.push(rowOf('histogram_quantile, native, as stored', ...agreements));
        for (const agreement of agreements) {
          expect(agreement).toMatchObject(ALL_AGREE);
          expect(agreement.evaluations).toBeGreaterThan(200);
        }
      });
    }

    test('the table', async () => {
      const { prometheus, athena } = await run();
      console.log(`e2e: Prometheus ${prometheus.version}\n\n${table.join('\n')}\n`);
      expect(table.length).toBeGreaterThanOrEqual(titles.length);
      athena.close();
      await prometheus.end();
    });
  });
}

async function start(program: string | undefined): Promise<Run> {
  const isVersion3 = program !== undefined;
  if (!isVersion3) mustHavePrometheus();
  const { prometheus, files, span } = await runForAgreement({
    ...(isVersion3 && { program }),
    isVersion3,
    directory: join(directory, isVersion3 ? '3' : '2'),
    atEnd,
  });
  const athena = await openAthena({ paths: { json: files, parquet: [] } });
  const everyMetric = (await athena.rows('SELECT DISTINCT name FROM samples')).map(({ name }) => String(name)).sort();
  const earliestMs = span.fromMs + LONGEST_WINDOW_MS;
  const [first] = await athena.rows(
    `SELECT min(time) AS time FROM samples WHERE name = 'agreement_level' AND time >= ${earliestMs}`,
  );
  const onSamples = { fromMs: Number(first!['time']), toMs: span.toMs, stepSeconds: 1 };
  return {
    prometheus,
    athena,
    asker: new Asker(prometheus, athena),
    asked: {
      version: prometheus.version.startsWith('2.') ? 2 : 3,
      hasNativeHistograms: isVersion3,
      everyMetric,
      ownMetrics: everyMetric.filter((name) => /^(?:agreement|odd|native|up$|scrape)/.test(name)),
      between: { ...onSamples, fromMs: onSamples.fromMs + 457 },
      onSamples,
    },
  };
}
