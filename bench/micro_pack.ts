/** Lines of many requests become the records of a call. */
import assert from 'node:assert/strict';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Lines } from '../src/record.ts';
import { spanBytes, type Batch, type SinkLimits, type Span } from '../src/sinks/sink.ts';
import { LineQueue, type Waiting } from '../src/write/batch.ts';
import { BufferPool } from '../src/buffer_pool.ts';
import { createPacker, type Packer, type Packing } from '../src/write/pack.ts';
import type { Stage } from './micro_measure.ts';

/** The default of --record-bytes. */
const RECORD_BYTES = 25_600;

/** Requests whose lines wait for a call, and the same lines as the plain way has them. */
export interface PackJob {
  readonly samples: number;
  readonly requests: readonly Lines[];
  /** The lines of all the requests, one behind the other. */
  readonly bytes: Buffer;
  /** The lines of each record with gzip. */
  readonly gzipLines: readonly (readonly string[])[];
}

export function makePackJob(requests: readonly Lines[], limits: SinkLimits): PackJob {
  const fills = takeFills(requests, packerOf('gzip', limits));
  return {
    samples: requests.reduce((sum, { ends }) => sum + ends.length, 0),
    requests,
    bytes: Buffer.concat(requests.map(({ bytes }) => bytes)),
    gzipLines: fills.map((spans) => Array.from(splitLines(Buffer.concat(spans.map(spanBytes))), String)),
  };
}

/** The records of calls, as they are made of waiting lines. */
export async function pack(requests: readonly Lines[], packer: Packer): Promise<Batch> {
  return (await packer.pack(takeFills(requests, packer))).batch;
}

export function packerOf(packing: Packing, limits: SinkLimits): Packer {
  return createPacker({ packing, recordBytes: RECORD_BYTES, limits, pool: new BufferPool(), random: Math.random });
}

function takeFills(requests: readonly Lines[], packer: Packer): Span[][] {
  const queue = new LineQueue<Waiting>();
  for (const lines of requests) queue.add({ lines, queuedAtMs: 0, ranges: [] });
  const fills = [];
  while (queue.count > 0) fills.push(queue.take(packer.fill));
  return fills;
}

/** A buffer for each line. */
export function splitLines(bytes: Buffer): Buffer[] {
  const lines = [];
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(10, start) + 1;
    lines.push(bytes.subarray(start, end));
    start = end;
  }
  return lines;
}

/** Lines, put together to records that are not longer than they should be. */
function joinLines(lines: readonly Buffer[], maxBytes: number): Buffer[] {
  const records = [];
  let record: Buffer[] = [];
  let size = 0;
  for (const line of lines) {
    if (size + line.length > maxBytes) {
      records.push(Buffer.concat(record));
      record = [];
      size = 0;
    }
    record.push(line);
    size += line.length;
  }
  records.push(Buffer.concat(record));
  return records;
}

/** Packing need not copy, so this is no floor: it tells what a copy would cost. */
function copyInPieces(bytes: Buffer, maxBytes: number): Buffer[] {
  const pieces = [];
  for (let at = 0; at < bytes.length; at += maxBytes) pieces.push(Buffer.from(bytes.subarray(at, at + maxBytes)));
  return pieces;
}

export function packStages(limits: SinkLimits): readonly Stage<PackJob>[] {
  const none = packerOf('none', limits);
  const lines = packerOf('lines', limits);
  const gzip = packerOf('gzip', limits);
  const maxRecordBytes = RECORD_BYTES - limits.overheadBytesPerRecord;
  const floor = {
    title: 'for scale: a copy of the lines, in such pieces',
    run: ({ bytes }: PackJob) => copyInPieces(bytes, maxRecordBytes),
  };
  return [
    {
      name: 'pack',
      title: 'pack, a line per record',
      check: ([ours, plain], { bytes }) => {
        assert.deepEqual(recordsOf(ours as Batch).flatMap(splitLines), plain);
        assert.deepEqual(Buffer.concat(plain as Buffer[]), bytes);
      },
      candidates: [
        { title: 'LineQueue and Packer, no copy', run: ({ requests }) => pack(requests, none) },
        { title: 'a Buffer per line', run: ({ bytes }) => splitLines(bytes) },
        floor,
      ],
    },
    {
      name: 'pack',
      title: 'pack, lines',
      check: ([ours, plain], { bytes }) => {
        assert.deepEqual(recordsOf(ours as Batch), plain);
        assert.deepEqual(Buffer.concat(plain as Buffer[]), bytes);
      },
      candidates: [
        { title: 'LineQueue and Packer, few copies', run: ({ requests }) => pack(requests, lines) },
        {
          title: 'a Buffer per line, Buffer.concat per record',
          run: ({ bytes }) => joinLines(splitLines(bytes), maxRecordBytes),
        },
        floor,
      ],
    },
    {
      name: 'gzip',
      title: 'gzip, with packing',
      check: ([ours, ...others], { bytes }) => {
        const results = [recordsOf(ours as Batch), ...(others as Buffer[][])];
        for (const records of results) assert.deepEqual(Buffer.concat(records.map((each) => gunzipSync(each))), bytes);
      },
      candidates: [
        { title: 'LineQueue and Packer', run: ({ requests }) => pack(requests, gzip) },
        {
          title: 'strings joined, Buffer.from, gzipSync, level 3 as ours',
          run: ({ gzipLines }) => gzipJoined(gzipLines, 3),
        },
        { title: 'the same, level 6, the default', run: ({ gzipLines }) => gzipJoined(gzipLines, 6), jobsPerTurn: 1 },
        { title: 'floor: one gzipSync of all the lines, level 3', run: ({ bytes }) => [gzipSync(bytes, { level: 3 })] },
      ],
    },
  ];
}

function gzipJoined(records: PackJob['gzipLines'], level: number): Buffer[] {
  return records.map((lines) => gzipSync(Buffer.from(lines.join('')), { level }));
}

/** Each span as one buffer: a record where they are packed, a run of them where they are lines. */
function recordsOf(batch: Batch): Buffer[] {
  return batch.map((span) => Buffer.from(spanBytes(span)));
}
