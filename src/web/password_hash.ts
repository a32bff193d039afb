import { ConfigError } from '../errors.ts';

/** The parts of a bcrypt hash. */
export interface PasswordHash {
  /** log2 of the rounds. */
  readonly cost: number;
  /** 22 characters; undefined where no password can have this hash. */
  readonly salt: string | undefined;
  /** 31 characters. */
  readonly digest: string;
}

// https://pkg.go.dev/golang.org/x/crypto/bcrypt
const SHORTEST = 59;
const LEAST_COST = 4;
const MOST_COST = 31;
/** A check at 16 takes some seconds; one more doubles it, and a sender waits for 30 s at most. */
const MOST_COST_HERE = 16;
const DIGITS = '[./A-Za-z0-9]';
const REST = new RegExp(`^(${DIGITS}{22})(${DIGITS}{31})`);

/**
 * Reads a bcrypt hash as golang.org/x/crypto/bcrypt does, which takes every version up to 2 for the same, looks at the rest when it is needed, and
 * leaves what follows the 60th character unread.
 *
 * @throws ConfigError that does not quote it
 */
export function parsePasswordHash(text: string): PasswordHash {
  const mend = 'make one with: htpasswd -nBC 10 ""';
  if (Buffer.byteLength(text) < SHORTEST) throw new ConfigError(`is too short for a bcrypt hash; ${mend}`);
  if (!text.startsWith('$')) throw new ConfigError(`is no bcrypt hash, which begins with $; ${mend}`);
  if (text.charAt(1) > '2') throw new ConfigError(`is no bcrypt hash, which begins with $2; ${mend}`);
  const costAt = text.charAt(2) === '$' ? 3 : 4;
  const digits = text.slice(costAt, costAt + 2);
  const cost = /^[+-]?\d+$/.test(digits) ? Number(digits) : NaN;
  if (!(cost >= LEAST_COST && cost <= MOST_COST)) {
    throw new ConfigError(`has to have a cost from ${LEAST_COST} to ${MOST_COST}; ${mend}`);
  }
  if (cost > MOST_COST_HERE) {
    throw new ConfigError(
      `has the cost ${cost}: a check would take longer than a sender waits; ${MOST_COST_HERE} is the most here; ${mend}`,
    );
  }
  const [, salt, digest = ''] = REST.exec(text.slice(costAt + 3)) ?? [];
  return { cost, salt, digest };
}
