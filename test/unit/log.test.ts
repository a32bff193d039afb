import { expect, test } from 'vitest';
import { createLog, type LogOptions } from '../../src/log.ts';

function logTo(options: Pick<LogOptions, 'level' | 'format'>) {
  const lines: string[] = [];
  return { lines, log: createLog({ ...options, write: (line) => lines.push(line) }) };
}

test('logfmt has the time, the level and the message first, and quotes what needs it', () => {
  const { lines, log } = logTo({ level: 'info', format: 'logfmt' });
  log.warn(
    { code: 'E1', count: 3, text: 'two words', quote: 'a"b=c', line: 'x\ny', empty: '', none: undefined },
    'a message',
  );
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^ts=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z level=warn msg="a message" /);
  expect(lines[0]).toContain(String.raw` code=E1 count=3 text="two words" quote="a\"b=c" line="x\ny" empty=""` + '\n');
});

test('json is one object per line, an error by its message', () => {
  const { lines, log } = logTo({ level: 'info', format: 'json' });
  log.error({ error: new Error('why') }, 'what');
  expect(JSON.parse(lines[0]!)).toMatchObject({ level: 'error', msg: 'what', error: 'why' });
});

test('what is below the level is left out', () => {
  const { lines, log } = logTo({ level: 'warn', format: 'logfmt' });
  log.info('no');
  log.warn('yes');
  expect(lines).toHaveLength(1);
});
