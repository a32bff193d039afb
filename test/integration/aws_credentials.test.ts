import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { FAKE_CREDENTIALS, useFakeAwsEnvironment } from '../support/aws_env.ts';
import { AWS_SERVICES, error, failureOf, sendLines, useService } from '../support/aws_services.ts';

useFakeAwsEnvironment();

describe.each(AWS_SERVICES)('credentials of the sink of $name', (service) => {
  const aws = useService(service);

  test('that are missing mean down', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', undefined);
    onTestFinished(restoreCredentials);
    const thrown = await failureOf(sendLines(await aws.open()));
    expect(thrown).toMatchObject({ failure: 'down', code: 'CredentialsProviderError' });
    expect(thrown.mend).toContain('give valid AWS credentials');
  });

  test('that expired are fetched anew', async () => {
    let generation = 0;
    await startCredentials(() => ({ ...FAKE_CREDENTIALS, accessKeyId: `KEY${++generation}` }));
    aws.fake.script(error(400, 'ExpiredTokenException'));
    const sink = await aws.open();
    expect(await failureOf(sendLines(sink))).toMatchObject({ failure: 'transient', code: 'ExpiredTokenException' });
    expect(await sendLines(sink)).toEqual([]);
    expect(aws.fake.calls.map(({ accessKeyId }) => accessKeyId)).toEqual(['KEY1', 'KEY2']);
  });

  test('that stay expired mean down, until a call succeeds', async () => {
    const sink = await aws.open();
    const failures = async (count: number) => {
      aws.fake.script(...Array.from({ length: count }, () => error(400, 'ExpiredTokenException')));
      const seen = [];
      for (let call = 0; call < count; call++) seen.push((await failureOf(sendLines(sink))).failure);
      return seen;
    };
    const patient = Array.from({ length: sink.limits.maxCallsInFlight }, () => 'transient');
    expect(await failures(patient.length + 1)).toEqual([...patient, 'down']);
    expect(await sendLines(sink)).toEqual([]);
    expect(await failures(1)).toEqual(['transient']);
  });

  test('of another secret are told by the fake', async () => {
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'another secret');
    onTestFinished(restoreCredentials);
    const strict = await service.startFake({ secretAccessKey: FAKE_CREDENTIALS.secretAccessKey });
    onTestFinished(() => strict.close());
    const thrown = await failureOf(sendLines(await aws.open({ endpointUrl: strict.url })));
    expect(thrown).toMatchObject({ failure: 'transient', code: 'InvalidSignatureException' });
  });

  test('that are long in coming do not hold up an abort', async () => {
    const server = await startCredentials(() => undefined);
    const aborter = new AbortController();
    const asked = once(server, 'request');
    const call = failureOf(sendLines(await aws.open(), aborter.signal));
    await asked;
    aborter.abort();
    expect(await call).toMatchObject({ failure: 'transient', code: 'AbortError' });
    expect(aws.fake.calls).toEqual([]);
  });
});

function restoreCredentials(): void {
  vi.stubEnv('AWS_ACCESS_KEY_ID', FAKE_CREDENTIALS.accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', FAKE_CREDENTIALS.secretAccessKey);
}

/** Has the SDK fetch its credentials from a server, as in a container. One that answers undefined does not answer. */
async function startCredentials(next: () => typeof FAKE_CREDENTIALS | undefined): Promise<Server> {
  const server = createServer((_, response) => {
    const credentials = next();
    if (!credentials) return;
    const { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey } = credentials;
    response.setHeader('content-type', 'application/json');
    const Expiration = '2099-01-01T00:00:00Z';
    response.end(JSON.stringify({ AccessKeyId, SecretAccessKey, Token: 'token', Expiration }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  vi.stubEnv('AWS_ACCESS_KEY_ID', undefined);
  vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', `http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
    vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', undefined);
    restoreCredentials();
  });
  return server;
}
