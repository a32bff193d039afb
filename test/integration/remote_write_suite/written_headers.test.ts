import { describe, expect, test } from 'vitest';
import { SinkError } from '../../../src/errors.ts';
import { KINDS, type ArchiveRecord } from '../../../src/record.ts';
import { decodeRecord } from '../../../src/record_decode.ts';
import { archivedRecords, exemplar, histogram, sample, type DescribedSeries } from '../../support/described_series.ts';
import { send, type Answer } from '../../support/http.ts';
import { post, V1, V2, VERSIONS, written, writtenOf, type RemoteWrite } from '../../support/remote_write.ts';
import { ScriptedSink } from '../../support/scripted_sink.ts';
import { acceptAll, startService } from '../../support/service.ts';
import { suiteHistogram } from '../../support/suite_histogram.ts';

const DOWN = new SinkError('down', 'no such stream', { code: 'ResourceNotFoundException', mend: 'create it' });
const NAMELESS: DescribedSeries = { labels: { job: 'nameless' }, samples: [sample(1)], rejected: 'no_metric_name' };

/** Two lines of each kind but metadata, of which there is one for each series: as lines S S H H E E M, then the same again. */
const SERIES = ['first', 'second'].map((job): DescribedSeries => ({
  labels: { __name__: `metric_${job}`, job },
  samples: [sample(1), sample(2, { agoMs: 1 })],
  histograms: [histogram(suiteHistogram(1, 'positive')), histogram(suiteHistogram(2, 'zero'))],
  exemplars: [exemplar({ trace_id: job }, 1), exemplar({}, 2)],
  metadata: { type: 'histogram', help: `Of ${job}`, unit: '' },
}));
const LINES_PER_SERIES = 7;
/** For requests that are to miss their deadline, but not before the sink has seen them, on a busy machine too. */
const DEADLINE_MS = 1_000;

function recordsIn(lines: readonly string[]): ArchiveRecord[] {
  return lines.map(decodeRecord);
}

/** 2.0 says exactly how much of a request the sink has, 1.0 nothing. */
function expectAnswer(
  answer: Answer,
  expected: { remoteWrite: RemoteWrite; status: number; lines?: readonly string[] },
) {
  const { remoteWrite, status, lines = [] } = expected;
  expect([answer.status, written(answer)]).toEqual([status, writtenOf(remoteWrite, recordsIn(lines))]);
}

for (const remoteWrite of VERSIONS) {
  describe(`a body that cannot be read: none of remote write ${remoteWrite.version}`, () => {
    const valid = remoteWrite.encode(SERIES);
    const seriesTag = (remoteWrite === V2 ? 5 << 3 : 1 << 3) | 2;

    test.each([
      { what: 'no bytes at all', body: new Uint8Array(), status: 400, text: 'snappy' },
      { what: 'no snappy', body: Buffer.from('not snappy'), status: 400, text: 'snappy' },
      { what: 'snappy that breaks off', body: valid.subarray(0, -1), status: 400, text: 'snappy' },
      { what: 'more than snappy', body: Buffer.concat([valid, valid]), status: 400, text: 'snappy' },
      { what: 'no protobuf', body: new Uint8Array([3, 8, 0xff, 0xff, 0xff]), status: 400, text: 'write request' },
      {
        what: 'protobuf that breaks off',
        body: new Uint8Array([2, 1 << 2, seriesTag, 0x7f]),
        status: 400,
        text: 'write request',
      },
      {
        what: '4 GiB, by its own word',
        body: new Uint8Array([0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0]),
        status: 400,
        text: '--max-body-bytes',
      },
    ])('$what', async ({ body, status, text }) => {
      const { port, sink } = await startService();
      acceptAll(sink);
      const answer = await post(remoteWrite, { port, body });
      expectAnswer(answer, { remoteWrite, status });
      expect(answer.text).toContain(text);
      expect(sink.callCount).toBe(0);
    });

    test('an empty message is a request of nothing: 204', async () => {
      const { port, sink } = await startService();
      expectAnswer(await post(remoteWrite, { port, body: new Uint8Array([0]) }), { remoteWrite, status: 204 });
      expect(sink.callCount).toBe(0);
    });

    test('too large, declared or not: 413', async () => {
      const { port } = await startService({ config: { maxBodyBytes: 1_000 } });
      const body = new Uint8Array(1_001);
      expectAnswer(await post(remoteWrite, { port, body }), { remoteWrite, status: 413 });
      const change = { 'Content-Length': undefined, 'Transfer-Encoding': 'chunked' };
      expectAnswer(await post(remoteWrite, { port, body, change }), { remoteWrite, status: 413 });
    });

    test('too many lines: 413', async () => {
      const { port, sink } = await startService({ config: { maxRequestLinesBytes: 64 * 1024 } });
      const samples = Array.from({ length: 2_000 }, (_, agoMs) => sample(1, { agoMs }));
      const body = remoteWrite.encode([{ labels: { __name__: 'x'.repeat(1_000) }, samples }]);
      expectAnswer(await post(remoteWrite, { port, body }), { remoteWrite, status: 413 });
      expect(sink.callCount).toBe(0);
    });
  });

  describe(`a request of remote write ${remoteWrite.version} that is not, or not all, delivered`, () => {
    const body = remoteWrite.encode(SERIES);
    const withNameless = remoteWrite.encode([NAMELESS, ...SERIES]);

    test('the sink is down, at its call and at the next request: 503', async () => {
      const { port, sink } = await startService();
      const first = post(remoteWrite, { port, body: withNameless });
      await (await sink.call()).fail(DOWN);
      expectAnswer(await first, { remoteWrite, status: 503 });
      expectAnswer(await post(remoteWrite, { port, body }), { remoteWrite, status: 503 });
      expect(sink.callCount).toBe(1);
    });

    test('there is no room for it: 503', async () => {
      const { port, sink } = await startService({ config: { maxInFlightBytes: 1_000 } });
      const large = post(remoteWrite, { port, body });
      const call = await sink.call();
      expectAnswer(await post(remoteWrite, { port, body }), { remoteWrite, status: 503 });
      await call.accept();
      expectAnswer(await large, { remoteWrite, status: 204, lines: sink.accepted });
    });

    test('the adapter stops: 503', async () => {
      const { port, sink, stop } = await startService({ config: { shutdownTimeoutMs: 50 } });
      const inFlight = post(remoteWrite, { port, body });
      await sink.call();
      const stopped = stop();
      expectAnswer(await post(remoteWrite, { port, body }), { remoteWrite, status: 503 });
      await stopped;
      expectAnswer(await inFlight, { remoteWrite, status: 503 });
    });

    test.each(KINDS)(
      'past its deadline, delivered up to the first %s: 503, which outranks the 400 of a nameless series',
      async (last) => {
        const records = archivedRecords(SERIES, remoteWrite.version);
        const maxRecordsPerCall = 1 + records.findIndex(({ kind }) => kind === last);
        const sink = new ScriptedSink({ maxRecordsPerCall });
        const { port } = await startService({ sink, config: { deliveryTimeoutMs: DEADLINE_MS } });
        const answer = post(remoteWrite, { port, body: withNameless });
        await (await sink.call()).accept();
        expectAnswer(await answer, { remoteWrite, status: 503, lines: sink.accepted });
        expect(recordsIn(sink.accepted).map(({ kind }) => kind)).toEqual(
          records.slice(0, maxRecordsPerCall).map(({ kind }) => kind),
        );
      },
    );

    test('past its deadline with every second line delivered: 503', async () => {
      const { port, sink } = await startService({ config: { deliveryTimeoutMs: DEADLINE_MS } });
      const answer = post(remoteWrite, { port, body });
      const call = await sink.call();
      const indexes = call.lines.map((_, index) => index).filter((index) => index % 2 === 1);
      await call.reject(
        indexes.map((index) => ({ index, failure: 'transient', code: 'InternalFailure', message: 'try again' })),
      );
      expectAnswer(await answer, { remoteWrite, status: 503, lines: sink.accepted });
      expect(sink.accepted).toHaveLength(LINES_PER_SERIES);
    });

    test('lines that the sink took at the second attempt count once: 204', async () => {
      const { port, sink } = await startService();
      const answer = post(remoteWrite, { port, body });
      const refusal = { failure: 'transient', code: 'InternalFailure', message: 'try again' } as const;
      await (await sink.call()).reject([0, 3, 4].map((index) => ({ index, ...refusal })));
      acceptAll(sink);
      expectAnswer(await answer, { remoteWrite, status: 204, lines: sink.accepted });
      expect(sink.accepted).toHaveLength(2 * LINES_PER_SERIES);
    });

    test('lines that the sink refuses for good: 400, the rest delivered', async () => {
      const { port, sink } = await startService();
      const answer = post(remoteWrite, { port, body });
      const refusal = { failure: 'refused', code: 'InvalidArgument', message: 'no' } as const;
      await (await sink.call()).reject([0, 1, 2, 5].map((index) => ({ index, ...refusal })));
      expectAnswer(await answer, { remoteWrite, status: 400, lines: sink.accepted });
      expect(sink.accepted).toHaveLength(2 * LINES_PER_SERIES - 4);
    });
  });
}

test('requests of both versions that share a call have each their own count', async () => {
  const { port, sink, metrics } = await startService({ config: { deliveryTimeoutMs: DEADLINE_MS } });
  const first = post(V1, { port, body: V1.encode(SERIES) });
  const call = await sink.call();
  const [all, part] = SERIES.map((series) => post(V2, { port, body: V2.encode([renamed(series)]) }));
  await expect.poll(async () => (await metrics())('lines_in_flight')).toBe(4 * LINES_PER_SERIES);
  await call.accept();
  expectAnswer(await first, { remoteWrite: V1, status: 204 });
  const shared = await sink.call();
  expect(shared.lines).toHaveLength(2 * LINES_PER_SERIES);
  const refused = shared.lines.findLastIndex((line) => line.includes('"kind":"exemplar"'));
  await shared.reject([{ index: refused, failure: 'transient', code: 'InternalFailure', message: 'try again' }]);
  const answers = await Promise.all([all!, part!]);
  expect(answers.map(({ status }) => status).toSorted()).toEqual([204, 503]);
  const counts = new Map(answers.map((answer) => [answer.status, written(answer)]));
  expect(counts.get(204)).toEqual({ samples: '2', histograms: '2', exemplars: '2' });
  expect(counts.get(503)).toEqual({ samples: '2', histograms: '2', exemplars: '1' });
});

/** With metadata that was not written before. */
function renamed(series: DescribedSeries): DescribedSeries {
  return {
    ...series,
    labels: { ...series.labels, __name__: 'another' },
    metadata: { ...series.metadata!, unit: 'one' },
  };
}

test('405 is no answer to remote write: without a count of what was written', async () => {
  const { port } = await startService();
  const answer = await send({ port, method: 'PUT', path: '/receive', headers: V2.headers });
  expect([answer.status, written(answer)]).toEqual([405, undefined]);
});
