import { expect } from 'vitest';
import { CommandError } from '../../src/errors.ts';

/** What a command that fails tells its user. */
export async function messageOf(running: Promise<unknown>): Promise<string> {
  const error: unknown = await running.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(CommandError);
  return (error as CommandError).message;
}
