import { bitsOf, sortLabels, type ArchiveRecord, type DoubleBits, type Label } from '../../src/record.ts';
import type { Prometheus } from './prometheus.ts';
import { sampleKey, type Span } from './samples.ts';

/** Values of exemplars by (labels of the series, time, labels of the exemplar). */
export type ExemplarSet = Map<string, DoubleBits>;

type LabelObject = Readonly<Record<string, string>>;

/** https://prometheus.io/docs/prometheus/latest/querying/api/#querying-exemplars */
type Answer = readonly {
  readonly seriesLabels: LabelObject;
  readonly exemplars: readonly { readonly labels: LabelObject; readonly value: string; readonly timestamp: number }[];
}[];

/** All exemplars that a Prometheus holds of a span, with the external labels, which its API does not add. */
export async function readExemplars(
  prometheus: Prometheus,
  { fromMs, toMs }: Span,
  externalLabels: LabelObject,
): Promise<ExemplarSet> {
  const query = encodeURIComponent('{__name__=~".+"}');
  const span = `start=${fromMs / 1_000}&end=${toMs / 1_000}`;
  const answer = await prometheus.query<Answer>(`query_exemplars?query=${query}&${span}`);
  return new Map(
    answer.flatMap(({ seriesLabels, exemplars }) =>
      exemplars.map(({ labels, value, timestamp }): [string, DoubleBits] => {
        const time = BigInt(Math.round(timestamp * 1_000));
        const key = exemplarKey(labelsOf({ ...externalLabels, ...seriesLabels }), time, labelsOf(labels));
        return [key, bitsOf(Number(value))];
      }),
    ),
  );
}

/** The exemplars of an archive. */
export function exemplarEntries(records: readonly ArchiveRecord[]): (readonly [key: string, value: DoubleBits])[] {
  return records.flatMap((record) =>
    record.kind === 'exemplar'
      ? [[exemplarKey(record.labels, record.time, record.exemplar.labels), record.exemplar.value] as const]
      : [],
  );
}

function exemplarKey(series: readonly Label[], time: bigint, labels: readonly Label[]): string {
  return `${sampleKey(series, time)} ${JSON.stringify(labels.map(({ name, value }) => [name, value]))}`;
}

function labelsOf(labels: LabelObject): Label[] {
  return sortLabels(Object.entries(labels).map(([name, value]) => ({ name, value })));
}
