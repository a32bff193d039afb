import type { NativeHistogram } from '../../src/record.ts';
import { writeRequestV1 } from './described_request.ts';
import { send, WRITE_HEADERS } from './http.ts';
import { startPrometheus } from './prometheus.ts';

/** A Prometheus 3 that takes native histograms by remote write. */
export interface HistogramStore {
  readonly version: string;
  /** @param histograms by the value of their label `case` */
  write(histograms: ReadonlyMap<string, NativeHistogram>): Promise<void>;
  /** The values of an expression by the label `case`, in Prometheus's own spelling. The series are `h{case="…"}`. */
  ask(expression: string): Promise<ReadonlyMap<string, string>>;
  end(): Promise<void>;
}

/**
 * @param program path of the binary
 * @param dir an empty folder for its configuration and its TSDB
 */
export async function startHistogramStore(program: string, dir: string): Promise<HistogramStore> {
  const prometheus = await startPrometheus({
    program,
    dir,
    features: ['native-histograms'],
    args: ['--web.enable-remote-write-receiver'],
  });
  const timeMs = Date.now();

  return {
    version: prometheus.version,
    async write(histograms) {
      const series = Array.from(histograms, ([name, histogram]) => ({
        labels: { __name__: 'h', case: name },
        histograms: [{ histogram, time: BigInt(timeMs) }],
      }));
      const body = writeRequestV1(series);
      const { port } = prometheus;
      const answer = await send({ port, method: 'POST', path: '/api/v1/write', headers: WRITE_HEADERS, body });
      if (answer.status !== 204) throw new Error(`Prometheus answers ${answer.status}: ${answer.text}`);
    },
    async ask(expression) {
      const path = `query?query=${encodeURIComponent(expression)}&time=${timeMs / 1_000}`;
      const { result } = await prometheus.query<{
        result: { metric: Record<string, string>; value: [unknown, string] }[];
      }>(path);
      return new Map(result.map(({ metric, value }) => [metric['case']!, value[1]]));
    },
    end: () => prometheus.end(),
  };
}
