import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { PassThrough, Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { CommandError } from '../../../src/errors.ts';
import { createOutput } from '../../../src/read/output.ts';

const NEVER = new AbortController().signal;

describe('the output', () => {
  it('waits until a piece is taken', async () => {
    const taken: string[] = [];
    let take: () => void = () => undefined;
    const stream = new Writable({
      write(piece: Buffer, _encoding, done) {
        taken.push(piece.toString());
        take = done;
      },
    });
    const output = createOutput(stream, NEVER);
    let isTaken = false;
    const written = output.write('a').then((more) => {
      isTaken = true;
      return more;
    });
    await new Promise(setImmediate);
    expect([taken, isTaken]).toEqual([['a'], false]);
    take();
    expect(await written).toBe(true);
    expect(await output.write('')).toBe(true);
    expect(taken).toEqual(['a']);
  });

  it('ends quietly when the reader of a pipe has gone', async () => {
    const head = spawn('head', ['-n', '1'], { stdio: ['pipe', 'ignore', 'inherit'] });
    const output = createOutput(head.stdin, NEVER);
    const exited = once(head, 'exit');
    const line = `${'x'.repeat(100_000)}\n`;
    let pieces = 0;
    while (await output.write(line)) pieces++;
    expect(pieces).toBeLessThan(100);
    expect(await output.write(line)).toBe(false);
    await exited;
  });

  it('ends quietly on a stream that was destroyed', async () => {
    const stream = new PassThrough();
    stream.destroy();
    expect(await createOutput(stream, NEVER).write('a')).toBe(false);
  });

  it('says why it cannot write', async () => {
    const stream = new Writable({
      write(_piece, _encoding, done) {
        done(Object.assign(new Error('no space left on device'), { code: 'ENOSPC' }));
      },
    });
    await expect(createOutput(stream, NEVER).write('a')).rejects.toThrow(
      new CommandError('cannot write the result: no space left on device'),
    );
  });

  it('does not wait for a reader that reads no more once it is aborted', async () => {
    const controller = new AbortController();
    const stalled = new Writable({ write: () => undefined });
    const written = createOutput(stalled, controller.signal).write('a');
    controller.abort(new Error('stop'));
    await expect(written).rejects.toThrow('stop');
  });
});
