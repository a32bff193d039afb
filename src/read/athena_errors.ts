/** What Athena says when something is wrong, with what mends it. PURE. */

import { classifyAwsError, mendOf, type AwsMend, type AwsTarget } from '../aws_errors.ts';
import { CommandError, messageOf } from '../errors.ts';

/** Where a query runs, in the words of the messages. */
export interface AthenaPlace {
  readonly workgroup: string;
  readonly database: string;
  readonly region: string;
}

const WORKGROUP = '--workgroup (ATHENA_WORKGROUP)';
const DATABASE = '--database (ATHENA_DATABASE)';
const OUTPUT_LOCATION = '--output-location (ATHENA_OUTPUT_LOCATION)';
const ALL_ACTIONS = 'docs/operations.md lists all that it needs';

type Mend = (place: AthenaPlace, found: string) => string;

/** By Athena's words, of calls and of queries that failed; the first that fits. A group in the pattern is what was found. */
const MENDS: readonly (readonly [RegExp, Mend])[] = [
  [
    /No output location provided/i,
    ({ workgroup }) => `give ${OUTPUT_LOCATION}, such as s3://bucket/prefix/, or set one on workgroup ${workgroup}`,
  ],
  [
    /not a valid S3 path|Unable to verify\/create output bucket/i,
    ({ region }) => `give ${OUTPUT_LOCATION} a bucket in ${region} that is there and that these credentials may write`,
  ],
  [
    /WorkGroup\b.*\bnot found/i,
    ({ workgroup, region }) =>
      `name one that ${region} has with ${WORKGROUP}, now ${workgroup}: "primary" is in every account; or correct --region (AWS_REGION)`,
  ],
  [/WorkGroup\b.*\bdisabled/i, ({ workgroup }) => `enable workgroup ${workgroup}, or name another with ${WORKGROUP}`],
  [
    /not authorized to perform:? ([\w-]+:\w+)/i,
    (_, action) => `allow ${action} in the IAM policy of the credentials in use; ${ALL_ACTIONS}`,
  ],
  [
    /Insufficient permissions|Access Denied|Permission denied on S3/i,
    () =>
      `allow s3:GetObject and s3:ListBucket on the bucket of the archive, and s3:PutObject too on the output location; ${ALL_ACTIONS}`,
  ],
  [
    /SCHEMA_NOT_FOUND|Schema \S+ (?:does not exist|not found)|Database \S+ not found/i,
    ({ database, region }) => `name the Glue database that ${region} has with ${DATABASE}, now ${database}`,
  ],
  [
    /TABLE_NOT_FOUND|Table \S+ does not exist|Entity Not Found/i,
    ({ database }) =>
      `make the tables and views as athena/README.md says, or name their database with ${DATABASE}, now ${database}`,
  ],
  [
    /FUNCTION_NOT_FOUND|Function '?\w+'? not registered/i,
    () => 'what docs/record.md calls a macro is there without --athena only',
  ],
  [
    /Bytes scanned limit was exceeded/i,
    ({ workgroup }) => `read less, by a predicate on datehour, or raise the limit of workgroup ${workgroup}`,
  ],
];

function mendOfWords(words: string, place: AthenaPlace): string | undefined {
  for (const [pattern, mend] of MENDS) {
    const found = pattern.exec(words);
    if (found) return mend(place, found[1] ?? '');
  }
  return undefined;
}

/** Codes of a connection that was never made. */
const NEVER_SENT: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN']);

/** A call that failed. */
export function callError(error: unknown, action: string, place: AthenaPlace): CommandError {
  const name = `workgroup ${place.workgroup}`;
  const target: AwsTarget = { name, region: place.region, option: WORKGROUP, action: `athena:${action}`, keyMend: '' };
  const { failure, code, mend } = classifyAwsError(error);
  const message = messageOf(error).split('\n', 1)[0]!;
  // The SDK has tried again by now.
  const isOutOfReach = failure === 'transient' && (error as { $fault?: unknown }).$fault === undefined;
  const byCode: AwsMend | undefined = mend ?? (isOutOfReach ? 'endpoint' : undefined);
  const advice =
    mendOfWords(message, place) ??
    (failure === 'throttled' ? 'wait until fewer queries run in this account' : byCode && mendOf(byCode, target));
  const mayHaveStarted = isOutOfReach && action === 'StartQueryExecution' && !NEVER_SENT.has(code);
  const fate = mayHaveStarted ? '; if it came there all the same, the query runs' : '';
  return withMend(`${target.action} on ${name}: ${code}: ${message}${fate}`, advice);
}

/** A query that did not end well. */
export function queryError(what: string, reason: string, place: AthenaPlace): CommandError {
  return withMend(reason === '' ? what : `${what}: ${reason}`, mendOfWords(reason, place));
}

function withMend(text: string, mend: string | undefined): CommandError {
  return new CommandError(mend === undefined ? text : `${text}\nTo mend it: ${mend}`);
}
