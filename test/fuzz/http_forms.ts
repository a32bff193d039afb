import { below, pick, type Random } from '../support/plain_series.ts';
import { bendBytes } from './message_mutations.ts';

/** One request as it goes over the socket. */
export interface WireRequest {
  readonly bytes: Buffer;
  /** Whether it ends where it says that it ends, so that the connection is good for another. */
  readonly isWhole: boolean;
}

const V1_TYPES = [
  'application/x-protobuf',
  'application/x-protobuf;proto=prometheus.WriteRequest',
  ' Application/X-Protobuf ; charset=utf-8; PROTO = "prometheus.WriteRequest"',
];
const V2_TYPES = [
  'application/x-protobuf;proto=io.prometheus.write.v2.Request',
  'application/x-protobuf; proto="io.prometheus.write.v2.Request"',
  'application/x-protobuf;a=b;proto=prometheus.WriteRequest;proto=io.prometheus.write.v2.Request',
];
const ODD_TYPES = [
  ...V1_TYPES,
  ...V2_TYPES,
  '',
  ';',
  'application/x-protobuf;',
  'application/x-protobuf;proto',
  'application/x-protobuf;proto=',
  'application/x-protobuf;proto="',
  'application/x-protobuf;proto=io.prometheus.write.v3.Request',
  'application/x-protobuf;proto=__proto__',
  'application/json',
  'text/plain; charset=\u00ff',
  `application/x-protobuf;${'a'.repeat(4_000)}`,
];
const ODD_ENCODINGS = ['snappy', ' SNAPPY ', 'gzip', 'zstd', 'identity', '', 'snappy, snappy', 'snappy;q=1'];
const ODD_VERSIONS = ['0.1.0', '2.0.0', '2.0', '1', '', 'x'.repeat(1_000)];
const FAIR_METHODS_AND_PATHS = ['POST /receive', 'POST /receive', 'POST /api/v1/write'];

/** A body as a write request: mostly as a sender writes it, else in one of the many forms that HTTP has, a few of which are wrong. */
export function requestOf(body: Uint8Array, version: 1 | 2, random: Random): WireRequest {
  const isOdd = random() < 0.08;
  const types = isOdd ? ODD_TYPES : version === 1 ? V1_TYPES : V2_TYPES;
  const head = [
    `${pick(random, FAIR_METHODS_AND_PATHS)} HTTP/1.1`,
    'Host: 127.0.0.1',
    `Content-Type: ${isOdd ? pick(random, types) : random() < 0.8 ? types[0]! : pick(random, types)}`,
    `Content-Encoding: ${isOdd ? pick(random, ODD_ENCODINGS) : 'snappy'}`,
    `X-Prometheus-Remote-Write-Version: ${isOdd ? pick(random, ODD_VERSIONS) : version === 1 ? '0.1.0' : '2.0.0'}`,
  ];
  if (isOdd && random() < 0.3) head.splice(2 + below(random, 3), 1);
  if (random() < 0.03) head.push('Expect: 100-continue');
  const share = random();
  if (share < 0.9) return whole([...head, `Content-Length: ${body.length}`], body);
  if (share < 0.98) return whole([...head, 'Transfer-Encoding: chunked'], chunked(body, random));
  return pick(random, BROKEN)(head, body, random);
}

function whole(head: readonly string[], body: Uint8Array): WireRequest {
  return { bytes: joined(head, body), isWhole: true };
}

function joined(head: readonly string[], body: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), body]);
}

function chunked(body: Uint8Array, random: Random): Buffer {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < body.length;) {
    const length = Math.min(body.length - at, random() < 0.2 ? 1 : 1 + below(random, 1_000));
    const extension = random() < 0.1 ? ';a=b' : '';
    parts.push(Buffer.from(`${length.toString(16)}${extension}\r\n`), body.subarray(at, at + length), CRLF);
    at += length;
  }
  return Buffer.concat([...parts, Buffer.from(random() < 0.1 ? '0\r\nA-Trailer: x\r\n\r\n' : '0\r\n\r\n')]);
}

const CRLF = Buffer.from('\r\n');

type Broken = (head: readonly string[], body: Uint8Array, random: Random) => WireRequest;

function broken(head: readonly string[], body: Uint8Array): WireRequest {
  return { bytes: joined(head, body), isWhole: false };
}

/** Requests that do not end where they say, or do not say where they end. The connection is half closed behind them. */
const BROKEN: readonly Broken[] = [
  (head, body, random) => broken([...head, `Content-Length: ${body.length + 1 + below(random, 100)}`], body),
  (head, body, random) => broken([...head, `Content-Length: ${below(random, body.length + 1)}`], body),
  (head, body) => broken([...head, `Content-Length: ${body.length}`, `Content-Length: ${body.length + 1}`], body),
  (head, body) => broken([...head, `Content-Length: ${body.length}`, 'Transfer-Encoding: chunked'], body),
  (head, body) => broken([...head, `Content-Length: -${body.length}`], body),
  (head, body) => broken([...head, 'Content-Length: 1e3'], body),
  (head, body) => broken([...head, 'Content-Length: 99999999999999999999'], body),
  (head, body, random) => broken([...head, 'Transfer-Encoding: chunked'], bendBytes(chunked(body, random), random)),
  (head, body) => broken([...head, 'Transfer-Encoding: chunked, identity'], body),
  (head, body) => broken([...head, 'Transfer-Encoding: gzip'], body),
  (head, body) => broken([...head, `Content-Length: ${body.length}`, 'no header'], body),
  (head, body, random) => {
    const bytes = joined([...head, `Content-Length: ${body.length}`], body);
    return { bytes: bytes.subarray(0, below(random, bytes.length)), isWhole: false };
  },
  (head, body, random) => {
    const bent = bendBytes(joined([...head, `Content-Length: ${body.length}`], new Uint8Array(0)), random);
    return { bytes: Buffer.concat([bent, body]), isWhole: false };
  },
];
