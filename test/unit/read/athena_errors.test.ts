import { describe, expect, test } from 'vitest';
import { CommandError } from '../../../src/errors.ts';
import { callError, queryError } from '../../../src/read/athena_errors.ts';

const PLACE = { workgroup: 'lake', database: 'metrics', region: 'eu-west-1' };

/** An error as AWS answers it. */
function answered(name: string, message: string): Error {
  return Object.assign(new Error(message), { name, $fault: 'client', $metadata: { httpStatusCode: 400 } });
}

/** An error of Node's. */
function broken(code: string): Error {
  return Object.assign(new Error(`connect ${code} 127.0.0.1:9`), { code });
}

describe('a call that fails says what mends it', () => {
  test.each<[string, Error, string, string]>([
    [
      'no output location',
      answered(
        'InvalidRequestException',
        'No output location provided. You did not provide an output location for  your query results.',
      ),
      'InvalidRequestException: No output location provided.',
      'give --output-location (ATHENA_OUTPUT_LOCATION), such as s3://bucket/prefix/, or set one on workgroup lake',
    ],
    [
      'a bad output location',
      answered('InvalidRequestException', 'Unable to verify/create output bucket b'),
      'output bucket b',
      'a bucket in eu-west-1 that is there',
    ],
    [
      'an unknown workgroup',
      answered('InvalidRequestException', 'WorkGroup is not found.'),
      'WorkGroup is not found.',
      '--workgroup (ATHENA_WORKGROUP), now lake: "primary" is in every account; or correct --region (AWS_REGION)',
    ],
    [
      'a workgroup that is off',
      answered('InvalidRequestException', 'WorkGroup lake is disabled.'),
      'disabled',
      'enable workgroup lake',
    ],
    [
      'no permission',
      answered(
        'AccessDeniedException',
        'You are not authorized to perform: athena:StartQueryExecution on the resource.',
      ),
      'AccessDeniedException',
      'allow athena:StartQueryExecution in the IAM policy',
    ],
    [
      'no permission, in other words',
      answered(
        'AccessDeniedException',
        'User: arn:aws:iam::1:user/u is not authorized to perform: glue:GetTable on resource: x',
      ),
      'AccessDeniedException',
      'allow glue:GetTable in the IAM policy',
    ],
    [
      'no permission, without words',
      answered('AccessDeniedException', 'no'),
      'no',
      'allow athena:StartQueryExecution on workgroup lake',
    ],
    [
      'expired credentials',
      answered('ExpiredTokenException', 'The security token is expired'),
      'expired',
      'renew the AWS credentials',
    ],
    [
      'unknown credentials',
      answered('UnrecognizedClientException', 'invalid token'),
      'invalid',
      'give valid AWS credentials',
    ],
    [
      'no credentials',
      Object.assign(new Error('Could not load credentials from any providers'), { name: 'CredentialsProviderError' }),
      'Could not load',
      'give valid AWS credentials',
    ],
    ['too many queries', answered('TooManyRequestsException', 'too many'), 'too many', 'wait until fewer queries run'],
    ['nobody there', broken('ECONNREFUSED'), 'ECONNREFUSED: connect', 'correct --endpoint-url (AWS_ENDPOINT_URL)'],
    ['no such host', broken('ENOTFOUND'), 'ENOTFOUND', 'correct --endpoint-url (AWS_ENDPOINT_URL)'],
    ['a certificate', broken('CERT_HAS_EXPIRED'), 'CERT_HAS_EXPIRED', 'NODE_EXTRA_CA_CERTS'],
  ])('%s', (_, error, words, mend) => {
    const { message, stack, ...rest } = callError(error, 'StartQueryExecution', PLACE);
    expect(message).toMatch(/^athena:StartQueryExecution on workgroup lake: /);
    expect(message).toContain(words);
    const [, advice] = message.split('\nTo mend it: ');
    expect(advice).toContain(mend);
    expect(rest).toEqual({ name: 'CommandError' });
    expect(stack).toBeDefined();
  });

  test.each([
    ['StartQueryExecution', 'ECONNRESET', true],
    ['StartQueryExecution', 'ECONNREFUSED', false],
    ['GetQueryExecution', 'ECONNRESET', false],
  ])('%s that ends in %s may have started the query: %s', (action, code, mayHave) => {
    expect(callError(broken(code), action, PLACE).message.includes('the query runs')).toBe(mayHave);
  });

  test('unless nobody knows it', () => {
    const error = answered('InvalidRequestException', 'line 1:1: mismatched input\n more');
    expect(callError(error, 'StartQueryExecution', PLACE)).toEqual(
      new CommandError(
        'athena:StartQueryExecution on workgroup lake: InvalidRequestException: line 1:1: mismatched input',
      ),
    );
  });
});

describe('a query that fails says what mends it', () => {
  test.each([
    ["TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.metrics.samples' does not exist", 'athena/README.md'],
    ["SCHEMA_NOT_FOUND: line 1:15: Schema 'metrics' does not exist", '--database (ATHENA_DATABASE), now metrics'],
    ['Insufficient permissions to execute the query.', 's3:GetObject and s3:ListBucket'],
    ['PERMISSION_DENIED: Access Denied (Service: Amazon S3; Status Code: 403)', 's3:GetObject and s3:ListBucket'],
    ['User: u is not authorized to perform: glue:GetDatabase on resource: x', 'allow glue:GetDatabase'],
    ["FUNCTION_NOT_FOUND: line 1:8: Function 'histogram_quantile' not registered", 'without --athena only'],
    ['Bytes scanned limit was exceeded', 'by a predicate on datehour, or raise the limit of workgroup lake'],
  ])('%s', (reason, mend) => {
    const [text, advice] = queryError('the query failed', reason, PLACE).message.split('\nTo mend it: ');
    expect(text).toBe(`the query failed: ${reason}`);
    expect(advice).toContain(mend);
  });

  test.each([
    ['DIVISION_BY_ZERO: Division by zero', 'the query failed: DIVISION_BY_ZERO: Division by zero'],
    ['', 'the query failed'],
  ])('unless nobody knows it: %o', (reason, message) => {
    expect(queryError('the query failed', reason, PLACE).message).toBe(message);
  });
});
