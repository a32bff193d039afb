import protobuf from 'protobufjs/light.js';
import { remoteWriteV1, remoteWriteV2 } from './descriptors.ts';

/**
 * The messages of remote write for what is off the hot path, as protobufjs types.
 *
 * Strings are declared as bytes: protobufjs would refuse a whole message for one label that is not UTF-8, where only that label's series is
 * to be rejected. Doubles are declared as fixed64, which has the same wire type: a JavaScript number does not keep the payload of a NaN.
 */
const v1 = rootOf(remoteWriteV1);
const v2 = rootOf(remoteWriteV2);

export const WriteRequest = v1.lookupType('prometheus.WriteRequest');
export const MetricMetadata = v1.lookupType('prometheus.MetricMetadata');
export const WriteRequestV2 = v2.lookupType('io.prometheus.write.v2.Request');

function rootOf(descriptor: object): protobuf.Root {
  const text = JSON.stringify(descriptor)
    .replaceAll('"type":"string"', '"type":"bytes"')
    .replaceAll('"type":"double"', '"type":"fixed64"');
  return protobuf.Root.fromJSON(JSON.parse(text) as protobuf.INamespace);
}
