import { describe, expect, it } from 'vitest';
import { CommandError, ConfigError } from '../../../src/errors.ts';
import { parseTime, QUERY_OPTIONS, resolveTimeRange } from '../../../src/read/query_options.ts';

const AT_1045 = Date.UTC(2026, 10, 20, 10, 45, 13);

describe('a time', () => {
  it.each([
    ['RFC 3339 in UTC', '2026-11-20T10:45:13Z', AT_1045],
    ['RFC 3339 with an offset', '2026-11-20T12:15:13+01:30', AT_1045],
    ['RFC 3339 with a negative offset', '2026-11-20T03:45:13-07:00', AT_1045],
    ['RFC 3339 in lower case', '2026-11-20t10:45:13z', AT_1045],
    ['RFC 3339 with a space', '2026-11-20 10:45:13Z', AT_1045],
    ['one digit of a fraction', '2026-11-20T10:45:13.5Z', AT_1045 + 500],
    ['milliseconds', '2026-11-20T10:45:13.123Z', AT_1045 + 123],
    ['nanoseconds, which round up', '2026-11-20T10:45:13.123000001Z', AT_1045 + 124],
    ['nanoseconds that are zero', '2026-11-20T10:45:13.123000000Z', AT_1045 + 123],
    ['a day', '2026-11-20', Date.UTC(2026, 10, 20)],
    ['a leap day', '2028-02-29', Date.UTC(2028, 1, 29)],
    ['a day before the epoch', '1969-12-31', -86_400_000],
    ['epoch seconds', '1795171513', 1_795_171_513_000],
    ['epoch seconds with a fraction', '1795171513.057', 1_795_171_513_057],
    ['the epoch', '0', 0],
    ['11 digits are seconds', '10000000000', 10_000_000_000_000],
    ['12 digits are milliseconds', '100000000000', 100_000_000_000],
    ['epoch milliseconds', '1795171513057', 1_795_171_513_057],
    ['the last of 9999', '253402300799999', Date.UTC(9999, 11, 31, 23, 59, 59, 999)],
  ])('may be %s', (_name, text, expected) => {
    expect(parseTime(text)).toBe(expected);
  });

  it.each([
    '',
    'now',
    '2026-11-20T10:45:13',
    '2026-11-20T10:45Z',
    '2026-02-30',
    '2026-02-30T00:00:00Z',
    '2026-13-01',
    '2026-11-20T24:00:00Z',
    '2026-11-20T10:60:00Z',
    '2026-11-20T10:45:60Z',
    '2026-11-20T10:45:13+25:00',
    '2026-11-20T10:45:13.Z',
    '26-11-20',
    '-1',
    '1e9',
    '1795171513057.5',
    '9999999999999999',
    '253402300800000',
    ' 1795171513',
  ])('may not be %j', (text) => {
    expect(() => parseTime(text)).toThrow(ConfigError);
  });

  it('that is refused says what is expected', () => {
    expect(() => parseTime('yesterday')).toThrow(/RFC 3339 such as .*up to 11 digits.*12 digits or more/);
  });
});

describe('the options', () => {
  it.each([
    ['--format', () => QUERY_OPTIONS.format.parse('xml'), 'expected one of table, csv, json'],
    ['--since', () => QUERY_OPTIONS.sinceMs.parse('2 hours'), 'expected a duration from 1s to 36500d'],
    ['--since, too short', () => QUERY_OPTIONS.sinceMs.parse('0s'), 'expected a duration from 1s'],
    ['--workgroup', () => QUERY_OPTIONS.workgroup.parse('a b'), 'expected the name of a workgroup: 1 to 128 of'],
    ['--workgroup, too long', () => QUERY_OPTIONS.workgroup.parse('a'.repeat(129)), '1 to 128'],
    ['--database', () => QUERY_OPTIONS.database.parse('a\n'), 'expected the name of a database: 1 to 255'],
    ['--output-location', () => QUERY_OPTIONS.outputLocation.parse('bucket/x'), 's3://bucket/prefix/'],
    ['--output-location, a bad bucket', () => QUERY_OPTIONS.outputLocation.parse('s3://Bucket'), 's3://bucket/prefix/'],
    ['--output-location, an HTTP one', () => QUERY_OPTIONS.outputLocation.parse('https://s3/b'), 's3://bucket/prefix/'],
    ['--endpoint-url', () => QUERY_OPTIONS.endpointUrl.parse('x'), 'expected an http or https URL'],
    ['--memory-limit', () => QUERY_OPTIONS.memoryLimitBytes.parse('10MiB'), 'expected a size from 256MiB to 1024GiB'],
  ])('%s names its bound', (_name, parse, message) => {
    expect(parse).toThrow(message);
  });

  it.each([
    ['workgroup', 'a.B_c-1'],
    ['database', 'Daten-2 日本'],
    ['outputLocation', 's3://my.bucket-1'],
    ['outputLocation', 's3://bucket/prefix/with space/'],
  ] as const)('%s takes %s', (name, text) => {
    expect(QUERY_OPTIONS[name].parse(text)).toBe(text);
  });

  it('have defaults that they accept', () => {
    for (const { default: text, parse } of Object.values(QUERY_OPTIONS).filter(
      (option) => option.default !== undefined,
    )) {
      expect(() => parse(text!)).not.toThrow();
    }
    expect(QUERY_OPTIONS.memoryLimitBytes.parse(QUERY_OPTIONS.memoryLimitBytes.default!)).toBe(1024 ** 3);
  });
});

describe('the time range', () => {
  const nothing = { sinceMs: undefined, fromMs: undefined, toMs: undefined };

  it.each([
    ['nothing', {}, { fromMs: undefined, toMs: undefined }],
    ['--since', { sinceMs: 1_000 }, { fromMs: 9_000, toMs: undefined }],
    ['--since and --to', { sinceMs: 1_000, toMs: 9_500 }, { fromMs: 9_000, toMs: 9_500 }],
    ['--from', { fromMs: 0 }, { fromMs: 0, toMs: undefined }],
    ['--from and --to', { fromMs: 1, toMs: 2 }, { fromMs: 1, toMs: 2 }],
  ])('follows from %s', (_name, given, expected) => {
    expect(resolveTimeRange({ ...nothing, ...given }, 10_000)).toEqual(expected);
  });

  it.each([
    ['--since with --from', { sinceMs: 1, fromMs: 1 }, '--since and --from both'],
    ['--to at --from', { fromMs: 2, toMs: 2 }, 'no time is left'],
    ['--to before --since', { sinceMs: 1_000, toMs: 8_000 }, 'begins at 1970-01-01T00:00:09.000Z'],
  ])('refuses %s', (_name, given, message) => {
    expect(() => resolveTimeRange({ ...nothing, ...given }, 10_000)).toThrow(CommandError);
    expect(() => resolveTimeRange({ ...nothing, ...given }, 10_000)).toThrow(message);
  });
});
