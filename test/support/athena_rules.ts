import { asObject, must, mustHaveOnly, readText, Violation, type JsonObject } from './aws_rules.ts';

/** A call that keeps the rules, and that Athena refuses all the same: https://docs.aws.amazon.com/athena/latest/APIReference/API_InvalidRequestException.html */
export class Refusal extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export interface StartInput {
  readonly sql: string;
  readonly token: string;
  readonly database: string | undefined;
  readonly workgroup: string;
  readonly outputLocation: string | undefined;
}

export interface ResultsInput {
  readonly id: string;
  readonly maxResults: number;
  readonly nextToken: string | undefined;
}

/** What the service's own check of lengths and forms says. */
function mustSatisfy(condition: boolean, field: string): asserts condition {
  must(
    condition,
    'InvalidRequestException',
    `1 validation error detected: Value at '${field}' failed to satisfy constraint`,
  );
}

function readLength(value: unknown, field: string, [least, most]: readonly [number, number]): string {
  const text = readText(value, field);
  mustSatisfy(text.length >= least && text.length <= most, field);
  return text;
}

/**
 * https://docs.aws.amazon.com/athena/latest/APIReference/API_StartQueryExecution.html; the words of the errors are those that
 * github.com/aoyagikouhei/athena-local measured.
 *
 * @throws Violation
 */
export function readStart(input: JsonObject): StartInput {
  mustHaveOnly(input, [
    'QueryString',
    'ClientRequestToken',
    'QueryExecutionContext',
    'ResultConfiguration',
    'WorkGroup',
    'ExecutionParameters',
  ]);
  const sql = readLength(input['QueryString'], 'queryString', [1, 262_144]);
  must(input['ClientRequestToken'] !== undefined, 'InvalidRequestException', 'clientRequestToken is null or empty');
  const token = readLength(input['ClientRequestToken'], 'clientRequestToken', [32, 128]);
  const context = asObject(input['QueryExecutionContext'] ?? {}, 'QueryExecutionContext');
  mustHaveOnly(context, ['Database', 'Catalog']);
  const result = asObject(input['ResultConfiguration'] ?? {}, 'ResultConfiguration');
  mustHaveOnly(result, ['OutputLocation']);
  const workgroup = readText(input['WorkGroup'] ?? 'primary', 'WorkGroup');
  mustSatisfy(/^[a-zA-Z0-9._-]{1,128}$/.test(workgroup), 'workGroup');
  return {
    sql,
    token,
    database: optional(context['Database'], (value) => readLength(value, 'database', [1, 255])),
    workgroup,
    outputLocation: optional(result['OutputLocation'], (value) => readText(value, 'OutputLocation')),
  };
}

/** The input of GetQueryExecution and StopQueryExecution. */
export function readId(input: JsonObject): string {
  mustHaveOnly(input, ['QueryExecutionId']);
  return idOf(input);
}

/** https://docs.aws.amazon.com/athena/latest/APIReference/API_GetQueryResults.html */
export function readResults(input: JsonObject): ResultsInput {
  mustHaveOnly(input, ['QueryExecutionId', 'MaxResults', 'NextToken', 'QueryResultType']);
  const { MaxResults: maxResults = 1_000, QueryResultType: type = 'DATA_ROWS' } = input;
  if (typeof maxResults !== 'number') throw new Violation('SerializationException', 'MaxResults is no number');
  mustSatisfy(Number.isInteger(maxResults) && maxResults >= 1 && maxResults <= 1_000, 'maxResults');
  mustSatisfy(type === 'DATA_ROWS', 'queryResultType');
  const nextToken = optional(input['NextToken'], (value) => readLength(value, 'nextToken', [1, 1_024]));
  return { id: idOf(input), maxResults, nextToken };
}

function idOf(input: JsonObject): string {
  const id = readText(input['QueryExecutionId'], 'QueryExecutionId');
  mustSatisfy(/^\S{1,128}$/.test(id), 'queryExecutionId');
  return id;
}

function optional<Value>(value: unknown, read: (value: unknown) => Value): Value | undefined {
  return value === undefined ? undefined : read(value);
}
