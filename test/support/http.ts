import { request, type IncomingHttpHeaders, type RequestOptions } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface SendOptions extends RequestOptions {
  readonly port: number;
  readonly body?: Uint8Array;
}

/** One HTTP request to this machine, on a connection of its own. */
export function send({ body, ...options }: SendOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', agent: false, ...options }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        resolve({ status: response.statusCode!, headers: response.headers, text: Buffer.concat(chunks).toString() });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

export function get(port: number, path: string): Promise<Answer> {
  return send({ port, path });
}

/** Posts a body as Prometheus posts remote write 1.0. */
export function write(port: number, body: Uint8Array, headers: Record<string, string> = {}): Promise<Answer> {
  return send({
    port,
    method: 'POST',
    path: '/receive',
    body,
    headers: { ...WRITE_HEADERS, 'Content-Length': body.length, ...headers },
  });
}

export const WRITE_HEADERS = {
  'Content-Type': 'application/x-protobuf',
  'Content-Encoding': 'snappy',
  'X-Prometheus-Remote-Write-Version': '0.1.0',
};

/** The value of each series of a /metrics page. */
export function parseMetrics(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
}
