import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { createLog } from '../../../src/log.ts';
import { BasicAuth } from '../../../src/web/basic_auth.ts';

const DIGEST = 'x'.repeat(31);

/** Passwords whose checks the test counts and ends; every password but `right` is wrong. */
function lock(costs: readonly number[]) {
  const computed: number[] = [];
  const users = new Map(costs.map((cost) => [`cost ${cost}`, { cost, salt: 'y'.repeat(22), digest: DIGEST }]));
  const log = createLog({ level: 'error', format: 'json', write: () => undefined });
  const compute = (password: string, { cost }: { readonly cost: number }) => {
    computed.push(cost);
    if (password === 'throw') return Promise.reject(new Error('no thread'));
    return Promise.resolve(password === 'right' ? DIGEST : 'z'.repeat(31));
  };
  const auth = new BasicAuth({ users, log, compute });
  const check = async (credentials: string, from = '10.0.0.1') => {
    const authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
    const request = { headers: { authorization }, socket: { remoteAddress: from }, destroyed: false };
    return (await auth.check(request as unknown as IncomingMessage))?.code ?? 'welcome';
  };
  return { check, computed };
}

test('a check of an unknown name costs what that of a known one costs, again and again the same', async () => {
  const { check, computed } = lock([5, 9]);
  expect(await check('cost 5:wrong')).toBe('unauthorized');
  expect(await check('cost 9:wrong')).toBe('unauthorized');
  expect(computed.splice(0)).toEqual([5, 9]);
  for (let index = 0; index < 40; index++) {
    expect(await check(`nobody ${index}:a`)).toBe('unauthorized');
    // The right password of somebody else.
    expect(await check(`nobody ${index}:right`)).toBe('unauthorized');
  }
  const pairs = Array.from({ length: 40 }, (_, index) => computed.slice(2 * index, 2 * index + 2));
  expect(pairs.every(([one, other]) => one === other)).toBe(true);
  expect(new Set(computed)).toEqual(new Set([5, 9]));
});

test('what was checked is not checked again, right or wrong, and once for all who wait', async () => {
  const { check, computed } = lock([5]);
  expect(await Promise.all(Array.from({ length: 10 }, () => check('cost 5:right')))).toEqual(
    Array.from({ length: 10 }, () => 'welcome'),
  );
  expect(await check('cost 5:right')).toBe('welcome');
  expect(await check('cost 5:wrong')).toBe('unauthorized');
  expect(await check('cost 5:wrong')).toBe('unauthorized');
  expect(computed).toHaveLength(2);
});

test('a flood of others does not make it forget who is right', async () => {
  const { check, computed } = lock([5]);
  expect(await check('cost 5:right')).toBe('welcome');
  for (let index = 0; index < 3_000; index++) await check(`cost 5:${index}`);
  const count = computed.length;
  expect(await check('cost 5:right')).toBe('welcome');
  expect(computed).toHaveLength(count);
});

test('of more than can wait, some are told to come again, but not those of another address', async () => {
  const { check } = lock([5]);
  const flood = Array.from({ length: 500 }, (_, index) => check(`cost 5:${index}`));
  expect(await check('cost 5:right', '10.0.0.2')).toBe('welcome');
  const verdicts = await Promise.all(flood);
  expect(verdicts.filter((verdict) => verdict === 'unauthorized').length).toBeGreaterThan(32);
  expect(verdicts.filter((verdict) => verdict === 'overloaded').length).toBeGreaterThan(400);
});

test('no more requests wait than there is room for', async () => {
  const { check } = lock([5]);
  const verdicts = await Promise.all(Array.from({ length: 2_000 }, () => check('cost 5:right')));
  expect(verdicts.filter((verdict) => verdict === 'welcome')).toHaveLength(1_024);
});

test('a check that fails is tried again by the sender', async () => {
  const { check } = lock([5]);
  expect(await check('cost 5:throw')).toBe('overloaded');
  expect(await check('cost 5:right')).toBe('welcome');
});
