import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeRecord } from '../../../src/record_decode.ts';
import { Flattener } from '../../../src/write/flatten.ts';
import { MetadataSet, REPEAT_AFTER_MS } from '../../../src/write/metadata_set.ts';
import { writeRequests } from '../../support/arbitrary_requests.ts';
import { writeRequestsV2 } from '../../support/arbitrary_requests_v2.ts';
import { textsOf } from '../../support/lines.ts';
import { bytesField, concat, varintField } from '../../support/protobuf_writer.ts';
import { runs } from '../../support/runs.ts';
import { expectSameAsOracle, NO_LIMITS } from '../../support/same_as_oracle.ts';

const { arrivedAtMs } = NO_LIMITS;
const NO_UTF8 = Uint8Array.of(0xff);

const type = (number: number | bigint) => varintField(1, number);
const family = (name: string | Uint8Array) => bytesField(2, name);
const help = (text: string | Uint8Array) => bytesField(4, text);
const unit = (text: string | Uint8Array) => bytesField(5, text);
const metadata = (...fields: readonly Uint8Array[]) => bytesField(3, concat(...fields));

/** A line of metadata, without its time: what it is remembered by. */
function keyOf(line: string): string {
  return JSON.stringify({ ...decodeRecord(line), time: undefined });
}

describe('metadata', () => {
  const line = (type: string, help: string, unit: string) =>
    `{"kind":"metadata","name":"x","time":${arrivedAtMs},"metadata":{"type":"${type}","help":"${help}","unit":"${unit}"}}`;

  test.each<[string, Uint8Array, string[]]>([
    ['whole', metadata(type(1), family('x'), help('A \n.'), unit('s')), [line('counter', 'A \\n.', 's')]],
    ['of a type only', metadata(type(7), family('x')), [line('stateset', '', '')]],
    ['of a help only', metadata(family('x'), help('h')), [line('unknown', 'h', '')]],
    ['of a unit only', metadata(family('x'), unit('s')), [line('unknown', '', 's')]],
    ['of a type that is none', metadata(type(8), family('x'), unit('s')), [line('unknown', '', 's')]],
    ['of a type below 0', metadata(type(-1), family('x'), unit('s')), [line('unknown', '', 's')]],
    ['of types at the ends of 32 bits', metadata(type(2n ** 32n + 2n), family('x')), [line('gauge', '', '')]],
    [
      'that differs in one text each',
      concat(...['', 'a', 'b'].map((text) => metadata(type(2), family('x'), help(text), unit(text)))),
      [line('gauge', '', ''), line('gauge', 'a', 'a'), line('gauge', 'b', 'b')],
    ],
  ])('%s', (_, request, lines) => {
    const flattened = expectSameAsOracle(new Flattener(), request)!;
    expect(textsOf(flattened.lines.bytes)).toEqual(lines);
  });

  test.each<[string, Uint8Array]>([
    ['that says nothing', metadata(type(0), family('x'), help(''))],
    ['that is empty', metadata()],
    ['of a type that is none', metadata(type(9), family('x'))],
    ['that says nothing of a name that is no UTF-8', metadata(family(NO_UTF8))],
  ])('%s is skipped', (_, request) => {
    const flattened = expectSameAsOracle(new Flattener(), request)!;
    expect(flattened.skipped.metadata).toBe(1);
    expect(flattened.metadata).toBeUndefined();
  });

  test.each<[string, string, Uint8Array]>([
    ['no_metric_name', 'no name', metadata(type(1))],
    ['invalid_utf8', 'a name that is no UTF-8', metadata(type(1), family(NO_UTF8))],
    ['invalid_utf8', 'a help that is no UTF-8', metadata(family('x'), help(NO_UTF8))],
    ['invalid_utf8', 'a unit that is no UTF-8', metadata(family('x'), unit(NO_UTF8))],
  ])('is rejected as %s for %s', (reason, _, request) => {
    const flattened = expectSameAsOracle(new Flattener(), request)!;
    expect(flattened.rejected).toEqual(new Map([[reason, 1]]));
    expect(flattened.metadata).toBeUndefined();
  });
});

describe.each([
  [1 as const, writeRequests],
  [2 as const, writeRequestsV2],
])('metadata of version %d that was written already', (version, requests) => {
  test('is skipped, until it is an hour old', () => {
    fc.assert(
      fc.property(fc.array(requests, { minLength: 2, maxLength: 5 }), fc.nat(REPEAT_AFTER_MS), (several, stepMs) => {
        const seen = new MetadataSet();
        const flattener = new Flattener(seen);
        const writtenAt = new Map<string, number>();
        for (const [index, request] of several.entries()) {
          const nowMs = arrivedAtMs + index * stepMs;
          const flattened = expectSameAsOracle(flattener, request, {
            version,
            arrivedAtMs: nowMs,
            isSeen: (record) => {
              const at = writtenAt.get(JSON.stringify({ ...record, time: undefined }));
              return at !== undefined && nowMs - at < REPEAT_AFTER_MS;
            },
          });
          // Every other request is not delivered: its metadata has not been written then.
          if (!flattened || index % 2 === 1) continue;
          if (flattened.metadata) seen.addAll(flattened.metadata, nowMs, () => false).next();
          const lines = textsOf(flattened.lines.bytes).filter((line) => line.startsWith('{"kind":"metadata"'));
          for (const line of lines) writtenAt.set(keyOf(line), nowMs);
        }
      }),
      runs(100),
    );
  });
});
