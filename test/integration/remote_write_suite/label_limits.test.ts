import { expect, test } from 'vitest';
import { resolveConfig } from '../../../src/config.ts';
import { exemplar, sample } from '../../support/described_series.ts';
import { post, VERSIONS } from '../../support/remote_write.ts';
import { acceptAll, startService } from '../../support/service.ts';

const { labelLimits } = resolveConfig({ maxLabelsPerSeries: 3, maxLabelNameBytes: 8, maxLabelValueBytes: 10 });
const seriesOf = (labels: Record<string, string>) => ({ labels, samples: [sample(1), sample(2)] });

for (const remoteWrite of VERSIONS) {
  test(`remote write ${remoteWrite.version}: series beyond the label limits are rejected alone`, async () => {
    const { port, sink, metrics } = await startService({ config: { labelLimits } });
    acceptAll(sink);
    const body = remoteWrite.encode([
      seriesOf({ __name__: 'at_limits_', abcdefgh: '0123456789', c: 'ü'.repeat(5) }),
      seriesOf({ __name__: 'many', a: '1', b: '2', c: '3' }),
      { ...seriesOf({ __name__: 'value', a: '0123456789a' }), exemplars: [exemplar({}, 1)] },
      seriesOf({ __name__: 'bytes', a: `${'ü'.repeat(5)}a` }),
      seriesOf({ __name__: 'name', abcdefghi: '1' }),
      seriesOf({ __name__: 'empty', a: '', b: '1', c: '2' }),
    ]);
    const answer = await post(remoteWrite, { port, body });
    expect(answer.status).toBe(400);
    expect(answer.text).toContain('__name__="many"');
    expect(answer.text).toContain(
      'has more labels than --max-labels-per-series; the 4 valid lines of the request are archived',
    );
    expect(sink.accepted.map((line) => (JSON.parse(line) as { name: string }).name)).toEqual([
      'at_limits_',
      'at_limits_',
      'empty',
      'empty',
    ]);
    const value = await metrics();
    const rejected = ['too_many_labels', 'label_value_too_long', 'label_name_too_long'].map((reason) =>
      value(`lines_rejected_total{reason="${reason}"}`),
    );
    // In 2.0 each series has its metadata, which goes with it.
    expect(rejected).toEqual(remoteWrite.version === '2.0' ? [3, 7, 3] : [2, 5, 2]);
  });
}
