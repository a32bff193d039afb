import { expect, test } from 'vitest';
import type { Destination } from '../../src/config.ts';
import { startService } from '../support/service.ts';

const STREAM: Destination = { kind: 'kinesis', stream: 'history', region: undefined, endpointUrl: undefined };

test.each<[string, Destination, string]>([
  [
    'a directory',
    { kind: 'directory', dir: './archive', retentionMs: undefined },
    'records go to the directory ./archive',
  ],
  ['a stream', STREAM, 'records go to the Kinesis stream history'],
  [
    'a delivery stream',
    { kind: 'firehose', deliveryStream: 'history', region: undefined, endpointUrl: undefined },
    'records go to the Firehose delivery stream history',
  ],
])('the start says that records go to %s, and what to paste', async (_, destination, words) => {
  const { port, logged } = await startService({ config: { destination } });
  expect(logged[0]).toContain(words);
  expect(logged.at(-1)).toContain(`remote_write: [{url: http://127.0.0.1:${port}/receive}]`);
});

test.each([
  ['none', '--packing gzip Kinesis and Firehose cost about 270 times less'],
  ['lines', 'records hold many lines'],
  ['gzip', 'name its files .json.gz'],
] as const)('the start says that packing %s is on, and what follows', async (packing, words) => {
  const { logged } = await startService({ config: { destination: STREAM, packing } });
  expect(logged.find((line) => line.includes(`packing=${packing}`))).toContain(words);
});
