import { ConfigError } from './errors.ts';

/** One setting: what users type, what it means, and how its text becomes a value. */
export interface Option<Value> {
  readonly flag: string;
  /** Another spelling of the flag. */
  readonly alias?: string;
  readonly env?: string;
  /** What stands for the value in `--help`; a flag that takes none has none. */
  readonly placeholder?: string;
  /** The text that stands in for a missing value. */
  readonly default?: string;
  /** What happens without a value, where that is not a value of its own. */
  readonly unset?: string;
  readonly help: string;
  /** @throws ConfigError naming the bound and the mend, not the option: the caller knows how it was given */
  readonly parse: (text: string) => Value;
}

export function option<Value>(definition: Option<Value>): Option<Value> {
  return definition;
}

/** A flag without a value: it is given, or not. */
export function flag(name: string, help: string): Option<boolean> {
  return { flag: name, unset: 'off', help, parse: () => true };
}

const MIB = 1024 ** 2;

export function oneOf<const Words extends readonly string[]>(words: Words): (text: string) => Words[number] {
  return (text) => {
    if (!words.includes(text)) throw new ConfigError(`expected one of ${words.join(', ')}`);
    return text;
  };
}

/** A parser of texts that stay as they are. */
export function matching(form: RegExp, expected: string): (text: string) => string {
  return (text) => {
    if (!form.test(text)) throw new ConfigError(expected);
    return text;
  };
}

/** A parser of durations in the Prometheus form, such as 1h30m or 250ms, to milliseconds. */
export function duration(least: string, most: string): (text: string) => number {
  return (text) => {
    const ms = parseDuration(text);
    if (ms === undefined || ms < parseDuration(least)! || ms > parseDuration(most)!) {
      throw new ConfigError(`expected a duration from ${least} to ${most}, such as 25s, 250ms or 1h30m`);
    }
    return ms;
  };
}

const DURATION = /^(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;
const UNIT_MS = [604_800_000, 86_400_000, 3_600_000, 60_000, 1_000, 1];

/** Milliseconds of a duration in the Prometheus form; undefined where it is not one. */
export function parseDuration(text: string): number | undefined {
  const parts = DURATION.exec(text);
  if (!parts || text === '') return undefined;
  return UNIT_MS.reduce((sum, unit, index) => sum + unit * Number(parts[index + 1] ?? 0), 0);
}

const BYTES = /^(\d+)(B|[kK]B|MB|GB|KiB|MiB|GiB)?$/;
const UNIT_BYTES: Record<string, number> = {
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 1024,
  MiB: MIB,
  GiB: 1024 * MIB,
};

export function bytes(least: string, most: string): (text: string) => number {
  return (text) => {
    const size = parseBytes(text);
    if (size === undefined || size < parseBytes(least)! || size > parseBytes(most)!) {
      throw new ConfigError(`expected a size from ${least} to ${most}, such as 32MiB or 1000000`);
    }
    return size;
  };
}

function parseBytes(text: string): number | undefined {
  const parts = BYTES.exec(text);
  return parts ? Number(parts[1]) * UNIT_BYTES[parts[2] ?? 'B']! : undefined;
}

export function count(least: number, most: number): (text: string) => number {
  return (text) => {
    const number = /^\d{1,9}$/.test(text) ? Number(text) : undefined;
    if (number === undefined || number < least || number > most) {
      throw new ConfigError(`expected a whole number from ${least} to ${most}`);
    }
    return number;
  };
}

export interface ListenAddress {
  /** Undefined means every interface. */
  readonly host: string | undefined;
  readonly port: number;
}

export function listenAddress(text: string): ListenAddress {
  const parts = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  const port = Number(parts?.[3]);
  if (!parts || port > 65_535)
    throw new ConfigError('expected host:port, :port or [ipv6]:port with a port from 0 to 65535, such as :9501');
  const host = parts[1] ?? parts[2];
  return { host: host === '' ? undefined : host, port };
}

export function url(text: string): string {
  const parsed = URL.canParse(text) ? new URL(text) : undefined;
  if (parsed?.protocol !== 'http:' && parsed?.protocol !== 'https:') {
    throw new ConfigError('expected an http or https URL, such as http://127.0.0.1:4567');
  }
  if (parsed.username !== '' || parsed.password !== '') {
    throw new ConfigError('expected a URL without user and password: AWS credentials sign the requests');
  }
  return text;
}
