import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import {
  DAYS_END_MS,
  endOfHour,
  fileName,
  frameMember,
  hourFolder,
  MEMBER_HEADER_BYTES,
  linesFileName,
  memberLength,
  parseHourFolder,
  parseRunFolder,
  parseSampleDay,
  runFolder,
  sampleDay,
} from '../../src/archive.ts';

const HOUR_MS = 3_600_000;

describe('folders and names', () => {
  test.each([
    [0, '1970/01/01/00'],
    [Date.UTC(2026, 10, 20, 10), '2026/11/20/10'],
    [Date.UTC(2026, 10, 20, 10) - 1, '2026/11/20/09'],
    [Date.UTC(2024, 1, 29, 23, 59, 59, 999), '2024/02/29/23'],
    [Date.UTC(2026, 11, 31, 23), '2026/12/31/23'],
  ])('%d lies in %s', (timeMs, folder) => {
    expect(hourFolder(timeMs)).toBe(folder);
    expect(parseHourFolder(folder)).toBe(timeMs - (timeMs % HOUR_MS));
    expect(endOfHour(timeMs)).toBe(timeMs - (timeMs % HOUR_MS) + HOUR_MS);
  });

  test.each([
    '',
    '2026',
    '2026/11/20',
    '2026/11/20/24',
    '2026/13/01/00',
    '2023/02/29/00',
    '26/11/20/10',
    '2026/11/20/10/',
    '/2026/11/20/10',
    '2026/11/20/1x',
    '0001/01/01/00',
  ])('%j is no hour folder', (folder) => {
    expect(parseHourFolder(folder)).toBeUndefined();
  });

  test('a file is named as Firehose names them', () => {
    expect(fileName(Date.UTC(2026, 10, 20, 10, 4, 5, 678), 'id')).toBe('prometheus-1-2026-11-20-10-04-05-id.json.gz');
  });
});

describe('partitions of compacted lines', () => {
  test.each([
    [0, '1970-01-01'],
    [86_399_999, '1970-01-01'],
    [86_400_000, '1970-01-02'],
    [Date.UTC(2026, 10, 20, 23, 59, 59, 999), '2026-11-20'],
    [DAYS_END_MS - 1, '2199-12-31'],
    [DAYS_END_MS, 'other'],
    [-1, 'other'],
    [Number(2n ** 63n - 1n), 'other'],
    [-(2 ** 63), 'other'],
    [NaN, 'other'],
  ])('%d is of the day %s', (timeMs, day) => {
    expect(sampleDay(timeMs)).toBe(day);
    expect(parseSampleDay(day)).toBe(day === 'other' ? undefined : timeMs - (timeMs % 86_400_000));
    expect(parseRunFolder(runFolder(day, '20261121T000000Z-0af3'))).toBe(day);
  });

  test.each([
    'day=2026-11-20',
    'day=2026-11-20/',
    'day=2026-11-20/run=',
    'day=2026-11-20/run=..',
    'day=2026-11-20/run=a/b',
    'day=2026-02-30/run=a',
    'day=2200-01-01/run=a',
    'day=../run=a',
    'day=/run=a',
    'compacted/day=other/run=a',
  ])("%j is no run's folder", (folder) => {
    expect(parseRunFolder(folder)).toBeUndefined();
  });

  test("a run's files are in the order of their names", () => {
    expect([0, 9, 10, 999].map(linesFileName)).toEqual([
      'lines-000.parquet',
      'lines-009.parquet',
      'lines-010.parquet',
      'lines-999.parquet',
    ]);
  });
});

describe('members', () => {
  const texts = ['{"a":1}\n', '', 'é'.repeat(100_000)];
  const members = texts.map((text) => frameMember(gzipSync(text, { level: 1 })));

  test('are gzip members of their text, one by one and behind each other', () => {
    members.forEach((member, index) => {
      expect(gunzipSync(member).toString()).toBe(texts[index]);
    });
    expect(gunzipSync(Buffer.concat(members)).toString()).toBe(texts.join(''));
  });

  test('say their length, at any offset of a larger buffer', () => {
    const file = Buffer.concat([Buffer.from('junk'), ...members]).subarray(4);
    let offset = 0;
    for (const member of members) {
      expect(memberLength(file, offset)).toBe(member.length);
      offset += member.length;
    }
    expect(memberLength(file, offset)).toBeUndefined();
  });

  test('have no length before their header is whole', () => {
    for (let length = 0; length <= MEMBER_HEADER_BYTES; length++) {
      const expected = length < MEMBER_HEADER_BYTES ? undefined : members[0]!.length;
      expect(memberLength(members[0]!.subarray(0, length))).toBe(expected);
    }
  });

  test.each([
    ['a plain gzip stream', gzipSync('x'.repeat(100), { level: 0 })],
    ['zeros', new Uint8Array(100)],
    ['text', Buffer.from('{"name":"up"}'.repeat(10))],
    ['a length of nothing', Buffer.from(members[0]!).fill(0, 16, 20)],
    ['a length of a header alone', Buffer.from(members[0]!).fill(MEMBER_HEADER_BYTES, 16, 17)],
    ["another program's extra field", Buffer.from(members[0]!).fill(0x42, 12, 14)],
  ])('%s is none', (_, bytes) => {
    expect(memberLength(bytes)).toBeUndefined();
  });

  test.each([
    ['bytes that are no gzip', Buffer.from('{"name":"up"}')],
    ['a gzip stream with a field in its header', members[0]!],
    ['nothing', new Uint8Array(0)],
  ])('%s cannot become one', (_, bytes) => {
    expect(() => frameMember(bytes)).toThrow(TypeError);
  });
});
