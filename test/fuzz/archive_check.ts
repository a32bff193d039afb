import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { encodeRecord } from '../../src/record.ts';
import { decodeRecord } from '../../src/record_decode.ts';
import { archiveFiles } from '../support/archive.ts';
import { NEIGHBOUR } from './neighbours.ts';

const NEIGHBOUR_START = `{"name":"${NEIGHBOUR}"`;

/** What an archive holds: how many lines, and those of the neighbours. */
export interface Checked {
  readonly lines: number;
  readonly neighbours: readonly string[];
}

/**
 * Reads lines back: each must be a record, and that record written plainly must be the line.
 *
 * @throws Error at the first that is not
 */
export class LineCheck {
  #lines = 0;
  readonly #neighbours: string[] = [];

  take(line: string): void {
    this.#lines++;
    if (encodeRecord(decodeRecord(line)) !== `${line}\n`) throw new Error(`not as it would be written: ${line}`);
    if (line.startsWith(NEIGHBOUR_START)) this.#neighbours.push(line);
  }

  get checked(): Checked {
    return { lines: this.#lines, neighbours: this.#neighbours.toSorted() };
  }
}

/** Checks every line of an archive, which may be larger than memory. */
export async function checkArchive(dir: string): Promise<Checked> {
  const check = new LineCheck();
  for (const path of archiveFiles(dir)) {
    const text = createReadStream(join(dir, path)).pipe(createGunzip());
    for await (const line of linesIn(text)) check.take(line);
  }
  return check.checked;
}

/** Not node:readline, which ends a line at U+2028 too. */
async function* linesIn(stream: AsyncIterable<unknown>): AsyncGenerator<string> {
  let rest = Buffer.alloc(0);
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    const bytes = Buffer.concat([rest, chunk]);
    let from = 0;
    for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, from)) {
      yield bytes.toString('utf8', from, end);
      from = end + 1;
    }
    rest = bytes.subarray(from);
  }
  if (rest.length > 0) throw new Error('the last line has no newline');
}
