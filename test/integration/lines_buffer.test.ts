import { expect, test, vi } from 'vitest';
import { spanBytes, type Batch, type Rejected } from '../../src/sinks/sink.ts';
import { Delivery } from '../../src/write/deliver.ts';
import { write } from '../support/http.ts';
import { ScriptedSink } from '../support/scripted_sink.ts';
import { startService } from '../support/service.ts';
import { someSeries, writeRequest } from '../support/write_request.ts';

/** A sink that keeps its batches as they are, without copying a line. */
class BatchKeeper extends ScriptedSink {
  readonly batches: Batch[] = [];

  override send(batch: Batch, signal: AbortSignal): Promise<readonly Rejected[]> {
    this.batches.push(batch);
    return super.send(batch, signal);
  }
}

/** Their lines take enough of a buffer for it to be used again. */
const SERIES = 1_000;
/** Requests of the same size, whose lines differ in their times only. */
const bodyAt = (timeMs: number) => writeRequest(someSeries(SERIES, timeMs));
const bytesOf = (batch: Batch) => Buffer.concat(batch.map(spanBytes));
const bufferOf = ([span]: Batch) => span!.lines.bytes.buffer;

test('lines that a call carries past the deadline stay as they are, and their buffer is used again once it ended', async () => {
  const sink = new BatchKeeper({ maxRecordsPerCall: SERIES, maxCallsInFlight: 3 });
  const { port, metrics } = await startService({ config: { deliveryTimeoutMs: 500 }, sink });
  expect((await write(port, bodyAt(1_700_000_000_000))).status).toBe(503);
  const [first, ...others] = sink.batches;
  expect(others).toHaveLength(0);
  const sent = bytesOf(first!);

  // Whether its call is made or not: its lines are in their buffer by the time of its own deadline.
  expect((await write(port, bodyAt(1_711_111_111_111))).status).toBe(503);
  expect((await metrics())('lines_returned_total{reason="deadline"}')).toBe(2 * SERIES);
  expect(bytesOf(first!).equals(sent)).toBe(true);
  expect(sent.toString()).not.toContain('1711111111111');

  const given = sink.batches.map(bufferOf);
  for (const call of [...sink.pending]) await call.accept();
  const third = write(port, bodyAt(1_722_222_222_222));
  await (await sink.call()).accept();
  expect((await third).status).toBe(204);
  // Not toContain, which takes minutes to say how buffers differ.
  expect(given.includes(bufferOf(sink.batches.at(-1)!))).toBe(true);
});

test('the buffer of lines that were delivered is used again, by one request at a time', async () => {
  const sink = new BatchKeeper({ maxRecordsPerCall: SERIES, maxCallsInFlight: 3 });
  const { port } = await startService({ sink });
  const deliver = async (timeMs: number) => {
    const answer = write(port, bodyAt(timeMs));
    await (await sink.call()).accept();
    expect((await answer).status).toBe(204);
  };
  await deliver(1);
  await deliver(2);
  expect(bufferOf(sink.batches[1]!) === bufferOf(sink.batches[0]!)).toBe(true);

  const both = [write(port, bodyAt(3)), write(port, bodyAt(4))];
  await expect.poll(() => sink.pending.length).toBe(2);
  expect(bufferOf(sink.batches[3]!) === bufferOf(sink.batches[2]!)).toBe(false);
  for (const call of [...sink.pending]) await call.accept();
  for (const answer of both) expect((await answer).status).toBe(204);
});

test('a delivery that lets go of its lines twice is a bug that is told', async () => {
  const deliver = vi.spyOn(Delivery.prototype, 'deliver').mockImplementation((_, { onUnreferenced }) => {
    onUnreferenced();
    onUnreferenced();
    return Promise.resolve({ ending: 'delivered', refused: 0, accepted: [] });
  });
  try {
    const { port, logged } = await startService();
    expect((await write(port, bodyAt(1))).status).toBe(500);
    expect(logged.join('')).toContain('let go of more often');
  } finally {
    deliver.mockRestore();
  }
});
