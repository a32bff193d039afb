import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import { encodeRecord } from '../../src/record.ts';
import { temporaryDir } from '../support/archive.ts';
import { FRACTIONS, HISTOGRAM_CASES, QUANTILES } from '../support/histogram_cases.ts';
import { nativeHistogram } from '../support/native_histograms.ts';
import { startHistogramStore } from '../support/histogram_store.ts';
import { rowsOf, writeArchiveFile } from '../support/query_archive.ts';
import { findPrometheus3, skippedWithout } from '../support/senders.ts';

/**
 * Path of a Prometheus 3 that is asked as well. With RECORD_ANSWERS=1 its answers replace the recorded ones:
 * PROMETHEUS3=/path/to/prometheus RECORD_ANSWERS=1 npx vitest run test/integration/histogram_macros.test.ts
 */
const PROMETHEUS3 = findPrometheus3();
const RECORDED = new URL('../fixtures/histograms-3.5.3/answers.json', import.meta.url);
const MAX_RELATIVE_ERROR = 1e-9;

const HISTOGRAMS = new Map(Object.entries(HISTOGRAM_CASES).map(([name, plain]) => [name, nativeHistogram(plain)]));

/** What is asked, as PromQL and as SQL over a row h. */
const QUESTIONS = [
  ...QUANTILES.map((q) => [`histogram_quantile(${promql(q)}, h)`, `histogram_quantile(${sql(q)}, h)`] as const),
  ...FRACTIONS.map(
    ([low, high]) =>
      [
        `histogram_fraction(${promql(low)}, ${promql(high)}, h)`,
        `histogram_fraction(${sql(low)}, ${sql(high)}, h)`,
      ] as const,
  ),
  ['histogram_avg(h)', 'histogram_avg(h)'] as const,
];

/** The answers to QUESTIONS, by the name of the histogram. */
type Answers = Readonly<Record<string, readonly number[]>>;

interface Recorded {
  readonly from: string;
  /** Of the lines and the questions, so that a change to them cannot pass unrecorded. */
  readonly sha256: string;
  readonly answers: Readonly<Record<string, readonly string[]>>;
}

function promql(value: number): string {
  return String(value).replace('Infinity', 'Inf');
}

function sql(value: number): string {
  return `CAST('${value}' AS DOUBLE)`;
}

const LINES = Array.from(HISTOGRAMS, ([name, histogram]) =>
  encodeRecord({
    kind: 'histogram',
    time: 0n,
    labels: [
      { name: '__name__', value: 'h' },
      { name: 'case', value: name },
    ],
    histogram,
  }),
);

async function askDuckdb(): Promise<Answers> {
  const archiveDir = temporaryDir();
  writeArchiveFile(archiveDir, '2026/11/20/10/a.json.gz', [LINES]);
  const questions = QUESTIONS.map(([, question]) => question).join(', ');
  const rows = await rowsOf(`SELECT labels['case'] AS name, [${questions}] AS answers FROM histograms AS h`, {
    archiveDir,
  });
  return Object.fromEntries(rows.map(({ name, answers }) => [String(name), (answers as unknown[]).map(Number)]));
}

async function askPrometheus(program: string): Promise<Recorded> {
  const store = await startHistogramStore(program, temporaryDir());
  onTestFinished(() => store.end());
  await store.write(HISTOGRAMS);
  const answers: Record<string, string[]> = Object.fromEntries(Array.from(HISTOGRAMS.keys(), (name) => [name, []]));
  for (const [question] of QUESTIONS) {
    for (const [name, value] of await store.ask(question)) answers[name]!.push(value);
  }
  return { from: `Prometheus ${store.version}`, sha256: hashOfQuestions(), answers };
}

function hashOfQuestions(): string {
  return createHash('sha256')
    .update(JSON.stringify([LINES, QUESTIONS.map(([question]) => question)]))
    .digest('hex');
}

function numbersOf({ answers }: Recorded): Answers {
  return Object.fromEntries(
    Object.entries(answers).map(([name, texts]) => [
      name,
      texts.map((text) => Number(text.replace('Inf', 'Infinity'))),
    ]),
  );
}

/** What does not agree, in words; nothing else to read when all does. */
function disagreements(ours: Answers, theirs: Answers): string[] {
  return Object.entries(theirs).flatMap(([name, expected]) =>
    QUESTIONS.flatMap(([question], index) => {
      const answer = ours[name]![index]!;
      return relativeError(answer, expected[index]!) <= MAX_RELATIVE_ERROR
        ? []
        : [`${name}: ${question} is ${expected[index]!}, not ${answer}`];
    }),
  );
}

function relativeError(answer: number, expected: number): number {
  if (Object.is(answer, expected) || answer === expected) return 0;
  const error = Math.abs((answer - expected) / expected);
  return Number.isNaN(error) ? Infinity : error;
}

it('agree with the recorded answers of a real Prometheus 3', async () => {
  const recorded = JSON.parse(readFileSync(RECORDED, 'utf8')) as Recorded;
  expect(recorded.sha256, 'the questions changed: record the answers anew').toBe(hashOfQuestions());
  expect(disagreements(await askDuckdb(), numbersOf(recorded))).toEqual([]);
});

it.skipIf(PROMETHEUS3 === undefined)(
  `agree with a real Prometheus 3 that runs${skippedWithout(PROMETHEUS3, 'PROMETHEUS3')}`,
  async () => {
    const answers = await askPrometheus(PROMETHEUS3!);
    if (process.env['RECORD_ANSWERS'] !== undefined) {
      writeFileSync(RECORDED, JSON.stringify(answers, undefined, 1).replace(/",\n {3}/g, '", ') + '\n');
    }
    expect(disagreements(await askDuckdb(), numbersOf(answers))).toEqual([]);
  },
);
