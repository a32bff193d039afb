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
import { closeServer } from './close_server.ts';
import { textsOf } from './lines.ts';

export interface KinesaliteOptions {
  readonly stream: string;
  readonly region: string;
  readonly shards: number;
}

/** The emulator of Kinesis in this process, with one stream. */
export interface Kinesalite {
  readonly url: string;
  /** All lines on the stream. */
  lines(): Promise<string[]>;
  close(): Promise<void>;
}

export async function startKinesalite({ stream, region, shards }: KinesaliteOptions): Promise<Kinesalite> {
  const server = kinesalite({ createStreamMs: 0, deleteStreamMs: 0, updateStreamMs: 0 });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = new KinesisClient({
    region,
    endpoint: url,
    requestHandler: new NodeHttpHandler(),
  });
  await client.send(new CreateStreamCommand({ StreamName: stream, ShardCount: shards }));
  let status: string | undefined;
  do {
    const answer = await client.send(new DescribeStreamSummaryCommand({ StreamName: stream }));
    status = answer.StreamDescriptionSummary?.StreamStatus;
  } while (status !== 'ACTIVE');
  return {
    url,
    async lines() {
      const { Shards: found = [] } = await client.send(new ListShardsCommand({ StreamName: stream }));
      return (await Promise.all(found.map(({ ShardId: shard }) => readShard(client, stream, shard)))).flat();
    },
    async close() {
      client.destroy();
      await closeServer(server);
    },
  };
}

async function readShard(client: KinesisClient, stream: string, shard: string | undefined): Promise<string[]> {
  const { ShardIterator } = await client.send(
    new GetShardIteratorCommand({ StreamName: stream, ShardId: shard, ShardIteratorType: 'TRIM_HORIZON' }),
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
