#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, InvalidArgumentError, Option as CommanderOption } from 'commander';
import { archiveDirOrDefault, OPTIONS, resolveConfig, type GivenOptions } from './config.ts';
import { CommandError, ConfigError } from './errors.ts';
import { createLog, type Log } from './log.ts';
import type { Option } from './option.ts';
import { COMPACT_OPTIONS } from './read/compact_options.ts';
import type { CompactOptions } from './read/compact.ts';
import type { QueryIo } from './read/print.ts';
import { QUERY_OPTIONS } from './read/query_options.ts';
import { resolveQuery, type GivenQuery, type QuerySettings } from './read/query_settings.ts';
import { withoutSecrets } from './secrets.ts';
import { serve, type Service } from './serve.ts';

/** A second signal sooner than this is the first one come twice: Ctrl-C reaches both npm and this process. */
const SAME_SIGNAL_MS = 1_000;

/** The variables that hold a secret of the AWS SDK's. */
const SECRET_VARIABLES = ['AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_CONTAINER_AUTHORIZATION_TOKEN'];

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

async function main(): Promise<void> {
  for (const { env } of [OPTIONS, QUERY_OPTIONS].flatMap((table) => Object.values<Option<unknown>>(table))) {
    // An empty variable counts as unset: it is what compose files and CI leave of a variable without a value.
    if (env !== undefined && process.env[env] === '') Reflect.deleteProperty(process.env, env);
  }
  // The SDK's own word on Node 20 is for its users, not for ours; it is read when the client is made.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';

  const program = new Command('prometheus-kinesis-adapter')
    .description(
      'Prometheus remote write in, years of history in SQL out: by Kinesis to S3 and Athena, or a local directory and DuckDB.',
    )
    .version(version)
    .showHelpAfterError('(--help lists the options)')
    // Commander repeats a value that is wrong, which may be a URL with a password.
    .configureOutput({ outputError: (text, write) => write(withoutSecrets(text)) });

  const serveCommand = program
    .command('serve', { isDefault: true })
    .description('receive remote write and archive it; the default command');
  addOptions(serveCommand, OPTIONS);
  // What is no command comes here as an argument of the default one.
  serveCommand.allowExcessArguments().action((given: GivenOptions) => {
    const [word] = serveCommand.args;
    if (word !== undefined)
      serveCommand.error(`error: unknown command '${word}'; the commands are serve, query and compact`);
    return runServe(given);
  });

  const queryCommand = program
    .command('query')
    .description(
      'run SQL over the local archive, in the dialect of DuckDB, or in Amazon Athena: the views samples, histograms, exemplars, metadata and samples_raw',
    )
    .argument('<sql>', 'such as "SELECT name, count(*) AS n FROM samples GROUP BY name ORDER BY n DESC LIMIT 5"');
  const archiveDir = { ...OPTIONS.archiveDir, help: 'the local archive to read', unset: './archive' };
  addOptions(queryCommand, { archiveDir, ...QUERY_OPTIONS });
  queryCommand.action((sql: string, given: GivenQuery) => {
    const isTyped = (name: string) => queryCommand.getOptionValueSource(name) === 'cli';
    return runQuery(sql, resolveQuery(given, isTyped, Date.now()));
  });

  const compactCommand = program
    .command('compact')
    .description('make Parquet of the days of the local archive that have ended, sorted and without duplicates');
  const compactDir = { ...archiveDir, help: 'the local archive to compact' };
  addOptions(compactCommand, { archiveDir: compactDir, ...COMPACT_OPTIONS });
  compactCommand.action(runCompact);

  program.addHelpText('after', () => `\nThe default command:\n\n${serveCommand.helpInformation()}`);
  await program.parseAsync(process.argv.map(asOperand));
}

/** SQL may begin with a comment, as that of a file does, and is no option then. */
function asOperand(argument: string): string {
  return /^--\s/.test(argument) ? `\n${argument}` : argument;
}

/** Adds a table of options to a command; each value arrives under its key in the table. */
function addOptions(command: Command, table: Readonly<Record<string, Option<unknown>>>): void {
  for (const [key, { flag, alias, env, placeholder, default: preset, unset, help, parse }] of Object.entries(table)) {
    const names = alias === undefined ? flag : `${flag}, ${alias}`;
    const flags = placeholder === undefined ? names : `${names} ${placeholder}`;
    const option = new CommanderOption(flags, unset === undefined ? help : `${help} (default: ${unset})`);
    option.attributeName = () => key;
    option.argParser((text) => parseOrExplain(parse, text));
    if (env !== undefined) option.env(env);
    if (preset !== undefined) option.default(parse(preset), preset);
    command.addOption(option);
  }
}

function parseOrExplain(parse: (text: string) => unknown, text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof ConfigError) throw new InvalidArgumentError(error.message);
    throw error;
  }
}

async function runServe(given: GivenOptions): Promise<void> {
  const config = resolveConfig(given);
  const log = createLog({ level: config.logLevel, format: config.logFormat, secrets: knownSecrets() });
  // From the beginning, or it would end the process.
  const running: { service?: Service } = {};
  process.on('SIGHUP', () => void running.service?.reload());
  const service = (running.service = await serve({ config, log, version }));
  await firstSignal(log);
  await service.stop();
  process.exit(0);
}

function knownSecrets(): string[] {
  return SECRET_VARIABLES.flatMap((name) => process.env[name] ?? []);
}

/** Resolves at the first SIGTERM or SIGINT; a later one ends the process at once. */
function firstSignal(log: Log): Promise<void> {
  return new Promise((resolve) => {
    onSignals(['SIGTERM', 'SIGINT'], {
      first: (signal) => {
        log.info({ signal }, 'got a signal');
        resolve();
      },
      later: (signal) => {
        log.warn({ signal }, 'got a second signal: ending at once; what was not acknowledged stays with its sender');
        process.exit(1);
      },
    });
  });
}

interface SignalListeners {
  readonly first: (signal: NodeJS.Signals) => void;
  readonly later: (signal: NodeJS.Signals) => void;
}

function onSignals(signals: readonly NodeJS.Signals[], { first, later }: SignalListeners): void {
  let firstAtMs: number | undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    const now = Date.now();
    if (firstAtMs === undefined) {
      firstAtMs = now;
      first(signal);
    } else if (now - firstAtMs >= SAME_SIGNAL_MS) later(signal);
  };
  for (const signal of signals) process.on(signal, onSignal);
}

async function runQuery(sql: string, settings: QuerySettings): Promise<void> {
  const options = { ...settings, signal: interruption() };
  // Loaded here, because the server has no use for either engine, and a query for one.
  if (options.engine === 'duckdb') await (await import('./read/query.ts')).query(sql, options, commandIo());
  else await (await import('./read/athena_query.ts')).queryAthena(sql, options, commandIo());
}

type GivenCompactOptions = Omit<CompactOptions, 'archiveDir' | 'signal'> & Pick<GivenOptions, 'archiveDir'>;

async function runCompact(given: GivenCompactOptions): Promise<void> {
  const options = { ...given, archiveDir: archiveDirOrDefault(given.archiveDir), signal: interruption() };
  const { compact } = await import('./read/compact.ts');
  await compact(options, commandIo());
}

/** Aborted by what ends a command, Ctrl-C for one: a query that ran on in Athena would have to be paid. A later one ends the process. */
function interruption(): AbortSignal {
  const interrupted = new AbortController();
  onSignals(['SIGINT', 'SIGTERM', 'SIGHUP'], {
    first: () => {
      interrupted.abort();
    },
    later: () => process.exit(1),
  });
  return interrupted.signal;
}

function commandIo(): QueryIo {
  const { stdout, stderr } = process;
  return { stdout, stderr, isTerminal: stderr.isTTY, now: Date.now };
}

try {
  await main();
} catch (error) {
  if (!(error instanceof ConfigError || error instanceof CommandError)) throw error;
  process.stderr.write(`error: ${withoutSecrets(error.message, knownSecrets())}\n`);
  process.exit(1);
}
