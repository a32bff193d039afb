import { onTestFinished } from 'vitest';
import { resolveConfig, type Config } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { serve } from '../../src/serve.ts';
import { get, parseMetrics } from './http.ts';
import { ScriptedSink } from './scripted_sink.ts';

/** Serves on a free port into a scripted sink, until the test ends. */
export async function startService({
  config = {},
  sink = new ScriptedSink(),
}: { config?: Partial<Config>; sink?: ScriptedSink } = {}) {
  const logged: string[] = [];
  const service = await serve({
    config: { ...resolveConfig({}), listenAddr: { host: '127.0.0.1', port: 0 }, shutdownTimeoutMs: 200, ...config },
    log: createLog({ level: 'info', format: 'logfmt', write: (line) => logged.push(line) }),
    version: '0.0.0-test',
    openSink: () => Promise.resolve(sink),
  });
  let stopped: Promise<void> | undefined;
  const stop = () => (stopped ??= service.stop());
  onTestFinished(stop);
  const { port } = service;
  const metrics = async () => {
    const all = parseMetrics((await get(port, '/metrics')).text);
    return (name: string) => all.get(`prometheus_kinesis_adapter_${name}`) ?? 0;
  };
  return { port, sink, stop, reload: () => service.reload(), metrics, logged };
}

/** Accepts every call of a sink as it comes. */
export function acceptAll(sink: ScriptedSink): void {
  const next = async (): Promise<void> => {
    await (await sink.call()).accept();
    await next();
  };
  void next();
}
