/** What users may add to `compact`. Kept apart from the command, so that `--help` needs no database engine. */

import { bytes, duration, flag, option } from '../option.ts';

/** The options of `compact`, besides `--archive-dir`. README's table is tested against this. */
export const COMPACT_OPTIONS = {
  removeJson: flag(
    '--remove-json',
    'remove the JSON files of days that are compacted, once that is safe on the disk; Parquet is all that is left then',
  ),
  memoryLimitBytes: option({
    flag: '--memory-limit',
    placeholder: '<bytes>',
    default: '1GiB',
    help: 'memory of the database engine, to which the process adds half a GiB; what needs more spills to a temporary folder (TMPDIR)',
    parse: bytes('256MiB', '1024GiB'),
  }),
  retentionMs: option({
    flag: '--archive-retention',
    placeholder: '<duration>',
    unset: 'keep all',
    help: 'drop whole compacted days of samples that are older than this; day=other, of times without a day, stays',
    parse: duration('1h', '36500d'),
  }),
} as const;
