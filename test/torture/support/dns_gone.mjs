// For node --import: the name kinesis.torture.test is this machine, until the file that DNS_GONE names is there; what it holds is how a look-up fails then.
import dns from 'node:dns';
import { readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers';

const NAME = 'kinesis.torture.test';
const { lookup } = dns;

dns.lookup = (hostname, ...rest) => {
  const code = hostname === NAME ? failure() : undefined;
  if (code === undefined) {
    lookup(hostname === NAME ? '127.0.0.1' : hostname, ...rest);
    return;
  }
  process.stderr.write(`look-up: ${code}\n`);
  const error = new Error(`getaddrinfo ${code} ${NAME}`);
  setImmediate(rest.at(-1), Object.assign(error, { code, syscall: 'getaddrinfo', hostname }));
};

function failure() {
  try {
    return readFileSync(process.env['DNS_GONE'] ?? '', 'utf8');
  } catch {
    return undefined;
  }
}
