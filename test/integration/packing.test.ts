import { readFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import SnappyJS from 'snappyjs';
import { resolveConfig, type GivenOptions } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { serve } from '../../src/serve.ts';
import { WriteRequest } from '../../src/wire/messages.ts';
import { temporaryDir } from '../support/archive.ts';
import { useFakeAwsEnvironment } from '../support/aws_env.ts';
import { startFakeKinesis, type FakeKinesis } from '../support/fake_kinesis.ts';
import { get, parseMetrics, write } from '../support/http.ts';
import { textsOf } from '../support/lines.ts';
import { rowsOf, writeBytes } from '../support/query_archive.ts';

useFakeAwsEnvironment();

const fixture = (name: string) => readFileSync(new URL(`../fixtures/${name}.bin`, import.meta.url));
const BODIES = ['rw1-2.42/001', 'rw1-2.42/043', 'rw1-3.5.3/000', 'rw1-3.5.3/016'].map(fixture);
const PACKINGS = ['none', 'lines', 'gzip'] as const;

/** The adapter in this process, with the SDK and sockets between it and a strict Kinesis. */
async function startPacking(options: GivenOptions) {
  const fake = await startFakeKinesis({ shards: 8 });
  const service = await serve({
    config: resolveConfig({
      streamName: 'history',
      region: 'us-east-1',
      endpointUrl: fake.url,
      listenAddr: { host: '127.0.0.1', port: 0 },
      ...options,
    }),
    log: createLog({ level: 'error', format: 'logfmt', write: () => undefined }),
    version: '0.0.0-test',
  });
  onTestFinished(async () => {
    await service.stop();
    await fake.close();
  });
  return { fake, port: service.port };
}

/** What Firehose lays down in S3: the records as they come, one behind the other. */
function objectOf({ records }: FakeKinesis): Buffer {
  return Buffer.concat(records.map(({ data }) => data));
}

describe('the same requests in each packing', () => {
  /** One row, whatever the order of the lines. */
  const SQL = `SELECT count(*) AS n, count(value) AS numbers, count(DISTINCT name) AS names, min(time) AS first, max(time) AS last,
    sum(time)::VARCHAR AS times, min(number) FILTER (isfinite(number)) AS least, max(number) FILTER (isfinite(number)) AS most,
    sum(length(name))::VARCHAR AS letters, bit_xor(hash(name, time, value, labels::VARCHAR))::VARCHAR AS everything
    FROM (SELECT *, TRY_CAST(value AS DOUBLE) AS number FROM samples_raw)`;

  async function deliver(packing: (typeof PACKINGS)[number]) {
    // So small that even these few requests make several records.
    const { fake, port } = await startPacking({ packing, ...(packing !== 'none' && { recordBytes: 8 * 1_024 }) });
    const answers = await Promise.all(BODIES.map((body) => write(port, body)));
    expect(answers.map(({ status }) => status)).toEqual(BODIES.map(() => 204));
    expect(fake.violations).toEqual([]);
    expect(fake.records.length).toBeGreaterThan(1);
    const object = objectOf(fake);
    // A reader of gzip takes the members for one.
    const archiveDir = temporaryDir();
    writeBytes(archiveDir, '2026/11/20/10/x.json.gz', packing === 'gzip' ? object : gzipSync(object));
    const [row] = await rowsOf(SQL, { archiveDir });
    const [samples] = await rowsOf('SELECT count(*) AS n, count(DISTINCT labels) AS series FROM samples', {
      archiveDir,
    });
    return { packing, records: fake.records.length, object, row, samples };
  }

  test('are the same lines in S3, and the same to SQL', async () => {
    const delivered = [];
    for (const packing of PACKINGS) delivered.push(await deliver(packing));
    const lines = delivered.map(({ packing, object }) =>
      textsOf(packing === 'gzip' ? gunzipSync(object) : object).sort(),
    );
    for (const { packing, records, object } of delivered) {
      console.log(`packing ${packing}: ${lines[0]!.length} lines in ${records} records, ${object.length} bytes`);
    }
    expect(lines[0]!.length).toBeGreaterThan(4_900);
    expect(lines[1]).toEqual(lines[0]);
    expect(lines[2]).toEqual(lines[0]);
    expect(Number(delivered[0]!.row!['n'])).toBe(lines[0]!.length);
    for (const { row, samples } of delivered) {
      expect(row).toEqual(delivered[0]!.row);
      expect(samples).toEqual(delivered[0]!.samples);
    }
  });
});

describe('gzip under load', () => {
  const SENDERS = 8;
  const SAMPLES = 200_000;
  const STEP_MS = 15_000;

  test(
    `puts at most 25 bytes a sample into records, and at most one record per 1,000 samples`,
    { timeout: 120_000 },
    async () => {
      const { fake, port } = await startPacking({ packing: 'gzip' });
      const bodies = [fixture('rw1-3.5.3/000'), fixture('rw1-3.5.3/016')].map((body) => new ChangingBody(body));
      let scrape = 0;
      const sender = async () => {
        for (let number = scrape++; number * 1_990 < SAMPLES; number = scrape++) {
          const body = bodies[number % bodies.length]!.at(number * STEP_MS);
          expect((await write(port, body)).status).toBe(204);
        }
      };
      const startedAt = performance.now();
      await Promise.all(Array.from({ length: SENDERS }, sender));
      const seconds = (performance.now() - startedAt) / 1_000;

      const metrics = parseMetrics((await get(port, '/metrics')).text);
      const samples = metrics.get('prometheus_kinesis_adapter_lines_delivered_total')!;
      const bytes = fake.records.reduce((sum, { data, partitionKey }) => sum + data.length + partitionKey.length, 0);
      const records = fake.records.length;
      console.log(
        `packing gzip, ${SENDERS} senders of 2,000 samples: ${samples} samples in ${seconds.toFixed(1)} s, ${(bytes / samples).toFixed(1)} bytes a sample, ` +
          `${records} records, ${(samples / records).toFixed(0)} samples and ${(bytes / records).toFixed(0)} bytes a record, ` +
          `${metrics.get('prometheus_kinesis_adapter_billing_units_total')} billing units, ${fake.calls.length} calls`,
      );
      expect(fake.violations).toEqual([]);
      expect(samples).toBeGreaterThanOrEqual(SAMPLES);
      expect(bytes / samples).toBeLessThanOrEqual(25);
      expect(samples / records).toBeGreaterThanOrEqual(1_000);
    },
  );
});

interface Message {
  readonly timeseries: readonly { readonly samples?: readonly { timestamp: unknown }[] }[];
}

/** A body that a real Prometheus sent, at other times: its scrapes before and after that one. */
class ChangingBody {
  readonly #message: Message;
  readonly #times: readonly bigint[];

  constructor(body: Uint8Array) {
    const { timeseries } = WriteRequest.decode(SnappyJS.uncompress(body)) as unknown as Message;
    this.#message = { timeseries };
    this.#times = this.#samples().map(({ timestamp }) => BigInt(String(timestamp)));
  }

  at(laterMs: number): Uint8Array {
    this.#samples().forEach((sample, index) => {
      const time = this.#times[index]! + BigInt(laterMs);
      sample.timestamp = { low: Number(BigInt.asIntN(32, time)), high: Number(time >> 32n), unsigned: false };
    });
    return SnappyJS.compress(WriteRequest.encode(this.#message).finish());
  }

  #samples() {
    return this.#message.timeseries.flatMap(({ samples }) => samples ?? []);
  }
}
