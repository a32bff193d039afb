/**
 * Times each stage on the way from the body of a request to its lines: `npm run bench`. Each figure stands beside the plain way of
 * the libraries and beside a floor, all taken in one run, on the same bytes, after it was seen that the same bytes come of them.
 *
 *     node …/bench/micro.js [snappy | flatten]
 */
import os from 'node:os';
import { describeRequests, measureRequests, printRequests, REQUEST_STAGES } from './micro_requests.ts';

const [wanted] = process.argv.slice(2);
const isWanted = ({ name }: { readonly name: string }) => wanted === undefined || name === wanted;
const names = [...new Set(REQUEST_STAGES.map(({ name }) => name))];
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
