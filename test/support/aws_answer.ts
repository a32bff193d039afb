import type { ServerResponse } from 'node:http';
import { JSON_1_1 } from './aws_rules.ts';

/** An answer of the JSON 1.1 protocol. */
export function answer(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': JSON_1_1, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

export interface AnsweredError {
  readonly type: string;
  readonly message?: string;
  /** What the service's own errors have besides. */
  readonly fields?: Readonly<Record<string, string>>;
}

export function answerError(response: ServerResponse, status: number, { type, message, fields }: AnsweredError): void {
  response.setHeader('x-amzn-errortype', type);
  answer(response, status, JSON.stringify({ __type: type, message, ...fields }));
}
