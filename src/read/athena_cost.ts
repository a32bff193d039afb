/** What a query costs and took, in words. PURE. */

import type { Execution } from './athena_api.ts';

/** Of us-east-1, https://aws.amazon.com/athena/pricing/; some regions are dearer. */
const DOLLARS_PER_TB = 5;
/** "rounded up to the nearest megabyte, with a 10 MB minimum per query" */
const MIN_MEGABYTES = 10;
/**
 * AWS does not say which megabyte it is. The API calls 10,000,000 bytes 10 MB (BytesScannedCutoffPerQuery,
 * https://docs.aws.amazon.com/athena/latest/APIReference/API_WorkGroupConfiguration.html); were it 2^20 bytes, a query would cost 9 % less.
 */
const MEGABYTE = 1e6;
const MEGABYTES_PER_TB = 1e6;

/**
 * What AWS asks for a query, in US dollars. Failed ones are free; cancelled ones cost what they had scanned. So are DDL, SHOW and DESCRIBE,
 * which scan nothing, whereas CREATE TABLE AS SELECT does.
 */
export function costOf({ state, statementType, scannedBytes }: Execution): number {
  const isFree = state === 'FAILED' || (scannedBytes === 0 && (state === 'CANCELLED' || statementType !== 'DML'));
  if (isFree) return 0;
  const megabytes = Math.max(MIN_MEGABYTES, Math.ceil(scannedBytes / MEGABYTE));
  return (megabytes / MEGABYTES_PER_TB) * DOLLARS_PER_TB;
}

/** Two digits of what is less than a dollar: `$0.00005`, `$0.10`, `$12.30`. */
export function dollarsText(dollars: number): string {
  const rounded = dollars >= 1 ? dollars.toFixed(2) : String(Number(dollars.toPrecision(2)));
  const [whole = '', cents = ''] = rounded.split('.');
  return `$${whole}.${cents.padEnd(2, '0')}`;
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** Three digits, in the units that AWS bills by: `0 B`, `1.23 GB`. */
export function sizeText(bytes: number): string {
  let size = bytes;
  let unit = 0;
  while (size >= 999.5 && unit < UNITS.length - 1) {
    size /= 1_000;
    unit++;
  }
  return `${Number(size.toPrecision(3))} ${UNITS[unit]!}`;
}

/** The line that ends a query. */
export function summaryOf(execution: Execution): string {
  const { id, state, scannedBytes, totalMs } = execution;
  const dollars = costOf(execution);
  const cost =
    dollars === 0 ? 'no charge' : `about ${dollarsText(dollars)} (at $${DOLLARS_PER_TB} a TB, the price of us-east-1)`;
  const end = state === 'SUCCEEDED' ? '' : `${state.toLowerCase()}, `;
  return `athena: ${end}${sizeText(scannedBytes)} scanned in ${(totalMs / 1_000).toFixed(1)} s, ${cost}, query ${id}`;
}
