import fc from 'fast-check';
import { test } from 'vitest';
import { Flattener } from '../../../src/write/flatten.ts';
import { bytesField, concat, fixed64Field, varintField } from '../../support/protobuf_writer.ts';
import { expectSameAsOracle } from '../../support/same_as_oracle.ts';
import { label, name, ONE, sample, seriesOf, time, value, valueOne } from '../../support/series.ts';

/*
 * A control character takes six bytes in JSON, so texts of them need more room than was made for them as they are. The first memory of a writer is
 * 64 KiB: texts around that, each with a writer of its own.
 */
const length = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 30_000 }), fc.integer({ min: 10_000, max: 11_000 }));
const text = fc
  .tuple(fc.constantFrom('\u0001', 'x', 'é', '"'), length)
  .map(([character, count]) => character.repeat(count));

test('texts of any length that have to be escaped', () => {
  fc.assert(
    fc.property(text, text, text, text, (one, other, third, fourth) => {
      const series = seriesOf(
        label(name('__name__'), value(`up${one}`)),
        label(name(`a${other}`), value(third)),
        sample(valueOne, time(1)),
        sample(valueOne, time(-(2n ** 63n))),
        // An exemplar and a histogram.
        bytesField(3, concat(label(name(`t${fourth}`), value(`v${one}`)), fixed64Field(2, ONE))),
        bytesField(4, fixed64Field(3, ONE)),
      );
      const metadata = bytesField(
        3,
        concat(varintField(1, 1), bytesField(2, `up${other}`), bytesField(4, one), bytesField(5, third)),
      );
      expectSameAsOracle(new Flattener(), concat(series, metadata));
    }),
    { numRuns: 200 },
  );
});

test('each text alone', () => {
  for (let count = 8_000; count < 24_000; count += 500) {
    const long = '\u0001'.repeat(count);
    const metricName = label(name('__name__'), value('up'));
    for (const request of [
      seriesOf(label(name('__name__'), value(long)), sample(valueOne)),
      seriesOf(
        metricName,
        label(name('a'), value(long)),
        label(name('b'), value('x'.repeat(60_000))),
        sample(valueOne),
      ),
      seriesOf(metricName, bytesField(3, label(name('a'), value(long)))),
      bytesField(3, concat(bytesField(2, 'up'), bytesField(4, long), bytesField(5, 'x'.repeat(60_000)))),
      bytesField(3, concat(bytesField(2, long), bytesField(4, 'x'.repeat(60_000)))),
    ])
      expectSameAsOracle(new Flattener(), request);
  }
});
