import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answer, answerError } from './aws_answer.ts';
import { JSON_1_1, readAwsCall, Violation, type AwsCall, type AwsRules, type StreamRules } from './aws_rules.ts';
import { closeServer } from './close_server.ts';
import { textsOfRecord } from './lines.ts';

export interface FakeCall {
  readonly index: number;
  readonly records: number;
  readonly accessKeyId: string;
  /** Name or ARN, as the call gave it. */
  readonly stream: string;
}

/** What becomes of a call that is right. Without a script every call is accepted. */
export type Behaviour =
  | { readonly kind: 'accept' }
  /** Codes by record, undefined for one that is accepted. */
  | { readonly kind: 'codes'; readonly codes: readonly (string | undefined)[] }
  | { readonly kind: 'error'; readonly status: number; readonly type: string; readonly message?: string }
  /** An answer as it comes, nothing accepted. */
  | { readonly kind: 'raw'; readonly status: number; readonly body: string }
  /** The connection is reset without an answer. */
  | { readonly kind: 'reset'; readonly accepted: boolean }
  /** Accepted, but the answer ends in the middle, or after its head: the connection is reset, or says no more. */
  | { readonly kind: 'half' | 'head'; readonly then: 'reset' | 'silence' }
  /** Accepted, but only so many entries in the answer. */
  | { readonly kind: 'entries'; readonly count: number };

/** A promise holds the call back until it settles. */
export type Script = (call: FakeCall) => Behaviour | Promise<Behaviour>;

export interface FakeAwsOptions extends Partial<StreamRules> {
  /** Where given, signatures are verified. */
  readonly secretAccessKey?: string;
  /** The service's clock, where signatures of more than 5 min off are refused; milliseconds since the epoch. */
  readonly clock?: () => number;
  /** False forgets the records, for long runs. */
  readonly keepRecords?: boolean;
  /** A free one unless told: that of a fake that was closed, to come back after an outage. */
  readonly port?: number;
}

/** One operation that puts records, and how it answers. */
export interface FakeOperation<Entry> extends AwsRules<Entry>, Pick<FakeAwsOptions, 'keepRecords' | 'port' | 'clock'> {
  /** Takes a record where there is room for it, else gives the code that says so. */
  refuse(entry: Entry): string | undefined;
  /** The answer's entry for a record that was accepted: the record `index` of the call `call`. */
  acceptedEntry(entry: Entry, call: number, index: number): object;
  answerOf(entries: readonly object[], failed: number): object;
}

export interface FakeAws<Entry = unknown> {
  readonly url: string;
  /** Calls that kept the rules, in order of arrival. */
  readonly calls: readonly FakeCall[];
  /** What was accepted, in order, with the index of the call that brought it. */
  readonly records: readonly (Entry & { readonly call: number })[];
  /** What broke the rules; these calls were answered with an error of AWS's. */
  readonly violations: readonly string[];
  /** Connections opened so far. */
  readonly connections: number;
  /** Records for which there was no room. */
  readonly throttled: number;
  /** The lines of all accepted records, packed or not, without their newlines. */
  lines(): string[];
  /** One behaviour per coming call, then accept; or a function for all of them. */
  script(...script: [Script] | Behaviour[]): void;
  /** Resolves when so many calls have arrived. */
  arrived(count: number): Promise<void>;
  close(): Promise<void>;
}

/** A service of AWS as a sink sees it, strict about what it takes. */
export async function startFakeAws<Entry extends { readonly data: Buffer }>(
  operation: FakeOperation<Entry>,
): Promise<FakeAws<Entry>> {
  const calls: FakeCall[] = [];
  const records: (Entry & { readonly call: number })[] = [];
  const violations: string[] = [];
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  let connections = 0;
  let throttled = 0;
  let script: Script = () => ({ kind: 'accept' });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = Buffer.concat(await request.toArray());
    if (operation.clock) response.setHeader('date', new Date(operation.clock()).toUTCString());
    if (isSkewed(request, operation.clock)) {
      answerError(response, 400, { type: 'RequestTimeTooSkewedException', message: 'the clocks differ' });
      return;
    }
    const checked = tryReadCall(request, body, operation);
    if (checked instanceof Violation) {
      violations.push(`${checked.type}: ${checked.message}`);
      answerError(response, 400, checked);
      return;
    }
    const { entries, accessKeyId, stream } = checked;
    const call: FakeCall = { index: calls.length, records: entries.length, accessKeyId, stream };
    calls.push(call);
    for (const { count, resolve } of waiting) if (calls.length >= count) resolve();

    const behaviour = await script(call);
    const accept = (codes: readonly (string | undefined)[] = []) =>
      entries.map((entry, index) => {
        const noRoom = codes[index] === undefined ? operation.refuse(entry) : undefined;
        if (noRoom !== undefined) throttled++;
        const code = codes[index] ?? noRoom;
        if (code !== undefined) return { ErrorCode: code, ErrorMessage: `${code}: record ${index}` };
        if (operation.keepRecords !== false) records.push({ ...entry, call: call.index });
        return operation.acceptedEntry(entry, call.index, index);
      });
    const answerBody = (answered: readonly object[]) =>
      JSON.stringify(operation.answerOf(answered, answered.filter((entry) => 'ErrorCode' in entry).length));

    switch (behaviour.kind) {
      case 'accept':
        answer(response, 200, answerBody(accept()));
        return;
      case 'codes':
        answer(response, 200, answerBody(accept(behaviour.codes)));
        return;
      case 'entries':
        answer(response, 200, answerBody(accept().slice(0, behaviour.count)));
        return;
      case 'error':
        answerError(response, behaviour.status, behaviour);
        return;
      case 'raw':
        answer(response, behaviour.status, behaviour.body);
        return;
      case 'reset':
        if (behaviour.accepted) accept();
        request.socket.resetAndDestroy();
        return;
      case 'head':
      case 'half': {
        const text = answerBody(accept());
        const sent = behaviour.kind === 'half' ? text.slice(0, text.length / 2) : '';
        response.writeHead(200, { 'content-type': JSON_1_1, 'content-length': text.length });
        response.flushHeaders();
        request.socket.write(sent, () => {
          if (behaviour.then === 'reset') request.socket.resetAndDestroy();
        });
      }
    }
  }

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      // The client went away in the middle of its request.
      if (!request.socket.destroyed) violations.push(String(error));
      request.socket.destroy();
    });
  });
  server.on('connection', () => connections++);
  server.listen(operation.port ?? 0, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    records,
    violations,
    get connections() {
      return connections;
    },
    get throttled() {
      return throttled;
    },
    lines: () => records.flatMap(({ data }) => textsOfRecord(data)),
    script: (...next) => {
      const [first] = next;
      const queue = next.slice() as Behaviour[];
      script = typeof first === 'function' ? first : () => queue.shift() ?? { kind: 'accept' };
    },
    arrived: (count) =>
      new Promise((resolve) => {
        if (calls.length >= count) resolve();
        else waiting.push({ count, resolve });
      }),
    close: () => closeServer(server),
  };
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html: "Signature expired" */
const MAX_SKEW_MS = 5 * 60_000;

function isSkewed({ headers }: IncomingMessage, clock: (() => number) | undefined): boolean {
  if (!clock) return false;
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(String(headers['x-amz-date'])) ?? [];
  const signedAtMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return !(Math.abs(signedAtMs - clock()) <= MAX_SKEW_MS);
}

function tryReadCall<Entry>(
  request: IncomingMessage,
  body: Buffer,
  rules: AwsRules<Entry>,
): AwsCall<Entry> | Violation {
  try {
    return readAwsCall(request, body, rules);
  } catch (error) {
    if (error instanceof Violation) return error;
    throw error;
  }
}
