import { createHash, createHmac } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/;

export interface Signature {
  readonly accessKeyId: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** The signature that the same request has with this secret. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
  expected(secretAccessKey: string): string;
}

/** The Signature Version 4 of a request without query; undefined where it has none. */
export function readSignature(request: IncomingMessage, body: Uint8Array): Signature | undefined {
  const parts = AUTHORIZATION.exec(request.headers.authorization ?? '');
  if (!parts) return undefined;
  const [, accessKeyId = '', date = '', region = '', service = '', headers = '', signature = ''] = parts;
  const signedHeaders = headers.split(';');
  const canonical = [
    request.method,
    request.url,
    '',
    ...signedHeaders.map((header) => `${header}:${String(request.headers[header]).trim()}`),
    '',
    headers,
    createHash('sha256').update(body).digest('hex'),
  ].join('\n');
  const scope = `${date}/${region}/${service}/aws4_request`;
  const time = String(request.headers['x-amz-date']);
  const text = ['AWS4-HMAC-SHA256', time, scope, createHash('sha256').update(canonical).digest('hex')].join('\n');
  const expected = (secretAccessKey: string) => {
    const key = [date, region, service, 'aws4_request'].reduce<Buffer>(hmac, Buffer.from(`AWS4${secretAccessKey}`));
    return hmac(key, text).toString('hex');
  };
  return { accessKeyId, region, service, signedHeaders, signature, expected };
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
