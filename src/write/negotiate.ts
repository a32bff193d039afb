import { RequestError } from '../errors.ts';
import type { Version } from '../wire/series.ts';

/** What decides how a write request is read: its header fields, as Node gives them. */
export interface WriteHeaders {
  readonly 'content-type'?: string | undefined;
  readonly 'content-encoding'?: string | undefined;
}

const MEDIA_TYPE = 'application/x-protobuf';
const VERSIONS: ReadonlyMap<string, Version> = new Map([
  ['prometheus.WriteRequest', 1],
  ['io.prometheus.write.v2.Request', 2],
]);

/**
 * Tells which version of remote write a request is in, before its body is read (remote write 2.0 specification, "Protocol": content negotiation).
 * A header that is missing is read as 1.0, as Prometheus's own receiver does; spaces, case and quotes do not matter.
 *
 * @throws RequestError unsupported_media_type
 */
export function negotiate(headers: WriteHeaders): Version {
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? 'snappy';
  if (encoding !== 'snappy') throw unsupported(`Content-Encoding ${encoding} is not supported: send snappy`);

  const contentType = headers['content-type'];
  if (contentType === undefined) return 1;
  const [mediaType, ...parameters] = contentType.split(';').map((part) => part.trim());
  if (mediaType?.toLowerCase() !== MEDIA_TYPE) {
    throw unsupported(`Content-Type ${contentType} is not supported: send ${MEDIA_TYPE}`);
  }
  let version: Version = 1;
  for (const parameter of parameters) {
    const [name, value = ''] = parameter.split('=').map((part) => part.trim());
    if (name?.toLowerCase() !== 'proto') continue;
    const message = value.replace(/^"(.*)"$/, '$1');
    const known = VERSIONS.get(message);
    if (known === undefined) {
      throw unsupported(`the message ${message} is not supported: send ${[...VERSIONS.keys()].join(' or ')}`);
    }
    version = known;
  }
  return version;
}

function unsupported(message: string): RequestError {
  return new RequestError('unsupported_media_type', message);
}
