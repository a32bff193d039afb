import protobuf from 'protobufjs/light.js';
import { remoteWriteV1 } from './descriptors.ts';

/**
 * The messages of remote write 1.0 for what is off the hot path, as protobufjs types.
 *
 * Strings are declared as bytes: protobufjs would refuse a whole message for one label that is not UTF-8, where only that label's series is
 * to be rejected. Doubles are declared as fixed64, which has the same wire type: a JavaScript number does not keep the payload of a NaN.
 */
const root = protobuf.Root.fromJSON(
  JSON.parse(
    JSON.stringify(remoteWriteV1)
      .replaceAll('"type":"string"', '"type":"bytes"')
      .replaceAll('"type":"double"', '"type":"fixed64"'),
  ) as protobuf.INamespace,
);

export const WriteRequest = root.lookupType('prometheus.WriteRequest');
export const Exemplar = root.lookupType('prometheus.Exemplar');
export const Histogram = root.lookupType('prometheus.Histogram');
export const MetricMetadata = root.lookupType('prometheus.MetricMetadata');
