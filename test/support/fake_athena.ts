import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AthenaOnDuckdb } from './athena_on_duckdb.ts';
import { Refusal } from './athena_rules.ts';
import { AthenaService, type AthenaOperation } from './athena_service.ts';
import { answer, answerError } from './aws_answer.ts';
import { must, readJsonCall, Violation, type JsonObject, type SignedFor } from './aws_rules.ts';
import { closeServer } from './close_server.ts';

/** What becomes of a call; each is for one call. */
export type AthenaBehaviour =
  | { readonly kind: 'error'; readonly status: number; readonly type: string; readonly message?: string }
  /** The connection is reset without an answer. */
  | { readonly kind: 'reset'; readonly accepted: boolean }
  /** Accepted, and the answer waits. */
  | { readonly kind: 'hold'; readonly until: Promise<unknown> };

export interface AthenaCall {
  readonly operation: AthenaOperation;
  readonly input: JsonObject;
}

export interface FakeAthenaOptions {
  /** Runs the SQL; whoever opened it closes it. */
  readonly athena: AthenaOnDuckdb;
  /** Where given, signatures are verified. */
  readonly secretAccessKey?: string;
}

export interface FakeAthena {
  readonly url: string;
  readonly service: AthenaService;
  /** Calls of the protocol's form, in order of arrival. */
  readonly calls: readonly AthenaCall[];
  /** What broke the rules; these calls were answered with an error of AWS's. */
  readonly violations: readonly string[];
  /** The inputs of an operation's calls. */
  inputs(operation: AthenaOperation): JsonObject[];
  /** For the coming calls of an operation. */
  script(operation: AthenaOperation, ...behaviours: AthenaBehaviour[]): void;
  /** Resolves when so many calls of an operation have arrived. */
  arrived(operation: AthenaOperation, count?: number): Promise<void>;
  close(): Promise<void>;
}

/** Amazon Athena with the views of `athena/` over an archive; DuckDB runs the SQL, which must be Trino's. */
export async function startFakeAthena({ athena, secretAccessKey }: FakeAthenaOptions): Promise<FakeAthena> {
  const service = new AthenaService(athena);
  const calls: AthenaCall[] = [];
  const violations: string[] = [];
  const scripts = new Map<AthenaOperation, AthenaBehaviour[]>();
  const waiting: { readonly isDone: () => boolean; readonly resolve: () => void }[] = [];
  const inputs = (operation: AthenaOperation) =>
    calls.filter((call) => call.operation === operation).map(({ input }) => input);
  const signed: SignedFor = { service: 'athena', ...(secretAccessKey !== undefined && { secretAccessKey }) };

  const server = createServer((request, response) => {
    const take = (call: AthenaCall) => {
      calls.push(call);
      for (const { isDone, resolve } of waiting) if (isDone()) resolve();
      return scripts.get(call.operation)?.shift();
    };
    handle(request, response, { service, signed, take }).catch((error: unknown) => {
      const violation = answerFailure(response, error);
      if (violation !== undefined) violations.push(violation);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    service,
    calls,
    violations,
    inputs,
    script: (operation, ...behaviours) => {
      scripts.set(operation, [...(scripts.get(operation) ?? []), ...behaviours]);
    },
    arrived: (operation, count = 1) => {
      const isDone = () => inputs(operation).length >= count;
      return new Promise((resolve) => {
        if (isDone()) resolve();
        else waiting.push({ isDone, resolve });
      });
    },
    close: async () => {
      await closeServer(server);
      await service.idle();
    },
  };
}

interface Handling {
  readonly service: AthenaService;
  readonly signed: SignedFor;
  /** Notes a call, and says what becomes of it. */
  readonly take: (call: AthenaCall) => AthenaBehaviour | undefined;
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  { service, signed, take }: Handling,
): Promise<void> {
  const body = Buffer.concat(await request.toArray());
  const { target, input } = readJsonCall(request, body, signed);
  const [, name = ''] = /^AmazonAthena\.(\w+)$/.exec(target) ?? [];
  must(Object.hasOwn(service.operations, name), 'UnknownOperationException', target);
  const operation = name as AthenaOperation;
  const behaviour = take({ operation, input });
  if (behaviour?.kind === 'error') {
    answerError(response, behaviour.status, behaviour);
    return;
  }
  const isRefused = behaviour?.kind === 'reset' && !behaviour.accepted;
  const output = isRefused ? undefined : await service.operations[operation](input);
  if (behaviour?.kind === 'reset') {
    request.socket.resetAndDestroy();
    return;
  }
  if (behaviour?.kind === 'hold') await behaviour.until;
  answer(response, 200, JSON.stringify(output));
}

/** Answers what went wrong; the rule that the call broke, if it did. */
function answerFailure(response: ServerResponse, error: unknown): string | undefined {
  if (error instanceof Refusal) {
    const fields = { AthenaErrorCode: error.code };
    answerError(response, 400, { type: 'InvalidRequestException', message: error.message, fields });
    return undefined;
  }
  if (error instanceof Violation) {
    answerError(response, 400, error);
    return `${error.type}: ${error.message}`;
  }
  // The client went away in the middle of its request.
  if (response.destroyed) return undefined;
  response.destroy();
  return String(error);
}
