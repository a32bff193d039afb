/**
 * The baseline: a program as one writes it at first, with the usual libraries the way their pages say. express reads the body, SnappyJS
 * decompresses, protobufjs makes objects, JSON.stringify makes lines, and the SDK gets objects.
 *
 * With packing gzip it makes a record and a call of each request, where ours fills both from many; part of the difference is that. The level of gzip is ours.
 * It loses stale markers, other NaNs, infinities and −0, does not sort labels, and retries nothing.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { KinesisClient, PutRecordsCommand, type PutRecordsRequestEntry } from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import express from 'express';
import protobuf from 'protobufjs';
import SnappyJS from 'snappyjs';
import { remoteWriteV1 } from '../src/wire/descriptors.ts';
import { offer } from './child.ts';

export interface LibrariesApi {
  /** Returns the port. */
  listen(options: { readonly endpoint: string; readonly packing: 'none' | 'gzip' }): Promise<number>;
}

interface PlainRequest {
  readonly timeseries: readonly {
    readonly labels: readonly { readonly name: string; readonly value: string }[];
    readonly samples: readonly { readonly value: number; readonly timestamp: unknown }[];
  }[];
}

const RECORDS_PER_CALL = 500;
const WriteRequest = protobuf.Root.fromJSON(
  JSON.parse(JSON.stringify(remoteWriteV1)) as protobuf.INamespace,
).lookupType('prometheus.WriteRequest');
const gzipAsync = promisify(gzip);

function linesOf(request: Uint8Array): string[] {
  const { timeseries } = WriteRequest.decode(request) as unknown as PlainRequest;
  return timeseries.flatMap((series) => {
    const labels = Object.fromEntries(series.labels.map(({ name, value }) => [name, value]));
    return series.samples.map(
      ({ value, timestamp }) =>
        `${JSON.stringify({ name: labels['__name__'], time: Number(timestamp), value, labels })}\n`,
    );
  });
}

async function recordsOf(lines: readonly string[], packing: 'none' | 'gzip'): Promise<PutRecordsRequestEntry[]> {
  if (packing === 'none') return lines.map((line, index) => ({ Data: Buffer.from(line), PartitionKey: String(index) }));
  return [{ Data: await gzipAsync(lines.join(''), { level: 3 }), PartitionKey: String(Math.random()) }];
}

function createApp(client: KinesisClient, packing: 'none' | 'gzip'): express.Express {
  const app = express();
  app.use((request, _response, next) => {
    // body-parser knows no snappy, and refuses what has a content-encoding that it does not know.
    delete request.headers['content-encoding'];
    next();
  });
  app.use(express.raw({ type: () => true, limit: '32mb' }));
  app.post('/api/v1/write', async (request, response) => {
    const records = await recordsOf(linesOf(SnappyJS.uncompress(request.body as Buffer)), packing);
    const calls = [];
    for (let from = 0; from < records.length; from += RECORDS_PER_CALL) {
      const command = { StreamName: 'history', Records: records.slice(from, from + RECORDS_PER_CALL) };
      calls.push(client.send(new PutRecordsCommand(command)));
    }
    const answers = await Promise.all(calls);
    response.sendStatus(answers.some(({ FailedRecordCount: failed }) => failed !== 0) ? 503 : 204);
  });
  return app;
}

offer<LibrariesApi>({
  listen: async ({ endpoint, packing }) => {
    const agent = { keepAlive: true, maxSockets: 50 };
    const client = new KinesisClient({
      endpoint,
      // The client's default speaks HTTP/2, which needs TLS.
      requestHandler: new NodeHttpHandler({ httpAgent: agent }),
    });
    const server = createServer(createApp(client, packing)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  },
});
