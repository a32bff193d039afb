import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeRecord } from '../../../src/record_decode.ts';
import { Flattener } from '../../../src/write/flatten.ts';
import { textsOf } from '../../support/lines.ts';
import { runs } from '../../support/runs.ts';
import { NO_LIMITS } from '../../support/same_as_oracle.ts';
import { encodeSeries, normalized, seriesMessages, seriesOfRecords } from '../../support/series_message.ts';

const flattener = new Flattener();

test.each([1, 2] as const)('message → lines → message is the message: version %d', (version) => {
  fc.assert(
    fc.property(seriesMessages, (series) => {
      const { lines } = flattener.flatten(encodeSeries(series, version), { ...NO_LIMITS, version });
      const records = textsOf(lines.bytes).map(decodeRecord);
      expect(seriesOfRecords(records)).toEqual(normalized(series, version));
    }),
    runs(1000),
  );
});
