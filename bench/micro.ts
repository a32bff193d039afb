/**
 * Times each stage on the way from the body of a request to the answer of the stream: `npm run bench`. Each figure stands beside the plain way of
 * the libraries and beside a floor, all taken in one run, on the same bytes, after it was seen that the same bytes come of them.
 *
 *     node …/bench/micro.js [snappy | flatten | pack | gzip | body | call | answer]
 */
import os from 'node:os';
import { CALL_STAGES, runCalls } from './micro_calls.ts';
import { describeRequests, measureRequests, printRequests, REQUEST_STAGES } from './micro_requests.ts';

// As cli.ts does.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';

const [wanted] = process.argv.slice(2);
const isWanted = ({ name }: { readonly name: string }) => wanted === undefined || name === wanted;
const names = [...new Set(REQUEST_STAGES.map(({ name }) => name)), ...CALL_STAGES];
if (wanted !== undefined && !names.includes(wanted)) {
  console.error(`no stage ${wanted}; there are ${names.join(', ')}`);
  process.exit(2);
}

const load = os.loadavg()[0]!.toFixed(1);
console.log(
  `Node ${process.versions.node}, ${os.cpus().length} × ${os.cpus()[0]?.model ?? 'unknown CPU'}, load ${load}`,
);
console.log(describeRequests());
console.log('CPU time of the process in ns a sample, threads included, median of 15 rounds or more');

const requestStages = REQUEST_STAGES.filter(isWanted);
if (requestStages.length > 0) printRequests(requestStages, await measureRequests(requestStages));
if (wanted === undefined || CALL_STAGES.includes(wanted)) await runCalls(isWanted);
