import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Config, Destination } from './config.ts';
import { ConfigError } from './errors.ts';
import type { Log } from './log.ts';
import { createMetrics, exposeState } from './metrics.ts';
import { openDirectorySink } from './sinks/directory.ts';
import { openFirehoseSink } from './sinks/firehose.ts';
import { openKinesisSink } from './sinks/kinesis.ts';
import type { Sink } from './sinks/sink.ts';
import { BufferPool } from './buffer_pool.ts';
import { Door } from './web/door.ts';
import { Delivery } from './write/deliver.ts';
import { Gate } from './write/gate.ts';
import { createHttpServer } from './write/http.ts';
import { Receiver } from './write/receive.ts';

/** Time for what ends by itself once its connection or call is cut. */
const LAST_GRACE_MS = 500;
const LINGER_MS = 250;

export interface Service {
  readonly port: number;
  /** Reads anew what can change while it runs: the web configuration. Never rejects. */
  reload(): Promise<void>;
  /** Delivers what is in flight, returns the rest to its senders, and closes everything. Once only. */
  stop(): Promise<void>;
}

export interface ServeOptions {
  readonly config: Config;
  readonly log: Log;
  readonly version: string;
  /** Opens the sink of a destination; the program's own unless told. */
  readonly openSink?: (destination: Destination, log: Log) => Promise<Sink>;
}

/**
 * Builds and starts everything, and owns the order of stopping.
 *
 * @throws ConfigError when a setting turns out not to work
 */
export async function serve({ config, log, version, openSink = openSinkOf }: ServeOptions): Promise<Service> {
  const metrics = createMetrics();
  const file = config.webConfigFile;
  const door = file === undefined ? undefined : await Door.open({ file, log, metrics });
  const sink = await openSink(config.destination, log);
  const gate = new Gate(config.maxInFlightBytes);
  const pool = new BufferPool();
  const delivery = new Delivery({
    sink,
    log,
    metrics,
    flushIntervalMs: config.flushIntervalMs,
    deliveryTimeoutMs: config.deliveryTimeoutMs,
    packing: config.packing,
    pool,
    recordBytes: config.recordBytes,
    countReading: () => gate.reading,
  });
  const receiver = new Receiver({ config, gate, pool, delivery, maxLineBytes: delivery.maxLineBytes, metrics, log });
  const state = {
    linesInFlight: () => delivery.linesInFlight,
    bytesInFlight: () => gate.heldBytes,
    oldestUndeliveredSeconds: () => delivery.oldestSeconds,
    isSinkUp: () => delivery.isSinkUp,
  };
  exposeState(metrics, state, { version, sink: config.destination.kind });

  let isStopping = false;
  const server = createHttpServer({ receiver, registry: metrics.registry, isReady: () => !isStopping, door });
  door?.attach(server);
  server.on('drop', () => metrics.connectionsRefused.inc());
  try {
    server.listen(config.listenAddr);
    await once(server, 'listening');
  } catch (error) {
    await Promise.all([sink.close(), door?.close()]);
    throw listenError(error, config);
  }
  const { port } = server.address() as AddressInfo;
  announce(config, { port, isTls: door?.isTls === true }, log);

  return {
    port,
    async reload() {
      if (door) await door.reload();
      else log.info('nothing to read anew: there is no --web.config.file');
    },
    async stop() {
      isStopping = true;
      const startedAtMs = Date.now();
      log.info({ linesInFlight: delivery.linesInFlight }, 'stopping: delivering what is in flight');
      const drained = receiver.drain();
      delivery.drain();
      await Promise.race([drained, delay(config.shutdownTimeoutMs)]);
      const returnedLines = delivery.linesInFlight;
      receiver.abandonReading();
      const stopped = delivery.stop();
      await Promise.race([Promise.all([drained, stopped]), delay(LAST_GRACE_MS)]);
      await linger(server, door);
      await Promise.race([sink.close(), delay(LAST_GRACE_MS)]);
      log.info({ returnedLines, seconds: (Date.now() - startedAtMs) / 1000 }, 'stopped');
    },
  };
}

function openSinkOf(destination: Destination, log: Log): Promise<Sink> {
  switch (destination.kind) {
    case 'kinesis':
      return openKinesisSink({ ...destination, log });
    case 'firehose':
      return openFirehoseSink({ ...destination, log });
    case 'directory':
      return openDirectorySink({ ...destination, log });
  }
}

function announce(
  { destination, packing, listenAddr }: Config,
  { port, isTls }: { readonly port: number; readonly isTls: boolean },
  log: Log,
): void {
  log.info(`records go to ${describe(destination)}`);
  if (destination.kind !== 'directory') log.info({ packing }, PACKINGS[packing]);
  const host =
    listenAddr.host === undefined || listenAddr.host === '0.0.0.0' || listenAddr.host === '::'
      ? 'localhost'
      : listenAddr.host;
  const url = `${isTls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}/receive`;
  log.info(`listening; to write here, put this into prometheus.yml: remote_write: [{url: ${url}}]`);
}

function describe(destination: Destination): string {
  switch (destination.kind) {
    case 'kinesis':
      return `the Kinesis stream ${destination.stream}`;
    case 'firehose':
      return `the Firehose delivery stream ${destination.deliveryStream}`;
    case 'directory':
      return `the directory ${destination.dir}`;
  }
}

/** The factor is that of the README's table of costs, at 100,000 samples/s. */
const PACKINGS = {
  none: 'every sample is a record of its own; with --packing gzip Kinesis and Firehose cost about 270 times less',
  lines: 'records hold many lines',
  gzip: 'records hold many lines as one gzip member; have Firehose compress nothing and name its files .json.gz',
} as const;

function listenError(error: unknown, { listenAddr }: Config): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const address = `${listenAddr.host ?? ''}:${listenAddr.port}`;
  switch (code) {
    case 'EADDRINUSE':
      return new ConfigError(
        `--listen-addr (LISTEN_ADDR): ${address} is in use; stop the other program or give another port`,
      );
    case 'EACCES':
      return new ConfigError(
        `--listen-addr (LISTEN_ADDR): no permission to listen on ${address}; give a port above 1023`,
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new ConfigError(`--listen-addr (LISTEN_ADDR): ${address} is no address of this machine`);
    default:
      return error;
  }
}

/** Stops listening, and gives senders that are just coming back on a connection the time to get their 503. */
async function linger(server: Server, door: Door | undefined): Promise<void> {
  const count = await new Promise<number>((resolve) => {
    server.getConnections((_error, connections) => resolve(connections));
  });
  if (count > 0) await delay(LINGER_MS);
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await door?.close();
  await closed;
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
