import { setMaxListeners } from 'node:events';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { ConfigError } from '../../src/errors.ts';
import { useFakeAwsEnvironment } from '../support/aws_env.ts';
import { AWS_SERVICES, error, failureOf, LINES, sendLines, useService } from '../support/aws_services.ts';

useFakeAwsEnvironment();

describe.each(AWS_SERVICES)('records that $name does not accept', (service) => {
  const aws = useService(service);

  test('are named by their index', async () => {
    const codes = [service.throttled, undefined, 'InternalFailure'];
    aws.fake.script({ kind: 'codes', codes });
    expect(await sendLines(await aws.open())).toEqual([
      { index: 0, failure: 'throttled', code: codes[0], message: expect.stringContaining(codes[0]!) as string },
      { index: 2, failure: 'transient', code: codes[2], message: expect.stringContaining(codes[2]!) as string },
    ]);
    expect(aws.fake.lines()).toEqual([LINES[1]]);
  });

  test('are what there is no room for', async () => {
    const narrow = await service.startFake({ throughput: { recordsPerSecond: 2, bytesPerSecond: 1_000 } });
    onTestFinished(() => narrow.close());
    const sink = await aws.open({ endpointUrl: narrow.url });
    expect(await sendLines(sink)).toMatchObject([{ index: 2, failure: 'throttled', code: service.throttled }]);
    expect(narrow.lines()).toEqual(LINES.slice(0, 2));
  });
});

describe.each(AWS_SERVICES)('an aborted call of $name', (service) => {
  const aws = useService(service);

  test('ends at once while it waits for its answer', async () => {
    aws.fake.script(() => new Promise(() => undefined));
    const aborter = new AbortController();
    const call = failureOf(sendLines(await aws.open(), aborter.signal));
    await aws.fake.arrived(1);
    aborter.abort();
    expect(await call).toMatchObject({ failure: 'transient', code: 'AbortError' });
  });
});

describe.each(AWS_SERVICES)('opening the sink of $name', (service) => {
  const aws = useService(service);

  test('needs a region', async () => {
    await expect(aws.open({ region: undefined })).rejects.toThrow(
      `no AWS region for the ${service.what}: Region is missing; give --region (AWS_REGION), such as us-east-1`,
    );
    await expect(aws.open({ region: 'no region' })).rejects.toBeInstanceOf(ConfigError);
  });

  test('takes the region of the environment', async () => {
    vi.stubEnv('AWS_REGION', 'ap-south-1');
    onTestFinished(() => void vi.stubEnv('AWS_REGION', undefined));
    aws.fake.script(error(400, 'ResourceNotFoundException'));
    expect((await failureOf(sendLines(await aws.open({ region: undefined })))).mend).toContain('in ap-south-1');
  });
});

describe.each(AWS_SERVICES)('calls of $name at once', (service) => {
  const aws = useService(service);

  test('share connections', async () => {
    const sink = await aws.open();
    for (let call = 0; call < 5; call++) await sendLines(sink);
    expect(aws.fake.connections).toBe(1);
    await Promise.all(Array.from({ length: 30 }, () => sendLines(sink)));
    expect(aws.fake.connections).toBeLessThanOrEqual(sink.limits.maxCallsInFlight);
  });

  test('may share a signal', async () => {
    const warn = vi.spyOn(process, 'emitWarning');
    onTestFinished(() => {
      warn.mockRestore();
    });
    const sink = await aws.open();
    const { signal } = new AbortController();
    // One listener a call is what the signal's owner allows for.
    setMaxListeners(sink.limits.maxCallsInFlight, signal);
    await Promise.all(Array.from({ length: sink.limits.maxCallsInFlight }, () => sendLines(sink, signal)));
    expect(warn).not.toHaveBeenCalled();
  });
});
