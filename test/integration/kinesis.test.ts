import { expect, onTestFinished, test } from 'vitest';
import { createLog } from '../../src/log.ts';
import { openKinesisSink } from '../../src/sinks/kinesis.ts';
import { useFakeAwsEnvironment } from '../support/aws_env.ts';
import { KINESIS, REGION, sendLines, useService } from '../support/aws_services.ts';

/** What Kinesis has and Firehose has not; the rest is in the tests of both. */
useFakeAwsEnvironment();
const aws = useService(KINESIS);

test('a stream may be given by its ARN', async () => {
  const stream = `arn:aws:kinesis:${REGION}:123456789012:stream/history`;
  const log = createLog({ level: 'warn', format: 'logfmt' });
  const sink = await openKinesisSink({ stream, region: REGION, endpointUrl: aws.fake.url, log });
  onTestFinished(() => sink.close());
  expect(await sendLines(sink)).toEqual([]);
  expect(aws.fake.calls).toMatchObject([{ stream, records: 3 }]);
});
