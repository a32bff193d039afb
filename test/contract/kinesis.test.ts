import { expect } from 'vitest';
import { createLog } from '../../src/log.ts';
import { openKinesisSink } from '../../src/sinks/kinesis.ts';
import { FAKE_CREDENTIALS, useFakeAwsEnvironment } from '../support/aws_env.ts';
import { startFakeKinesis } from '../support/fake_kinesis.ts';
import { startKinesalite } from '../support/kinesis_emulator.ts';
import { describeSinkContract, type SinkHarness } from './sink_contract.ts';

const STREAM = 'history';
const REGION = 'eu-west-1';
const SHARDS = 4;

const log = createLog({ level: 'warn', format: 'logfmt' });

useFakeAwsEnvironment();
describeSinkContract('Kinesis, the strict fake', startOnFake);
describeSinkContract('Kinesis, kinesalite', startOnKinesalite);

async function startOnFake(): Promise<SinkHarness> {
  const { secretAccessKey } = FAKE_CREDENTIALS;
  const fake = await startFakeKinesis({ stream: STREAM, shards: SHARDS, secretAccessKey });
  const sink = await openKinesisSink({ stream: STREAM, region: REGION, endpointUrl: fake.url, log });
  return {
    sink,
    readLines: () => Promise.resolve(fake.lines()),
    close: async () => {
      await sink.close();
      await fake.close();
      expect(fake.violations).toEqual([]);
    },
  };
}

async function startOnKinesalite(): Promise<SinkHarness> {
  const emulator = await startKinesalite({ stream: STREAM, region: REGION, shards: SHARDS });
  const sink = await openKinesisSink({ stream: STREAM, region: REGION, endpointUrl: emulator.url, log });
  return {
    sink,
    readLines: () => emulator.lines(),
    close: async () => {
      await sink.close();
      await emulator.close();
    },
  };
}
