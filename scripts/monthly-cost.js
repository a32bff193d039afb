// The monthly bill of Kinesis and Firehose by packing and path, as the README has it: bytes per sample measured on the fixtures by the packers
// themselves, list prices of us-east-1. Prints the table; needs a build. The price of S3, of Athena and of the machine is not in it.
import { readdirSync, readFileSync } from 'node:fs';
import { Flattener } from '../dist/write/flatten.js';
import { BufferPool } from '../dist/buffer_pool.js';
import { LineQueue } from '../dist/write/batch.js';
import { createPacker } from '../dist/write/pack.js';
import { decodeSnappy } from '../dist/wire/snappy.js';

const SAMPLES_PER_SECOND = [1_000, 10_000, 100_000];
const RECORD_BYTES = 25 * 1024;

/** List prices, us-east-1, November 2026, in US dollars: aws.amazon.com/kinesis/data-streams/pricing and aws.amazon.com/firehose/pricing. */
const PRICES = {
  shardHour: 0.015,
  millionPutUnits: 0.014,
  /** Per GiB, by the GiB of a month: the first 500 TiB, the next 1.5 PiB, then all the rest. */
  firehose: [
    { upToGib: 512_000, perGib: 0.029 },
    { upToGib: 2_048_000, perGib: 0.025 },
    { upToGib: Infinity, perGib: 0.02 },
  ],
};
const HOURS = 720;
const SECONDS = HOURS * 3600;
const PUT_UNIT_BYTES = 25 * 1024;
const FIREHOSE_UNIT_BYTES = 5 * 1024;
const SHARD = { recordsPerSecond: 1_000, bytesPerSecond: 1_000_000 };
const KEY_BYTES = 8;

/** The lines of every remote write 1.0 body with samples in the fixtures, over and over with other times. */
function fixtureLines() {
  const flattener = new Flattener();
  const options = { version: 1, arrivedAtMs: 0, maxTimeMs: undefined, maxLinesBytes: 2 ** 30, maxLineBytes: 1_000_000 };
  return ['rw1-2.42', 'rw1-3.5.3'].flatMap((folder) => {
    const url = new URL(`../test/fixtures/${folder}/`, import.meta.url);
    const bodies = readdirSync(url).filter((name) => name.endsWith('.bin'));
    return bodies.flatMap((name) => {
      const { lines, counts } = flattener.flatten(decodeSnappy(readFileSync(new URL(name, url)), 2 ** 26), options);
      return counts.sample === 0 ? [] : [lines];
    });
  });
}

/** Bytes of a record, its key included, and samples in it, as a packer makes them of the fixtures. */
async function measure(packing) {
  const limits = {
    maxRecordsPerCall: 500,
    maxBytesPerCall: 5 * 1024 ** 2,
    overheadBytesPerRecord: KEY_BYTES,
    maxRecordBytes: 1_000_000,
    maxCallsInFlight: 1,
  };
  const packer = createPacker({
    packing,
    recordBytes: RECORD_BYTES,
    limits,
    pool: new BufferPool(),
    random: () => 0.5,
  });
  const queue = new LineQueue();
  for (let round = 0; round < 20; round++) {
    for (const lines of fixtureLines()) queue.add({ lines, queuedAtMs: 0, ranges: [] });
  }
  let samples = 0;
  let bytes = 0;
  let records = 0;
  while (queue.fills(packer.fill)) {
    const fill = queue.take(packer.fill);
    const { batch } = await packer.pack([fill]);
    for (const { from, to } of fill) samples += to - from;
    for (const { lines, from, to } of batch) {
      records += to - from;
      bytes += lines.ends[to - 1] - (from === 0 ? 0 : lines.ends[from - 1]) + (to - from) * KEY_BYTES;
    }
  }
  return { bytesPerSample: bytes / samples, samplesPerRecord: samples / records };
}

function monthly({ bytesPerSample, samplesPerRecord }, samplesPerSecond, hasStream) {
  const records = samplesPerSecond / samplesPerRecord;
  const recordBytes = bytesPerSample * samplesPerRecord;
  const shards = Math.max(
    1,
    Math.ceil(records / SHARD.recordsPerSecond),
    Math.ceil((records * recordBytes) / SHARD.bytesPerSecond),
  );
  const stream =
    shards * HOURS * PRICES.shardHour +
    (records * Math.ceil(recordBytes / PUT_UNIT_BYTES) * SECONDS * PRICES.millionPutUnits) / 1e6;
  const billedBytes = Math.ceil(recordBytes / FIREHOSE_UNIT_BYTES) * FIREHOSE_UNIT_BYTES;
  return (hasStream ? stream : 0) + firehose((records * billedBytes * SECONDS) / 2 ** 30);
}

function firehose(gib) {
  let cost = 0;
  let from = 0;
  for (const { upToGib, perGib } of PRICES.firehose) {
    cost += Math.max(0, Math.min(gib, upToGib) - from) * perGib;
    from = upToGib;
  }
  return cost;
}

const dollars = (amount) => `$${amount < 10 ? amount.toFixed(2) : Math.round(amount).toLocaleString('en-US')}`;

const rows = [];
for (const packing of ['none', 'lines', 'gzip']) {
  const measured = await measure(packing);
  for (const hasStream of [true, false]) {
    const path = hasStream ? 'Kinesis and Firehose' : 'Firehose alone';
    const costs = SAMPLES_PER_SECOND.map((rate) => dollars(monthly(measured, rate, hasStream)));
    rows.push(
      `| \`${packing}\` | ${path} | ${measured.bytesPerSample.toFixed(1)} | ${Math.round(measured.samplesPerRecord).toLocaleString('en-US')} | ${costs.join(' | ')} |`,
    );
  }
}
const rates = SAMPLES_PER_SECOND.map((rate) => `${rate.toLocaleString('en-US')} samples/s`).join(' | ');
console.log(`| packing | path | bytes a sample | samples a record | ${rates} |`);
console.log('|---|---|---|---|---|---|---|');
console.log(rows.join('\n'));
