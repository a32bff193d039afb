import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { frameMember, MEMBER_HEADER_BYTES } from '../../../src/archive.ts';
import { createLog } from '../../../src/log.ts';
import { openDirectorySink } from '../../../src/sinks/directory.ts';
import { archiveFiles, filesBelow, readArchive, temporaryDir } from '../../support/archive.ts';
import { fileHandlePrototype, systemError } from '../../support/file_handle.ts';
import { batchOf } from '../../support/lines.ts';
import { startWriter } from '../../support/writer_process.ts';

const logged: string[] = [];
const log = createLog({ level: 'info', format: 'logfmt', write: (line) => logged.push(line) });

const HOUR = '2026/11/20/10';
let dir: string;

beforeEach(() => {
  dir = temporaryDir();
  logged.length = 0;
});

/** A member of some lines, and of a few hundred bytes. */
function member(...texts: string[]): Uint8Array {
  return frameMember(gzipSync(texts.map((text) => `${text}\n`).join(''), { level: 1 }));
}

function leave(name: string, ...parts: Uint8Array[]): void {
  const path = join(dir, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, Buffer.concat(parts));
}

/** Starts, writes a line, ends. */
async function restart(): Promise<void> {
  const sink = await openDirectorySink({ dir, retentionMs: undefined, log });
  expect(await sink.send(batchOf(['{"later":1}']), new AbortController().signal)).toEqual([]);
  await sink.close();
}

/** Noise, so that a member has many offsets to be cut at. */
const noise = (): string => JSON.stringify({ noise: randomBytes(40).toString('base64') });
const A = member('{"a":1}', noise());
const B = member('{"b":1}', noise());
const C = member('{"c":1}', noise());

/** A member that says it is of 16 MiB. */
const TOO_LONG = Buffer.from(B).fill(0xff, 16, 19);

/** Bytes that are no member and hold no header of one. */
const garbage = (length: number) => Buffer.alloc(length, '{"not":"gzip"}');

function flipped(bytes: Uint8Array, offset: number): Uint8Array {
  const copy = Buffer.from(bytes);
  copy[offset]! ^= 0x40;
  return copy;
}

describe('a file that was left open', () => {
  test('is cut wherever its last member is torn, and nothing before it is lost', async () => {
    for (let cut = 0; cut < C.length; cut++) leave(`${HOUR}/cut-${cut}.json.gz.open`, A, B, C.subarray(0, cut));
    await restart();
    for (let cut = 0; cut < C.length; cut++) {
      expect(readFileSync(join(dir, HOUR, `cut-${cut}.json.gz`)).equals(Buffer.concat([A, B]))).toBe(true);
    }
    expect(archiveFiles(dir).filter((path) => !path.endsWith('.json.gz'))).toEqual([]);
    const cutBytes = (C.length * (C.length - 1)) / 2;
    expect(logged).toEqual([
      expect.stringMatching(`level=info .*files=${C.length} removedFiles=0 cutBytes=${cutBytes} damagedBytes=0`),
    ]);
  });

  test('is removed where its first member is torn', async () => {
    for (let cut = 0; cut < A.length; cut++) leave(`${HOUR}/cut-${cut}.json.gz.open`, A.subarray(0, cut));
    await restart();
    expect(readArchive(dir)).toEqual(['{"later":1}']);
    expect(filesBelow(dir).length).toBe(1);
    expect(logged).toEqual([expect.stringMatching(`files=${A.length} removedFiles=${A.length} `)]);
  });

  test.each([
    { title: 'whole', tail: [] },
    { title: 'zeros', tail: [Buffer.alloc(4096)] },
    { title: 'few zeros', tail: [Buffer.alloc(5)] },
    { title: 'a million zeros', tail: [Buffer.alloc(1_000_000)] },
    { title: 'a member whose last page is zeros', tail: [C.subarray(0, 50), Buffer.alloc(C.length - 50)] },
    { title: 'a member whose trailer is zeros', tail: [C.subarray(0, -8), Buffer.alloc(8)] },
    { title: 'a header and zeros', tail: [C.subarray(0, MEMBER_HEADER_BYTES), Buffer.alloc(9000)] },
    { title: 'a few bytes of garbage', tail: [garbage(MEMBER_HEADER_BYTES - 1)] },
  ])('keeps its whole members and needs no more: $title', async ({ tail }) => {
    leave(`${HOUR}/x.json.gz.open`, A, B, ...tail);
    await restart();
    expect(readFileSync(join(dir, HOUR, 'x.json.gz')).equals(Buffer.concat([A, B]))).toBe(true);
    expect(archiveFiles(dir).length).toBe(2);
    expect(logged).toEqual([expect.stringContaining('level=info')]);
  });

  test.each([
    { title: 'data in the middle', good: [A], tail: [flipped(B, 40), C] },
    { title: 'a header in the middle', good: [A], tail: [flipped(B, 1), C] },
    { title: 'a length in the middle', good: [A], tail: [flipped(B, 17), C] },
    { title: 'a CRC in the middle', good: [A], tail: [flipped(B, B.length - 8), C] },
    { title: 'the middle, with a torn end', good: [A], tail: [flipped(B, 40), C.subarray(0, 30)] },
    { title: 'data of the last member', good: [A, B], tail: [flipped(C, 40)] },
    { title: 'zeros between', good: [A], tail: [Buffer.alloc(4096), C] },
    { title: 'garbage behind', good: [A, B], tail: [garbage(100)] },
    { title: 'data of the first member', good: [], tail: [flipped(A, 40), B] },
    { title: 'a length beyond all bounds', good: [A], tail: [Buffer.from(B).fill(0xff, 16, 20), C] },
    { title: 'megabytes before a member', good: [A], tail: [garbage(1_000_003), C] },
    ...[-2, -1, 0, 1, 2, 19, 20, 21].map((shift) => ({
      title: `a header on the border of a chunk ${shift}`,
      good: [A],
      // By its length this would be a torn one.
      tail: [TOO_LONG, garbage(256 * 1024 + 1 - MEMBER_HEADER_BYTES + shift - TOO_LONG.length), C],
    })),
  ])('keeps what was damaged beside it: $title', async ({ good, tail }) => {
    leave(`${HOUR}/x.json.gz.open`, ...good, ...tail);
    await restart();
    const kept = Buffer.concat(tail);
    expect(readFileSync(join(dir, HOUR, 'x.json.gz.damaged')).equals(kept)).toBe(true);
    if (good.length > 0) expect(readFileSync(join(dir, HOUR, 'x.json.gz')).equals(Buffer.concat(good))).toBe(true);
    expect(archiveFiles(dir).length).toBe(good.length > 0 ? 3 : 2);
    expect(logged).toEqual([
      expect.stringMatching(`level=warn .*damaged.*bytes=${kept.length} kept=.*x.json.gz.damaged`),
      expect.stringMatching(
        `level=info .*removedFiles=${good.length > 0 ? 0 : 1} cutBytes=0 damagedBytes=${kept.length}`,
      ),
    ]);
  });

  test('is left alone where the archive does not keep files, or has one of that name', async () => {
    leave('x.json.gz.open', A);
    leave('2026/11/20/x.json.gz.open', A);
    leave('2026/11/20/24/x.json.gz.open', A);
    leave('2026/11/20/10/deeper/x.json.gz.open', A);
    leave('other/11/20/10/x.json.gz.open', A);
    leave(`${HOUR}/x.json.open`, A);
    leave(`${HOUR}/twice.json.gz`, A);
    leave(`${HOUR}/twice.json.gz.open`, B);
    const before = filesBelow(dir);
    const sink = await openDirectorySink({ dir, retentionMs: undefined, log });
    await sink.close();
    expect(filesBelow(dir)).toEqual(before);
    expect(logged).toEqual([expect.stringMatching(/level=warn msg="cannot recover.*twice\.json\.gz is there too/)]);
  });

  test('that cannot be recovered does not stop the start, and is next time', async () => {
    leave(`${HOUR}/x.json.gz.open`, A, B, C.subarray(0, 30));
    const truncate = vi.spyOn(await fileHandlePrototype(), 'truncate').mockRejectedValueOnce(systemError('EIO'));
    await restart();
    truncate.mockRestore();
    expect(archiveFiles(dir)).toContain(`${HOUR}/x.json.gz.open`);
    expect(logged.splice(0)).toEqual([expect.stringMatching(/level=warn msg="cannot recover.*EIO/)]);
    await restart();
    expect(readFileSync(join(dir, HOUR, 'x.json.gz')).equals(Buffer.concat([A, B]))).toBe(true);
  });

  test('is found in every hour', async () => {
    const hours = ['1999/01/01/00', '2024/02/29/23', '2026/11/20/09', HOUR];
    for (const hour of hours) leave(`${hour}/x.json.gz.open`, A);
    await restart();
    expect(archiveFiles(dir)).toEqual(expect.arrayContaining(hours.map((hour) => `${hour}/x.json.gz`)));
    expect(logged).toEqual([expect.stringContaining('files=4')]);
  });
});

test('a writer that is killed with -9 loses nothing that it acknowledged, however often', async () => {
  const acknowledged: string[] = [];
  for (let round = 1; round <= 3; round++) {
    const writer = await startWriter(dir);
    expect(writer.greeting).toBe('open');
    await writer.waitFor(30 * round);
    await writer.kill();
    acknowledged.push(...writer.acknowledged);
    expect(archiveFiles(dir).filter((path) => path.endsWith('.open')).length).toBe(1);
  }
  await restart();
  const lines = new Set(readArchive(dir));
  expect(acknowledged.filter((line) => !lines.has(line))).toEqual([]);
}, 120_000);
