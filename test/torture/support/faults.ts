import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { onTestFinished } from 'vitest';
import { closeServer } from '../../support/close_server.ts';
import type { Behaviour } from '../../support/fake_aws.ts';
import type { TorturedOptions } from './tortured.ts';
import type { SinkKind, TorturedFake, TorturedSink } from './sinks.ts';

/** What goes wrong between the adapter and AWS, for a while, under load. */
export interface Fault {
  readonly name: string;
  start(kind: SinkKind, dir: string): Promise<FaultySink>;
}

export interface FaultySink {
  readonly sink: TorturedSink;
  /** What the adapter is told besides. */
  readonly options?: Pick<TorturedOptions, 'args' | 'env'>;
  readonly begin: () => void;
  readonly end: () => void;
  /** Signs in the adapter's log that it was as bad as it is said to be. */
  readonly logged?: RegExp;
}

/** The script of a call that is never answered. */
export const NEVER = new Promise<never>(() => {
  // It neither resolves nor rejects.
});
const ACCEPT: Behaviour = { kind: 'accept' };

/** Every call gets a behaviour while the fault lasts; by the number of the call since it began. */
function scripted(name: string, behave: (index: number) => Behaviour | Promise<Behaviour>, logged?: RegExp): Fault {
  return {
    name,
    async start(kind, dir) {
      const sink = await kind.start(dir);
      return { sink, ...scriptOf(sink.fake!, behave), ...(logged && { logged }) };
    },
  };
}

function scriptOf(fake: TorturedFake, behave: (index: number) => Behaviour | Promise<Behaviour>) {
  return {
    begin: () => {
      let calls = 0;
      fake.script(() => behave(calls++));
    },
    end: () => {
      fake.script(() => ACCEPT);
    },
  };
}

const CUTS: readonly Behaviour[] = [
  { kind: 'reset', accepted: true },
  { kind: 'head', then: 'reset' },
  { kind: 'half', then: 'reset' },
  { kind: 'half', then: 'silence' },
  { kind: 'head', then: 'silence' },
];

const DNS_GONE: Fault = {
  name: 'DNS gone: the name of the endpoint is not found, connections end',
  async start(kind, dir) {
    const sink = await kind.start(dir);
    const { port } = new URL(sink.fake!.url);
    const flag = join(dir, 'dns-gone');
    const hook = pathToFileURL(join(import.meta.dirname, 'dns_gone.mjs')).href;
    const resets = scriptOf(sink.fake!, () => ({ kind: 'reset', accepted: false }));
    return {
      sink,
      options: {
        env: { NODE_OPTIONS: `--import=${hook}`, DNS_GONE: flag },
        args: ['--endpoint-url', `http://kinesis.torture.test:${port}`],
      },
      begin: () => {
        writeFileSync(flag, Math.random() < 0.5 ? 'ENOTFOUND' : 'EAI_AGAIN');
        resets.begin();
      },
      end: () => {
        rmSync(flag);
        resets.end();
      },
      logged: /look-up: (ENOTFOUND|EAI_AGAIN)/,
    };
  },
};

const EXPIRED: Fault = {
  name: 'credentials expired, and not renewed for a while',
  async start(kind, dir) {
    const sink = await kind.start(dir);
    const { AWS_ACCESS_KEY_ID: first = '', AWS_SECRET_ACCESS_KEY: SecretAccessKey = '' } = sink.env;
    let AccessKeyId = first;
    const url = await startCredentials(() => ({ AccessKeyId, SecretAccessKey }));
    let good = first;
    const expired: Behaviour = { kind: 'error', status: 400, type: 'ExpiredTokenException' };
    sink.fake!.script(({ accessKeyId }) => (accessKeyId === good ? ACCEPT : expired));
    return {
      sink,
      options: { env: { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', AWS_CONTAINER_CREDENTIALS_FULL_URI: url } },
      begin: () => {
        good = 'renewed';
      },
      end: () => {
        AccessKeyId = good;
      },
      logged: /ExpiredToken/,
    };
  },
};

/** Where the SDK fetches credentials from in a container. They say of themselves that they are good for years. */
async function startCredentials(answer: () => object): Promise<string> {
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ ...answer(), Token: 'token', Expiration: '2099-01-01T00:00:00Z' }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => closeServer(server));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

const HOUR_MS = 3_600_000;

const SKEWED: Fault = {
  name: 'clock skew: the clocks are an hour apart for a while',
  async start(kind, dir) {
    let offsetMs = 0;
    const sink = await kind.start(dir, { clock: () => Date.now() + offsetMs });
    return {
      sink,
      begin: () => {
        offsetMs = HOUR_MS;
      },
      end: () => {
        offsetMs = 0;
      },
      logged: /RequestTimeTooSkewed/,
    };
  },
};

export const FAULTS: readonly Fault[] = [
  scripted('a sink that accepts connections and never answers', () => NEVER, /code=ETIMEDOUT/),
  scripted(
    'answers cut off: resets and silence, in their head, in their middle',
    (index) => CUTS[index % CUTS.length]!,
  ),
  DNS_GONE,
  EXPIRED,
  SKEWED,
];
