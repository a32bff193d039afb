import SnappyJS from 'snappyjs';
import { bitsOf } from '../../src/record.ts';
import { concat, fixed64Field, seriesField, varintField } from '../support/protobuf_writer.ts';
import { sample } from '../support/series.ts';
import { refs, seriesOf, symbolsOf } from '../support/series_v2.ts';

/** Names nothing that a generated request has. */
export const NEIGHBOUR = 'fuzz_good_neighbour';
const TIME_MS = 1_800_000_000_000;
const SERIES = ['a', 'b'];

/** A good request with samples that no other has. */
export function neighbourBody(number: number, version: 1 | 2): Uint8Array {
  const bits = bitsOf(number);
  const timeMs = TIME_MS + number;
  const message =
    version === 1
      ? concat(
          ...SERIES.map((series) =>
            seriesField(
              [
                ['__name__', NEIGHBOUR],
                ['series', series],
              ],
              [[bits, timeMs]],
            ),
          ),
        )
      : concat(
          symbolsOf(['', '__name__', NEIGHBOUR, 'series', ...SERIES]),
          ...SERIES.map((_, index) =>
            seriesOf(refs(1, 2, 3, 4 + index), sample(fixed64Field(1, bits), varintField(2, timeMs))),
          ),
        );
  return SnappyJS.compress(message);
}

/** Its lines, without their newlines. */
export function neighbourLines(number: number): string[] {
  return SERIES.map((series) =>
    JSON.stringify({
      name: NEIGHBOUR,
      time: TIME_MS + number,
      value: number,
      labels: { __name__: NEIGHBOUR, series },
    }),
  );
}
