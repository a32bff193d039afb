import { RequestError } from '../errors.ts';

/** What decides how a write request is read: its header fields, as Node gives them. */
export interface WriteHeaders {
  readonly 'content-type'?: string | undefined;
  readonly 'content-encoding'?: string | undefined;
}

const MEDIA_TYPE = 'application/x-protobuf';
const V1_MESSAGE = 'prometheus.WriteRequest';

/**
 * Checks that a request is remote write 1.0, before its body is read (remote write 2.0 specification, "Protocol": content negotiation).
 * A header that is missing is read as 1.0, as Prometheus's own receiver does; spaces, case and quotes do not matter.
 *
 * @throws RequestError unsupported_media_type
 */
export function negotiate(headers: WriteHeaders): void {
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? 'snappy';
  if (encoding !== 'snappy') throw unsupported(`Content-Encoding ${encoding} is not supported: send snappy`);

  const contentType = headers['content-type'];
  if (contentType === undefined) return;
  const [mediaType, ...parameters] = contentType.split(';').map((part) => part.trim());
  if (mediaType?.toLowerCase() !== MEDIA_TYPE)
    throw unsupported(`Content-Type ${contentType} is not supported: send ${MEDIA_TYPE}`);
  for (const parameter of parameters) {
    const [name, value = ''] = parameter.split('=').map((part) => part.trim());
    const message = value.replace(/^"(.*)"$/, '$1');
    if (name?.toLowerCase() === 'proto' && message !== V1_MESSAGE) {
      throw unsupported(`the message ${message} is not supported: send ${V1_MESSAGE} (remote write 1.0)`);
    }
  }
}

function unsupported(message: string): RequestError {
  return new RequestError('unsupported_media_type', message);
}
