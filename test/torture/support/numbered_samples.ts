import SnappyJS from 'snappyjs';
import { bitsOf } from '../../../src/record.ts';
import { WriteRequest } from '../../../src/wire/messages.ts';
import { long } from '../../support/write_request.ts';

/** Every varint of a time from here on has six bytes, for seventy years. */
const TIME_MS = 1_800_000_000_000;
const VALUE_BYTES = 8;
const TIME_BYTES = 6;
const TIME_TAG_BYTES = 1;

/**
 * Requests of samples that no other request has: the value of a sample is its number, and the request `n` has the numbers from n × count on, one of each
 * series. What arrives of them is told line by line, by the number.
 */
export class NumberedSamples {
  readonly count: number;
  readonly #message: Buffer;
  /** Where the value of each series stands in the message. */
  readonly #valuesAt: readonly number[];
  readonly #heads: readonly string[];
  readonly #tails: readonly string[];

  /** @param count samples of a request, which is the number of series, too */
  constructor(count: number) {
    const labels = Array.from({ length: count }, (_, index) => labelsOf(index));
    const series = labels.map(encodeSeries);
    this.count = count;
    this.#message = Buffer.concat(series);
    let end = 0;
    this.#valuesAt = series.map(({ length }) => (end += length) - TIME_BYTES - TIME_TAG_BYTES - VALUE_BYTES);
    this.#heads = labels.map(({ __name__ }) => `{"name":${JSON.stringify(__name__)},"time":`);
    this.#tails = labels.map((each) => `,"labels":${JSON.stringify(each)}}`);
  }

  /** The body of a request of remote write 1.0: the same bytes each time that it is asked for. */
  body(request: number): Uint8Array {
    const message = this.#message;
    const time = varint(TIME_MS + request);
    this.#valuesAt.forEach((at, index) => {
      message.writeDoubleLE(request * this.count + index, at);
      message.set(time, at + VALUE_BYTES + TIME_TAG_BYTES);
    });
    return SnappyJS.compress(new Uint8Array(message));
  }

  /** The line of a sample in the archive, without its newline. */
  line(sample: number): string {
    const index = sample % this.count;
    const time = TIME_MS + Math.floor(sample / this.count);
    return `${this.#heads[index]}${time},"value":${sample}${this.#tails[index]}`;
  }
}

/** Labels sorted by name, as Prometheus sends them and the archive has them. */
function labelsOf(index: number) {
  return {
    __name__: `torture_family_${index % 100}_total`,
    device: `device-${Math.floor(index / 100)}`,
    instance: '10.0.0.1:9100',
    job: 'torture',
  };
}

/** A request of one series: the bytes of many, one behind the other, are the request of all. */
function encodeSeries(labels: Readonly<Record<string, string>>): Uint8Array {
  const encoder = new TextEncoder();
  const texts = Object.entries(labels).map(([name, value]) => ({
    name: encoder.encode(name),
    value: encoder.encode(value),
  }));
  // A value of 0 would not be there at all.
  const samples = [{ value: long(bitsOf(1)), timestamp: long(BigInt(TIME_MS)) }];
  return WriteRequest.encode({ timeseries: [{ labels: texts, samples }] }).finish();
}

function varint(value: number): Uint8Array {
  const bytes = [];
  for (let left = value; left > 0; left = Math.floor(left / 128)) bytes.push((left % 128) + (left >= 128 ? 128 : 0));
  if (bytes.length !== TIME_BYTES) throw new Error(`a time of ${bytes.length} bytes`);
  return Uint8Array.from(bytes);
}
