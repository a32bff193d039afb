import { describe, expect, onTestFinished, test } from 'vitest';
import type { Batch } from '../../src/sinks/sink.ts';
import { useFakeAwsEnvironment } from '../support/aws_env.ts';
import { error, failureOf, FIREHOSE, sendLines, useService } from '../support/aws_services.ts';
import { batchOf, linesOf } from '../support/lines.ts';

/** What Firehose has and Kinesis has not; the rest is in the tests of both. */
useFakeAwsEnvironment();
const aws = useService(FIREHOSE);

const { signal } = new AbortController();

test('what comes to lie in S3 is the lines, byte for byte and in order', async () => {
  const [first, second] = [linesOf(['{"a":"é\u2028😀"}', '{"b":1}', '{"c":""}']), linesOf(['{"d":1}', '{"e":1}'])];
  const batch: Batch = [
    { lines: second, from: 0, to: 2 },
    { lines: first, from: 1, to: 3 },
  ];
  const sink = await aws.open();
  expect(await sink.send(batch, signal)).toEqual([]);
  expect(await sink.send([{ lines: first, from: 0, to: 1 }], signal)).toEqual([]);
  expect(aws.fake.s3Bytes().toString()).toBe('{"d":1}\n{"e":1}\n{"b":1}\n{"c":""}\n{"a":"é\u2028😀"}\n');
  expect(aws.fake.calls).toMatchObject([{ records: 4, stream: 'history' }, { records: 1 }]);
});

test('records beyond the quota are throttled, those within it delivered', async () => {
  const bytesPerSecond = 1024 ** 2;
  const narrow = await FIREHOSE.startFake({ throughput: { recordsPerSecond: 100_000, bytesPerSecond } });
  onTestFinished(() => narrow.close());
  const sink = await aws.open({ endpointUrl: narrow.url });
  // The largest record fits into a second's worth, and takes nearly all of it.
  const texts = ['x'.repeat(sink.limits.maxRecordBytes - 1), 'y'.repeat(sink.limits.maxRecordBytes - 1)];
  expect(await sink.send(batchOf(texts), signal)).toMatchObject([{ index: 1, failure: 'throttled' }]);
  expect(narrow.lines()).toEqual(texts.slice(0, 1));
});

describe('a call that Firehose refuses in its own way', () => {
  const KEY = 'start the encryption again';
  const SOURCE = 'give --delivery-stream-name (DELIVERY_STREAM_NAME) a delivery stream whose source is Direct PUT';

  test.each([
    {
      title: 'a key that cannot be used',
      behaviour: error(400, 'InvalidKMSResourceException'),
      code: 'InvalidKMSResourceException',
      mend: KEY,
    },
    {
      title: 'a key, with what KMS said in a field of its own',
      behaviour: {
        kind: 'raw',
        status: 400,
        body: '{"__type":"InvalidKMSResourceException","code":"AccessDeniedException","message":"The grant might have been revoked"}',
      },
      code: 'InvalidKMSResourceException',
      mend: KEY,
    },
    {
      title: 'a delivery stream that decompresses CloudWatch Logs',
      behaviour: error(400, 'InvalidSourceException'),
      code: 'InvalidSourceException',
      mend: SOURCE,
    },
    {
      title: 'a delivery stream that reads a Kinesis stream',
      behaviour: error(
        400,
        'InvalidArgumentException',
        'This operation is not permitted on KinesisStreamAsSource delivery stream type.',
      ),
      code: 'InvalidArgumentException',
      mend: SOURCE,
    },
  ] as const)('is down: $title', async ({ behaviour, code, mend }) => {
    aws.fake.script(behaviour);
    const thrown = await failureOf(sendLines(await aws.open()));
    expect(thrown).toMatchObject({ failure: 'down', code, mend: expect.stringContaining(mend) as string });
  });
});
