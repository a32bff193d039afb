import { expect } from 'vitest';
import { createLog } from '../../src/log.ts';
import { openFirehoseSink } from '../../src/sinks/firehose.ts';
import { FAKE_CREDENTIALS, useFakeAwsEnvironment } from '../support/aws_env.ts';
import { startFakeFirehose } from '../support/fake_firehose.ts';
import { textsOf } from '../support/lines.ts';
import { describeSinkContract } from './sink_contract.ts';

const DELIVERY_STREAM = 'history';

const log = createLog({ level: 'warn', format: 'logfmt' });

useFakeAwsEnvironment();
describeSinkContract('Firehose, the strict fake', async () => {
  const { secretAccessKey } = FAKE_CREDENTIALS;
  const fake = await startFakeFirehose({ stream: DELIVERY_STREAM, secretAccessKey });
  const sink = await openFirehoseSink({
    deliveryStream: DELIVERY_STREAM,
    region: 'eu-west-1',
    endpointUrl: fake.url,
    log,
  });
  return {
    sink,
    readLines: () => Promise.resolve(textsOf(fake.s3Bytes())),
    close: async () => {
      await sink.close();
      await fake.close();
      expect(fake.violations).toEqual([]);
    },
  };
});
