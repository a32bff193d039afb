import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { adapterOf, NO_AWS } from '../support/adapter.ts';
import { temporaryDir } from '../support/archive.ts';
import { useFakeAwsEnvironment } from '../support/aws_env.ts';
import { readImage, startContainer, VOLUME, type ContainerOptions } from '../support/container.ts';
import { fixture, FIXTURES } from '../support/fixtures.ts';
import { send } from '../support/http.ts';
import { startKinesalite, type Kinesalite } from '../support/kinesis_emulator.ts';
import { flattenPlainly } from '../support/oracle.ts';
import { endProcesses, freePort, waitFor, within } from '../support/processes.ts';
import { differences } from '../support/samples.ts';
import { startLoad } from '../torture/support/load.ts';

/** The image that .ci/image built, as it runs with a read-only root. */

const { IMAGE_ROOT = '', IMAGE_INSPECTED = '' } = process.env;
const image = readImage(IMAGE_ROOT, IMAGE_INSPECTED);
const BOUND_MS = 15_000;

useFakeAwsEnvironment();
/** Of the containers of a test. */
const firstPids = new Set<number>();

afterEach(async () => {
  await endProcesses();
  // None outlives its test.
  for (const pid of firstPids) {
    await waitFor(() => !existsSync(`/proc/${pid}`), { timeoutMs: BOUND_MS, what: () => `process ${pid} to end` });
  }
  firstPids.clear();
});

/** Runs a command in the image to its end. */
async function runInside(options: ContainerOptions) {
  const { process } = startContainer(image, options);
  const { code } = await within(BOUND_MS, 'a container to end', process.exited);
  await process.closed;
  return { code, stdout: process.stdout, stderr: process.stderr };
}

/** Starts the image's own command and waits until it listens. */
async function startInside({ env = {}, ...options }: ContainerOptions) {
  const listenAddr = `127.0.0.1:${await freePort()}`;
  const container = startContainer(image, { ...options, env: { ...NO_AWS, LISTEN_ADDR: listenAddr, ...env } });
  const { port, process: adapter } = await adapterOf(container.process);
  firstPids.add(await container.firstPid());
  const stop = async () => {
    await container.kill('SIGTERM');
    return within(BOUND_MS, 'the adapter to end', adapter.exited);
  };
  return { ...container, port, stop, listenAddr };
}

describe('its configuration', () => {
  test('starts the adapter as an ordinary user, and archives nowhere of itself', () => {
    expect(image.config).toMatchObject({
      User: '1000:1000',
      Entrypoint: ['node', 'dist/cli.js'],
      Cmd: [],
      WorkingDir: '/app',
      ExposedPorts: { '9501/tcp': {} },
    });
    expect(image.config.Env).toEqual(expect.arrayContaining(['NODE_ENV=production', 'ARCHIVE_DIR=none']));
  });

  test('keeps the health check', () => {
    expect(image.config.Healthcheck?.Test).toEqual(['CMD', 'node', 'dist/healthcheck.js']);
  });
});

test('refuses to start without a destination, and says what to give', async () => {
  const { code, stdout, stderr } = await runInside({ env: NO_AWS });
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toContain('error: no destination: give --stream-name (STREAM_NAME)');
});

test('can write nowhere', async () => {
  const script = 'id -u; for f in /app/x /tmp/x /var/tmp/x /home/node/x /dev/shm/../../etc/x; do touch $f; done; true';
  const { stdout, stderr } = await runInside({ command: ['sh', '-c', script] });
  expect(stdout).toBe('1000\n');
  expect(stderr.match(/Read-only file system/g)).toHaveLength(5);
});

describe('with a stream', () => {
  const stream = 'history';
  const region = 'us-east-1';
  let kinesalite: Kinesalite;

  beforeAll(async () => {
    kinesalite = await startKinesalite({ stream, region, shards: 2 });
  });
  afterAll(() => kinesalite.close());

  const startOnStream = (env: Record<string, string> = {}) =>
    startInside({
      env: {
        STREAM_NAME: stream,
        AWS_REGION: region,
        AWS_ACCESS_KEY_ID: 'fake',
        AWS_SECRET_ACCESS_KEY: 'fake',
        ...env,
      },
      args: ['--endpoint-url', kinesalite.url],
    });

  test('runs as its user, without capabilities, as process 1', async () => {
    const { firstPid } = await startOnStream();
    const status = readFileSync(`/proc/${await firstPid()}/status`, 'utf8');
    expect(status).toMatch(/^Uid:\t1000\t1000\t1000\t1000$/m);
    expect(status).toMatch(/^Gid:\t1000\t1000\t1000\t1000$/m);
    expect(status).toMatch(/^Groups:\t ?$/m);
    expect(status).toMatch(/^CapEff:\t0+$/m);
    expect(status).toMatch(/^CapBnd:\t0+$/m);
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    expect(status).toMatch(/^NSpid:\t\d+\t1$/m);
  });

  test.each(FIXTURES.filter(({ received: { sample } }) => sample > 0))(
    'delivers what a real Prometheus sent, to the last bit: $name',
    async ({ name, version }) => {
      const { port } = await startOnStream();
      // The time of a line of metadata is that of its arrival.
      const linesOf = (all: readonly string[]) => all.filter((line) => !line.includes('"kind":"metadata"'));
      const before = linesOf(await kinesalite.lines());
      const headers = JSON.parse(
        readFileSync(new URL(`../fixtures/${name}.headers.json`, import.meta.url), 'utf8'),
      ) as Record<string, string>;
      const body = readFileSync(new URL(`../fixtures/${name}.bin`, import.meta.url));
      const { status } = await send({ port, method: 'POST', path: '/receive', headers, body });
      expect(status).toBe(204);
      const after = linesOf(await kinesalite.lines());
      const wanted = linesOf(flattenPlainly(fixture(name), { version })!.lines).map((line) => line.trimEnd());
      expect(wanted.length).toBeGreaterThan(400);
      expect(differences([...before, ...wanted].sort(), after.sort())).toEqual([]);
    },
  );

  test('its health check is 0 while it runs, and is not once it is stopped or hangs', async () => {
    const container = await startOnStream();
    const { listenAddr } = container;
    const [, ...command] = image.config.Healthcheck!.Test;
    const check = async () => (await runInside({ command, env: { LISTEN_ADDR: listenAddr } })).code;
    expect(await check()).toBe(0);
    await container.kill('SIGSTOP');
    expect(await check()).toBe(1);
    await container.kill('SIGCONT');
    expect(await check()).toBe(0);
    expect(await container.stop()).toEqual({ code: 0, signal: null });
    expect(await check()).toBe(1);
  });

  test('SIGTERM under load: exit 0, and with the next start all that was sent is on the stream', async () => {
    const { port, stop, listenAddr, process: adapter } = await startOnStream();
    const load = startLoad({ port, shards: 8, samplesPerRequest: 200 });
    await load.more(4_000);
    expect(await stop()).toEqual({ code: 0, signal: null });
    expect(Number(/linesInFlight=(\d+)/.exec(adapter.stderr)?.[1])).toBeGreaterThan(0);
    expect(adapter.stderr).toContain('returnedLines=0');
    await startOnStream({ LISTEN_ADDR: listenAddr });
    await load.finish();
    const audit = load.audit((await kinesalite.lines()).filter((line) => line.startsWith('{"name":"torture_')));
    console.log(`image: SIGTERM under load: ${audit.acknowledged} samples acknowledged, ${audit.lost} lost`);
    expect(audit).toMatchObject({ lost: 0, foreign: [] });
    expect(audit.acknowledged).toBe(audit.sent);
  });
});

test('archives into a volume, and queries it', async () => {
  const volume = temporaryDir();
  chmodSync(volume, 0o777);
  const env = { ARCHIVE_DIR: VOLUME };
  const { port, stop } = await startInside({ volume, env });
  const load = startLoad({ port, shards: 1, samplesPerRequest: 10 });
  await load.more(30);
  await load.finish();
  expect((await stop()).code).toBe(0);
  const args = ['query', '--format', 'csv', 'SELECT count(*) AS n FROM samples'];
  const { code, stdout, stderr } = await runInside({ volume, env, args, tmpfs: true });
  expect({ code, stderr, stdout }).toEqual({
    code: 0,
    stderr: '',
    stdout: `n\r\n${load.acknowledged}\r\n`,
  });
});
