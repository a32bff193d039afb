import { describe, expect, test } from 'vitest';
import { sample } from '../../support/described_series.ts';
import { post, VERSIONS, written, writtenOf } from '../../support/remote_write.ts';
import { acceptAll, startService } from '../../support/service.ts';

const SERIES = [{ labels: { __name__: 'up' }, samples: [sample(1)] }];

/** The suite's request_validation.go: a body whose first byte is another, with headers that are to be looked at before it, or are right. */
const CASES = [
  { name: 'BadContentTypes/application_json', change: { 'Content-Type': 'application/json' }, status: 415 },
  { name: 'BadContentTypes/image_png', change: { 'Content-Type': 'image/png' }, status: 415 },
  { name: 'BadContentEncodings/gzip', change: { 'Content-Encoding': 'gzip' }, status: 415 },
  { name: 'BadContentEncodings/deflate', change: { 'Content-Encoding': 'deflate' }, status: 415 },
  { name: 'CorruptRequestBody', change: {}, status: 400 },
];

for (const remoteWrite of VERSIONS) {
  describe(`remote write ${remoteWrite.version}`, () => {
    for (const { name, change, status } of CASES) {
      test(name, async () => {
        const { port, sink } = await startService();
        acceptAll(sink);
        const body = remoteWrite.encode(SERIES);
        body[0] = '0'.charCodeAt(0);
        const answer = await post(remoteWrite, { port, body, change });
        expect(answer.status).toBe(status);
        expect(written(answer)).toEqual(status === 400 ? writtenOf(remoteWrite, []) : undefined);
        expect(sink.callCount).toBe(0);
      });
    }
  });
}
