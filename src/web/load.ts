import { constants } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { ConfigError, messageOf } from '../errors.ts';
import type { Pem } from './pem.ts';
import type { PemSource } from './tls_config.ts';
import type { TlsSettings } from './tls_front.ts';
import { tlsOptions } from './tls_options.ts';
import { parseWebConfig, type WebConfig } from './web_config.ts';

/** A megabyte is ten thousand users. */
const MAX_FILE_BYTES = 1_048_576;

/** By the paths of what was read, or could not be: a fingerprint of each, taken before it was read. */
export type FilesRead = Map<string, string>;

/** A web configuration with all that its files hold. */
export interface LoadedWebConfig {
  readonly headers: WebConfig['headers'];
  readonly users: WebConfig['users'];
  readonly tls: TlsSettings | undefined;
  readonly warnings: readonly string[];
}

export interface LoadOptions {
  /** Is filled. */
  readonly files: FilesRead;
  /** Whether a file without any text is a web configuration, or one that was cut off. */
  readonly mayBeEmpty: boolean;
}

/**
 * Reads a web configuration and the files that it names.
 *
 * @throws ConfigError
 */
export async function loadWebConfig(path: string, { files, mayBeEmpty }: LoadOptions): Promise<LoadedWebConfig> {
  try {
    const text = await readText('the file', path, files);
    if (!mayBeEmpty && text.trim() === '') throw new ConfigError('the file is empty; to open the door write {}');
    const { headers, users, tls: config, ...parsed } = parseWebConfig(text);
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

async function readPem(source: PemSource, folder: string, files: FilesRead): Promise<Pem> {
  if ('text' in source) return { label: source.setting, text: source.text };
  const path = resolve(folder, source.file);
  const label = `${source.setting} (${path})`;
  return { label, text: await readText(label, path, files) };
}

async function readText(label: string, path: string, files: FilesRead): Promise<string> {
  // Of a file that is named twice, what was read first: a change in between is seen then.
  if (!files.has(path)) files.set(path, await fingerprint([path]));
  try {
    const stats = await stat(path);
    // Opening a FIFO waits for who writes into it, and a device may never end.
    if (!stats.isFile()) throw new ConfigError('it is no regular file');
    if (stats.size > MAX_FILE_BYTES) throw new ConfigError(`it has ${stats.size} bytes, more than ${MAX_FILE_BYTES}`);
    // A wrong byte in a comment is nobody's business; in a setting it makes another text, which is then not taken.
    return await readFile(path, { encoding: 'utf8', flag: constants.O_RDONLY | constants.O_NONBLOCK });
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
