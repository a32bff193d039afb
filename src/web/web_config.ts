import { messageOf, ConfigError } from '../errors.ts';
import { parsePasswordHash, type PasswordHash } from './password_hash.ts';
import { parseTls, TLS_SETTINGS, type TlsConfig } from './tls_config.ts';
import { Value } from './yaml_values.ts';
import { parseYaml } from './yaml_tree.ts';

/** A web configuration: who may come in, and how (https://prometheus.io/docs/prometheus/latest/configuration/https/). */
export interface WebConfig {
  /** undefined: plain HTTP. */
  readonly tls: TlsConfig | undefined;
  /** Set on every answer. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** By user name; empty: no password is asked for. */
  readonly users: ReadonlyMap<string, PasswordHash>;
  /** What is allowed and hardly meant. */
  readonly warnings: readonly string[];
}

/** The headers that can be set, and the values that each may have; none: any. */
const HEADERS: Readonly<Record<string, readonly string[]>> = {
  'Strict-Transport-Security': [],
  'X-Content-Type-Options': ['nosniff'],
  'X-Frame-Options': ['deny', 'sameorigin'],
  'X-XSS-Protection': [],
  'Content-Security-Policy': [],
};

/**
 * Reads the text of a web configuration file. What `promtool check web-config` of Prometheus 2.42 or 3.5 takes is taken, besides what cannot be
 * done here; what neither takes is not.
 *
 * @throws ConfigError that names the setting and the mend, and quotes no secret
 */
export function parseWebConfig(text: string): WebConfig {
  const root = new Value('', parseYaml(text));
  const field = root.section(['tls_server_config', 'http_server_config', 'rate_limit', 'basic_auth_users']);
  const warnings: string[] = [];
  const http = field('http_server_config').section(['http2', 'headers']);
  // HTTP/1.1 is spoken either way: the setting allows HTTP/2, and senders of remote write do not need it.
  http('http2').boolean(true);
  refuseRateLimit(field('rate_limit'));
  return {
    users: parseUsers(field('basic_auth_users'), warnings),
    headers: parseHeaders(http('headers')),
    tls: parseTls(field('tls_server_config').section(TLS_SETTINGS), warnings),
    warnings,
  };
}

function refuseRateLimit(limit: Value): void {
  const field = limit.section(['burst', 'interval']);
  if (!/^[+-]?\d*$/.test(field('burst').text())) throw field('burst').error('has to be a whole number');
  if (/^(?:[+-]?0+(?:ns|us|µs|ms|s|m|h)?)?$/.test(field('interval').text())) return;
  throw field('interval').error(
    'it would answer 429, on which Prometheus drops the samples; leave rate_limit out: --max-in-flight-bytes bounds what is taken in',
  );
}

function parseUsers(users: Value, warnings: string[]): ReadonlyMap<string, PasswordHash> {
  const hashes = new Map<string, PasswordHash>();
  for (const [name, value] of users.entries()) {
    const text = value.text();
    try {
      const hash = parsePasswordHash(text);
      if (hash.salt === undefined) warnings.push(`${value.path}: no password has this hash: the user cannot come in`);
      hashes.set(name, hash);
    } catch (error) {
      if (error instanceof ConfigError) throw value.error(messageOf(error));
      throw error;
    }
  }
  return hashes;
}

function parseHeaders(headers: Value): WebConfig['headers'] {
  return [...headers.entries()].map(([name, value]) => {
    const allowed = Object.hasOwn(HEADERS, name) ? HEADERS[name] : undefined;
    if (!allowed) {
      throw value.error(`this header cannot be set; ${Object.keys(HEADERS).join(', ')} can, written in this way`);
    }
    const text = value.text();
    if (allowed.length > 0 && !allowed.includes(text)) throw value.error(`has to be ${allowed.join(' or ')}`);
    // As Go writes it, which makes spaces of line breaks.
    const line = text.replaceAll(/[\r\n]/g, ' ').replaceAll(/^[ \t]+|[ \t]+$/g, '');
    // Node sends other characters in one way or another, or not at all, depending on the body of the answer.
    if (/[^\t\u0020-\u007e]/.test(line)) throw value.error('only ASCII can be sent in a header; leave the rest out');
    return [name, line];
  });
}
