import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  ListShardsCommand,
} from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import kinesalite from 'kinesalite';
import { expect } from 'vitest';
import { createLog } from '../../src/log.ts';
import { openKinesisSink } from '../../src/sinks/kinesis.ts';
import { FAKE_CREDENTIALS, useFakeAwsEnvironment } from '../support/aws_env.ts';
import { closeServer } from '../support/close_server.ts';
import { startFakeKinesis } from '../support/fake_kinesis.ts';
import { textsOf } from '../support/lines.ts';
import { describeSinkContract, type SinkHarness } from './sink_contract.ts';

const STREAM = 'history';
const REGION = 'eu-west-1';
const SHARDS = 4;

const log = createLog({ level: 'warn', format: 'logfmt' });

useFakeAwsEnvironment();
describeSinkContract('Kinesis, the strict fake', startOnFake);
describeSinkContract('Kinesis, kinesalite', startOnKinesalite);

async function startOnFake(): Promise<SinkHarness> {
  const { secretAccessKey } = FAKE_CREDENTIALS;
  const fake = await startFakeKinesis({ stream: STREAM, shards: SHARDS, secretAccessKey });
  const sink = await openKinesisSink({ stream: STREAM, region: REGION, endpointUrl: fake.url, log });
  return {
    sink,
    readLines: () => Promise.resolve(fake.lines()),
    close: async () => {
      await sink.close();
      await fake.close();
      expect(fake.violations).toEqual([]);
    },
  };
}

async function startOnKinesalite(): Promise<SinkHarness> {
  const server = kinesalite({ createStreamMs: 0, deleteStreamMs: 0, updateStreamMs: 0 });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpointUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = new KinesisClient({ region: REGION, endpoint: endpointUrl, requestHandler: new NodeHttpHandler() });
  await createStream(client);
  const sink = await openKinesisSink({ stream: STREAM, region: REGION, endpointUrl, log });
  return {
    sink,
    readLines: () => readStream(client),
    close: async () => {
      await sink.close();
      client.destroy();
      await closeServer(server);
    },
  };
}

async function createStream(client: KinesisClient): Promise<void> {
  await client.send(new CreateStreamCommand({ StreamName: STREAM, ShardCount: SHARDS }));
  let status: string | undefined;
  do {
    const { StreamDescriptionSummary: summary } = await client.send(
      new DescribeStreamSummaryCommand({ StreamName: STREAM }),
    );
    status = summary?.StreamStatus;
  } while (status !== 'ACTIVE');
}

async function readStream(client: KinesisClient): Promise<string[]> {
  const { Shards: shards = [] } = await client.send(new ListShardsCommand({ StreamName: STREAM }));
  const lines = await Promise.all(shards.map(({ ShardId: shard }) => readShard(client, shard)));
  return lines.flat();
}

async function readShard(client: KinesisClient, shard: string | undefined): Promise<string[]> {
  const { ShardIterator } = await client.send(
    new GetShardIteratorCommand({ StreamName: STREAM, ShardId: shard, ShardIteratorType: 'TRIM_HORIZON' }),
  );
  let iterator = ShardIterator;
  const chunks: Uint8Array[] = [];
  for (;;) {
    const { Records: records = [], NextShardIterator } = await client.send(
      new GetRecordsCommand({ ShardIterator: iterator, Limit: 10_000 }),
    );
    if (records.length === 0) return textsOf(Buffer.concat(chunks));
    for (const { Data: data } of records) chunks.push(data!);
    iterator = NextShardIterator;
  }
}
