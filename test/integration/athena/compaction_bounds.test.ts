import { describe, expect, test } from 'vitest';
import { asSet, compact, Expected, lakeOf, machineOfDays, rowsOf } from '../../support/compaction.ts';
import { arrivals, firehoseName } from '../../support/lake_archive.ts';
import { sampleLine } from '../../support/query_archive.ts';
import { StatesError, type Service } from '../../support/states.ts';

/** What compaction leaves alone, and what it stops at. */

const DAY = '2026/11/18';
const AT = Date.UTC(2026, 10, 18, 12);
const ONE_DAY = new Map([[`${DAY}/12`, [sampleLine('x', AT), sampleLine('x', AT + 1)]]]);

test.each([
  ['2026-11-28T00:00:00.000Z', '2026/11/19/00'],
  ['2026-11-27T23:59:59.999Z', '2000/01/01/00'],
])('at %s lines of the 18th are compacted before %s', async (now, hour) => {
  const lake = await lakeOf(ONE_DAY);
  await compact(lake, now);
  expect(lake.catalog.table('compacted').properties['compacted_before']).toBe(hour);
});

const NOW = '2026-12-24T00:00:00.000Z';

test('an empty archive gets its views, and answers', async () => {
  const lake = await lakeOf(new Map());
  await compact(lake, NOW);
  expect(await lake.query('SELECT count(*) AS n FROM samples')).toEqual([['n'], ['0']]);
});

test.each(['missing', 'double', 'strange', 'of another hour'])(
  'a row that is %s stops it before a reader sees it',
  async (how) => {
    const lines = arrivals(6, [`${DAY}/12`, '2026/11/19/12'], 25);
    const lake = await lakeOf(lines);
    await compact(lake, '2026-11-28T00:00:00.000Z');
    const before = {
      rows: await rowsOf(lake, 'samples_raw'),
      partitions: new Map(lake.catalog.table('compacted').partitions),
    };
    const tampered: Service = async (resource, args) => {
      const sql = String(args['QueryString']);
      if (!sql.startsWith('UNLOAD') || !sql.includes('day=2026-11-19/')) return lake.service(resource, args);
      const inner = /^UNLOAD \((.*)\) TO /s.exec(sql)![1]!;
      const other = {
        missing: `SELECT * FROM (${inner}) OFFSET 1`,
        double: `SELECT * FROM (${inner}) UNION ALL (SELECT * FROM (${inner}) LIMIT 1)`,
        strange: inner.replace('time, max(start)', 'time + 1 AS time, max(start)'),
        'of another hour': inner.replace('min(datehour)', "'2026/11/19/13'"),
      }[how]!;
      return lake.service(resource, { ...args, QueryString: sql.replace(inner, () => other) });
    };
    await expect(compact(lake, NOW, tampered)).rejects.toThrow(/WrittenWrong: \d+ rows are not as they should be/);
    const after = lake.catalog.table('compacted');
    expect(after.partitions.get('2026-11-19')).toBe(before.partitions.get('2026-11-19'));
    expect(after.properties['compacted_before']).toBe('2026/11/19/00');
    expect(await rowsOf(lake, 'samples_raw')).toHaveLength(before.rows.length);
    await compact(lake, NOW);
    const rows = await new Expected(lines).rows('samples_raw', '2026/11/20/00');
    expect(asSet(await rowsOf(lake, 'samples_raw'))).toEqual(asSet(rows));
  },
);

test('an object among the hours that is no line stops it, and is named', async () => {
  const lake = await lakeOf(new Map([...ONE_DAY, ['2026/11', [sampleLine('x', AT)]]]));
  // 2026/11/18 comes first.
  await expect(compact(lake, NOW)).rejects.toThrow(
    /StrayObject: An object that is no line stands .*: 2026.11.prometheus/,
  );
  expect(lake.catalog.table('compacted').properties['compacted_before']).toBe('2026/11/19/00');
});

test('a day of objects in which Athena finds no lines does not count as compacted', async () => {
  const lake = await lakeOf(ONE_DAY);
  const blind: Service = (resource, args) => {
    const sql = String(args['QueryString']);
    return lake.service(resource, {
      ...args,
      ...(sql.startsWith('SELECT DISTINCT') && { QueryString: `SELECT day FROM (${sql}) WHERE false` }),
    });
  };
  await expect(compact(lake, NOW, blind)).rejects.toThrow('NoLines: Athena finds no line that arrived on 2026/11/18');
  expect(lake.tags.size).toBe(0);
});

test('objects of other kinds stand behind the hours', async () => {
  const lake = await lakeOf(new Map([...ONE_DAY, ['errors/processing-failed/2026/11/18', ['x']]]));
  await compact(lake, NOW);
  expect(lake.catalog.table('compacted').properties['compacted_before']).toBe('2026/11/19/00');
});

test.each([
  ['an older one runs', '2026-12-23T23:59:59.999Z', 0],
  ['one runs that is as old', NOW, 0],
  ['a younger one runs', '2026-12-24T00:00:00.001Z', 5],
])('a run beside another: %s', async (_, StartDate, views) => {
  const lake = await lakeOf(ONE_DAY);
  lake.running = [{ ExecutionArn: 'arn:another', StartDate }];
  await compact(lake, NOW);
  expect(lake.views.size).toBe(views);
});

test('a statement that is throttled is sent again', async () => {
  const lake = await lakeOf(ONE_DAY);
  let calls = 0;
  await compact(lake, NOW, async (resource, args) => {
    if (resource.endsWith('.sync') && calls++ % 3 === 0) throw new StatesError('Athena.TooManyRequestsException', '');
    return lake.service(resource, args);
  });
  expect(lake.catalog.table('compacted').properties['compacted_before']).toBe('2026/11/19/00');
});

test('whatever reads or tags is asked again, a statement is not', async () => {
  const lake = await lakeOf(arrivals(8, [`${DAY}/12`, '2026/11/19/12'], 20));
  const failed = new Set<string>();
  const failingOnce: Service = async (resource, args) => {
    const request = JSON.stringify([resource, args]);
    if (!resource.endsWith('.sync') && !failed.has(request)) {
      failed.add(request);
      throw new StatesError('S3.S3Exception', 'SlowDown');
    }
    return lake.service(resource, args);
  };
  await compact(lake, NOW, failingOnce);
  expect(lake.catalog.table('compacted').properties['compacted_before']).toBe('2026/11/20/00');
  expect(new Set([...failed].map((request) => /:(\w+)"/.exec(request)![1]))).toEqual(
    new Set(['listExecutions', 'getTable', 'listObjectsV2', 'putObjectTagging', 'getQueryResults']),
  );
  let unloads = 0;
  const another = await lakeOf(ONE_DAY);
  const run = compact(another, NOW, (resource, args) => {
    if (String(args['QueryString']).startsWith('UNLOAD')) {
      unloads++;
      throw new StatesError('States.TaskFailed', 'HIVE_PATH_ALREADY_EXISTS');
    }
    return another.service(resource, args);
  });
  await expect(run).rejects.toThrow('HIVE_PATH_ALREADY_EXISTS');
  expect(unloads).toBe(1);
});

test('a run does a number of days, and the next one goes on', async () => {
  const lake = await lakeOf(arrivals(7, [`${DAY}/12`, '2026/11/19/12', '2026/11/20/12'], 5));
  for (const hour of ['2026/11/20/00', '2026/11/21/00']) {
    await compact(lake, NOW, lake.service, machineOfDays(2));
    expect(lake.catalog.table('compacted').properties['compacted_before']).toBe(hour);
  }
});

const tagged = (value: string) => JSON.stringify({ TagSet: [{ Key: 'compaction', Value: value }] });

test('what may expire has its tag, in pages too: lines of days that are done, and Parquet that was replaced', async () => {
  const lines = arrivals(8, [`${DAY}/12`, `${DAY}/13`, '2026/11/19/12', '2026/12/23/00'], 20);
  const lake = await lakeOf(lines, { pageSize: 3 });
  await compact(lake, NOW);
  const rows = await new Expected(lines).rows('samples_raw', '2026/11/20/00');
  expect(asSet(await rowsOf(lake, 'samples_raw'))).toEqual(asSet(rows));
  const read = Array.from(lake.catalog.table('compacted').partitions.values());
  for (const key of lake.keys()) {
    const isCompacted = key.startsWith('2026/11/');
    const isSuperseded = key.startsWith('compacted/') && !read.some((folder) => key.startsWith(folder));
    const tag = isCompacted ? tagged('compacted') : isSuperseded ? tagged('superseded') : undefined;
    expect({ key, tag: lake.tags.get(key) }).toEqual({ key, tag });
  }
  expect(new Set(lake.tags.values())).toEqual(new Set([tagged('compacted'), tagged('superseded')]));
});

test(
  'thousands of objects get their tags, for no page of a listing is larger than a payload',
  { timeout: 60_000 },
  async () => {
    const lake = await lakeOf(ONE_DAY);
    for (let index = 100; index < 1400; index++) {
      lake.put(`${DAY}/12/${firehoseName(`${DAY}/12`, index)}`);
      lake.put(
        `compacted/day=2026-11-18/run=2026-11-18-4d0e9d4b-6f0b-8a7c-2e19-6f0b8a7c2e19/20261130_000512_00087_kx3vq_${index}`,
      );
    }
    await compact(lake, NOW);
    const untagged = lake.keys().filter((key) => !lake.tags.has(key));
    // The Parquet that is read.
    expect(untagged).toEqual([expect.stringContaining('compacted/day=2026-11-18/run=2026-11-18-run-')]);
  },
);

describe('an object that comes into a day that is compacted', () => {
  const late = `${DAY}/12/${firehoseName(`${DAY}/12`, 7)}`;
  async function lakeWithLate(cameAt: string) {
    const lake = await lakeOf(ONE_DAY, { pageSize: 2 });
    let isCompacted = false;
    const run = compact(lake, NOW, (resource, args) => {
      // When the partition is moved its lines have long been read.
      isCompacted ||= String(args['QueryString']).startsWith('ALTER TABLE compacted PARTITION');
      if (isCompacted) {
        lake.put(late);
        lake.modified.set(late, cameAt);
      }
      return lake.service(resource, args);
    });
    return { lake, run };
  }

  test.each(['2026-12-24T00:00:00Z', '2026-12-24T00:05:00Z'])('at %s: it is named, and gets no tag', async (cameAt) => {
    const { lake, run } = await lakeWithLate(cameAt);
    const loud = `LateObject: It came after its day was compacted, and is not read until compacted_before is set back: ${late}`;
    await expect(run).rejects.toThrow(loud);
    await expect(compact(lake, '2026-12-25T00:00:00.000Z')).rejects.toThrow(loud);
    expect(lake.tags.has(late)).toBe(false);
    expect([...lake.tags.values()]).toEqual([tagged('compacted'), tagged('compacted')]);
  });

  test('is compacted, and gets its tag, once compacted_before is set back', async () => {
    const { lake, run } = await lakeWithLate('2026-12-24T00:05:00Z');
    await expect(run).rejects.toThrow('LateObject');
    lake.catalog.table('compacted').properties['compacted_before'] = `${DAY}/00`;
    await compact(lake, '2026-12-25T00:00:00.000Z');
    expect(lake.tags.get(late)).toBe(tagged('compacted'));
    expect(lake.catalog.table('compacted').properties['compacted_before']).toBe('2026/11/19/00');
  });
});

test('objects before an hour that was set by hand get no tag', async () => {
  const lake = await lakeOf(ONE_DAY);
  await compact(lake, '2000-01-01T00:00:00.000Z');
  lake.catalog.table('compacted').properties['compacted_before'] = '2026/11/19/00';
  await compact(lake, NOW);
  expect(lake.tags.size).toBe(0);
});

test('tags that a run did not come to are given by the next one', async () => {
  const lake = await lakeOf(ONE_DAY);
  const run = compact(lake, NOW, (resource, args) => {
    if (resource.endsWith('putObjectTagging')) throw new Error('killed');
    return lake.service(resource, args);
  });
  await expect(run).rejects.toThrow('killed');
  await compact(lake, '2026-12-25T00:00:00.000Z');
  expect([...lake.tags.values()]).toEqual([tagged('compacted'), tagged('compacted')]);
});

test('rows of a metric and of a series lie together in a file', async () => {
  const sample = (_: unknown, index: number) =>
    sampleLine(['b', 'a', 'c'][index % 3]!, AT + ((index * 7) % 30), { labels: { job: `j${index % 2}` } });
  const lake = await lakeOf(new Map([[`${DAY}/12`, Array.from({ length: 30 }, sample)]]));
  await compact(lake, NOW);
  const [, ...rows] = await lake.query("SELECT name, labels, time FROM compacted WHERE day = '2026-11-18'");
  expect(rows).toHaveLength(30);
  expect(rows).toEqual(rows.toSorted());
});
