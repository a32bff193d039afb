import { spawnSync } from 'node:child_process';
import { findProgram } from './processes.ts';

/** Senders besides Debian's Prometheus, which the environment names by their paths; CONTRIBUTING.md says how to come by them. */

/** Prometheus 3: PROMETHEUS3, or the one on PATH where that is a Prometheus 3. */
export function findPrometheus3(): string | undefined {
  return process.env['PROMETHEUS3'] ?? findWith('prometheus', '--version', (text) => text.includes('version 3.'));
}

/** A vmagent that has a protocol of its own besides remote write: VMAGENT, or the one on PATH where that has. */
export function findVmagent(): string | undefined {
  return process.env['VMAGENT'] ?? findWith('vmagent', '-help', (text) => text.includes(OWN_PROTOCOL));
}

/** A vmagent from before that: VMAGENT_OLD, or the one on PATH. */
export function findOldVmagent(): string | undefined {
  return process.env['VMAGENT_OLD'] ?? findWith('vmagent', '-help', (text) => !text.includes(OWN_PROTOCOL));
}

const OWN_PROTOCOL = '-remoteWrite.forcePromProto';

/** The program on PATH, where what it says of itself will do. */
function findWith(name: string, option: string, willDo: (text: string) => boolean): string | undefined {
  const path = findProgram(name);
  if (path === undefined) return undefined;
  const { stdout, stderr } = spawnSync(path, [option], { encoding: 'utf8' });
  return willDo(stdout + stderr) ? path : undefined;
}

/**
 * What a title says of tests whose sender may not be there: nothing where they run, plainly where they are skipped. Who names a path by the
 * variable has them run, and fail if nothing is there.
 */
export function skippedWithout(program: string | undefined, variable: string): string {
  if (program !== undefined) return '';
  const reason = `SKIPPED: ${variable} names no program, and none that will do is on PATH`;
  console.warn(`${reason}; CONTRIBUTING.md says how to come by it`);
  return ` (${reason})`;
}
