import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { closeServer } from '../support/close_server.ts';
import { startLoad, type Load } from '../torture/support/load.ts';
import { NumberedSamples } from '../torture/support/numbered_samples.ts';

/** The load generator of the torture counts what is lost: it has to see it. */

const COUNT = 10;
const SAMPLES = new NumberedSamples(COUNT);

/** A receiver that answers each post of each body as it is told, then 204. */
async function startReceiver(answers: readonly ((request: IncomingMessage, response: ServerResponse) => void)[]) {
  const posts: { readonly body: string; readonly atMs: number }[] = [];
  const server = createServer((request, response) => {
    void request.toArray().then((chunks) => {
      const answer = answers[posts.length];
      posts.push({ body: Buffer.concat(chunks as Buffer[]).toString('hex'), atMs: performance.now() });
      if (answer) answer(request, response);
      else response.writeHead(204).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => closeServer(server));
  return { port: (server.address() as AddressInfo).port, posts };
}

async function sendRequests(port: number, requests: number): Promise<Load> {
  const load = startLoad({ port, shards: 1, samplesPerRequest: COUNT, pauseMs: 1 });
  onTestFinished(() => load.abort());
  await load.more(requests * COUNT);
  await load.finish();
  return load;
}

function linesOf({ sent }: Load): string[] {
  return Array.from({ length: sent }, (_, sample) => SAMPLES.line(sample));
}

test('sends the same bytes again after 5xx and broken connections, and waits as it is asked to', async () => {
  const { port, posts } = await startReceiver([
    (_, response) => response.writeHead(503, { 'retry-after': '1' }).end(),
    (request) => request.socket.resetAndDestroy(),
    (_, response) => response.writeHead(500).end(),
  ]);
  const load = await sendRequests(port, 1);
  const [first, second, third, fourth, next] = posts;
  expect(second!.atMs - first!.atMs).toBeGreaterThan(900);
  expect([second, third, fourth].map((post) => post!.body)).toEqual([first, first, first].map((post) => post!.body));
  if (next) expect(next.body).not.toBe(first!.body);
  expect(load.acknowledged).toBe(load.sent);
  expect([...load.answers.keys()]).toEqual([503, 'ECONNRESET', 500, 204]);
});

test('fails when a request is answered what senders drop it for', async () => {
  const { port } = await startReceiver([(_, response) => response.writeHead(400).end('no')]);
  await expect(sendRequests(port, 1)).rejects.toThrow('the adapter answers 400: no');
});

test('counts what is lost, comes twice, and was never sent', async () => {
  const { port } = await startReceiver([]);
  const load = await sendRequests(port, 3);
  const lines = linesOf(load);
  const all = { sent: load.sent, acknowledged: load.sent, delivered: load.sent, duplicated: 0, lost: 0, foreign: [] };
  expect(load.audit(lines)).toEqual(all);
  expect(load.audit(lines.slice(2))).toEqual({ ...all, delivered: load.sent - 2, lost: 2 });
  expect(load.audit([...lines, lines[0]!])).toEqual({ ...all, delivered: load.sent + 1, duplicated: 1 });
  const wrong = lines[0]!.replace('torture_family_0', 'torture_family_1');
  expect(load.audit([wrong, ...lines.slice(1)])).toEqual({ ...all, lost: 1, foreign: [wrong] });
  const late = SAMPLES.line(load.sent);
  expect(load.audit([...lines, late])).toEqual({ ...all, delivered: load.sent + 1, foreign: [late] });
});
