import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { ConfigError, messageOf } from '../errors.ts';
import type { Pem } from './pem.ts';
import type { PemSource } from './tls_config.ts';
import type { TlsSettings } from './tls_front.ts';
import { tlsOptions } from './tls_options.ts';
import { parseWebConfig, type WebConfig } from './web_config.ts';

/** A web configuration with all that its files hold. */
export interface LoadedWebConfig {
  readonly headers: WebConfig['headers'];
  readonly users: WebConfig['users'];
  readonly tls: TlsSettings | undefined;
  readonly warnings: readonly string[];
}

/**
 * Reads a web configuration and the files that it names.
 *
 * @param files gets the paths of what was read, or could not be
 * @throws ConfigError
 */
export async function loadWebConfig(path: string, files: Set<string>): Promise<LoadedWebConfig> {
  files.add(path);
  try {
    const { headers, users, tls: config, ...parsed } = parseWebConfig(await readText('the file', path));
    const warnings = [...parsed.warnings];
    if (!config) return { headers, users, warnings, tls: undefined };
    const read = (source: PemSource) => readPem(source, dirname(path), files);
    const texts = {
      certificate: await read(config.certificate),
      key: await read(config.key),
      clientCa: config.clientCa && (await read(config.clientCa)),
    };
    const tls = { config, options: tlsOptions(config, texts, warnings) };
    return { headers, users, warnings, tls };
  } catch (error) {
    if (error instanceof ConfigError) {
      throw new ConfigError(`--web.config.file (WEB_CONFIG_FILE): ${path}: ${error.message}`);
    }
    throw error;
  }
}

async function readPem(source: PemSource, folder: string, files: Set<string>): Promise<Pem> {
  if ('text' in source) return { label: source.setting, text: source.text };
  const path = resolve(folder, source.file);
  files.add(path);
  const label = `${source.setting} (${path})`;
  return { label, text: await readText(label, path) };
}

async function readText(label: string, path: string): Promise<string> {
  try {
    // A wrong byte in a comment is nobody's business; in a setting it makes another text, which is then not taken.
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new ConfigError(`${label}: cannot be read: ${messageOf(error)}`);
  }
}

/** A text that is another one once a file is another one, or another file stands at its path (the links of a Kubernetes secret). */
export async function fingerprint(paths: Iterable<string>): Promise<string> {
  const parts = [...paths].map(async (path) => {
    try {
      const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
      return [path, dev, ino, size, mtimeNs, ctimeNs].join();
    } catch (error) {
      return `${path},${messageOf(error)}`;
    }
  });
  return (await Promise.all(parts)).join('\n');
}
