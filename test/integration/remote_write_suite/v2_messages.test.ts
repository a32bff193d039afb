import SnappyJS from 'snappyjs';
import { expect, test } from 'vitest';
import { decodeRecord } from '../../../src/record_decode.ts';
import { bytesField, concat, varintField } from '../../support/protobuf_writer.ts';
import { post, V2, written } from '../../support/remote_write.ts';
import { sample, time, valueOne } from '../../support/series.ts';
import { exemplar, metadata, refs, seriesOf, symbolsOf } from '../../support/series_v2.ts';
import { acceptAll, startService } from '../../support/service.ts';

/**
 * How messages are answered that only remote write 2.0 can have right or wrong. What all can be wrong with refs, symbols and starts, and what
 * becomes of it, is in test/unit/write/flatten_v2.test.ts.
 */
const SYMBOLS = symbolsOf(['', '__name__', 'up', 'job', 'test', 'Help']);
const UP = refs(1, 2, 3, 4);
const POINT = sample(valueOne, time(1));
const VALID = seriesOf(UP, POINT);
const HELP = metadata(varintField(1, 1), varintField(3, 5));

test.each([
  {
    what: 'symbols behind the series',
    message: concat(seriesOf(UP, POINT, exemplar(refs(3, 4)), HELP), SYMBOLS),
    status: 204,
    counts: { samples: '1', histograms: '0', exemplars: '1' },
    kinds: ['sample', 'exemplar', 'metadata'],
    rejected: {},
  },
  {
    what: 'a series whose refs are wrong: nothing of it, but its neighbours',
    message: concat(SYMBOLS, VALID, seriesOf(refs(1, 2, 3), POINT, POINT, exemplar(refs(3, 4)), HELP), VALID),
    status: 400,
    counts: { samples: '2', histograms: '0', exemplars: '0' },
    kinds: ['sample', 'sample'],
    rejected: { invalid_refs: 4 },
  },
  {
    what: 'an exemplar and metadata whose refs are wrong: nothing of them, but of their series',
    message: concat(
      SYMBOLS,
      seriesOf(UP, POINT, exemplar(refs(3, 4)), exemplar(refs(3, 4, 3, 5)), metadata(varintField(3, 99))),
    ),
    status: 400,
    counts: { samples: '1', histograms: '0', exemplars: '1' },
    kinds: ['sample', 'exemplar'],
    rejected: { repeated_label: 1, invalid_refs: 1 },
  },
  {
    what: 'symbols that do not begin with the empty one: nothing',
    message: concat(bytesField(4, 'up'), SYMBOLS, VALID),
    status: 400,
    counts: { samples: '0', histograms: '0', exemplars: '0' },
    kinds: [],
    rejected: {},
  },
])('$status of $what', async ({ message, status, counts, kinds, rejected }) => {
  const { port, sink, metrics } = await startService();
  acceptAll(sink);
  const answer = await post(V2, { port, body: SnappyJS.compress(message) });
  expect([answer.status, written(answer)]).toEqual([status, counts]);
  const records = sink.accepted.map(decodeRecord);
  expect(records.map(({ kind }) => kind)).toEqual(kinds);
  const metric = await metrics();
  for (const [reason, count] of Object.entries(rejected)) {
    expect([reason, metric(`lines_rejected_total{reason="${reason}"}`)]).toEqual([reason, count]);
  }
});
