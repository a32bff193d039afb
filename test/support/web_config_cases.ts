import { createHash, createPrivateKey } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAuthority, SERVER_SANS } from './certificates.ts';

/** Whether `promtool check web-config` takes a file: that of Prometheus 2.42, and that of 3.5. */
type Verdicts = 'both' | 'neither' | '2.42 only' | '3.5 only';

export interface WebConfigCase {
  readonly name: string;
  readonly text: string | Buffer;
  readonly takenBy: Verdicts;
  /** The setting that stops the start although a promtool takes the file: it cannot be done here. */
  readonly refused?: string;
}

/** A bcrypt hash of a password that nobody knows any more. */
const HASH = '$2b$04$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi';

const hashWith = (prefix: string, rest = 'QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi') => `${prefix}${rest}`;
const users = (hash: string) => `basic_auth_users: {a: '${hash}'}\n`;
const headers = (text: string) => `http_server_config: {headers: {${text}}}\n`;
const http2 = (text: string) => `http_server_config: {http2: ${text}}\n`;
const tls = (text: string) => `tls_server_config: {cert_file: server.pem, key_file: server.key, ${text}}\n`;
const auth = (type: string, rest = '') => tls(`client_auth_type: ${type}${rest}`);
const CA = ', client_ca_file: ca.pem';
const SANS = ', client_allowed_sans: [a]';

/** What stands in one line: name, text, who takes it, what refuses it here. */
type Row = readonly [name: string, text: string | Buffer, takenBy: Verdicts, refused?: string];

/** A few hundred bytes that stand for 9 to the 9th texts. */
function manyAliases(): string {
  const lines = Array.from({ length: 9 }, (_, level) => {
    const item = level === 0 ? 'x' : `*l${level - 1}`;
    return `- &l${level} [${Array<string>(9).fill(item).join(', ')}]\n`;
  });
  return lines.join('');
}

const YAML: readonly Row[] = [
  ['nothing', '', 'both'],
  ['a comment', '# none\n', 'both'],
  ['null', 'null', 'both'],
  ['a tilde', '~\n', 'both'],
  ['a list', '[]', 'neither'],
  ['a text', 'foo', 'neither'],
  ['JSON', '{"basic_auth_users": {}}', 'both'],
  ['a byte order mark', '\ufeffbasic_auth_users: {}\n', 'both'],
  ['bytes that are no text', Buffer.from([0xff, 0xfe, 0x0a]), 'neither'],
  ['a control character', 'a: "\u0001"\n', 'neither'],
  ['an unknown section', 'foo: 1\n', 'neither'],
  ['a number as a section', '1: b\n', 'neither'],
  ['null as a section', '~: b\n', 'neither'],
  ['a list as a section', '? [a]\n: b\n', 'neither'],
  ['a section given twice', 'basic_auth_users: {}\nbasic_auth_users: {}\n', 'neither'],
  ['a list that is left open', 'basic_auth_users: [\n', 'neither'],
  ['a tab as indentation', 'basic_auth_users:\n\ta: b\n', 'neither'],
  ['a tab after a colon', 'basic_auth_users:\t{}\n', 'both'],
  ['a second document', 'basic_auth_users: {}\n---\nfoo: 1\n', 'both'],
  ['a second document that is no YAML', 'basic_auth_users: {}\n---\n[\n', 'both'],
  ['a text behind the end of the document', 'basic_auth_users: {}\n...\nfoo\n', 'both'],
  ['%YAML 1.1', '%YAML 1.1\n---\nbasic_auth_users: {}\n', 'both'],
  ['%YAML 1.2', '%YAML 1.2\n---\nbasic_auth_users: {}\n', 'neither'],
  ['an alias', `basic_auth_users: {a: &h '${HASH}', b: *h}\n`, 'both'],
  ['an alias of nothing', 'basic_auth_users: *x\n', 'neither'],
  ['an anchor that holds its alias', '&a {basic_auth_users: *a}\n', 'neither'],
  ['aliases of aliases', manyAliases(), 'neither'],
  ['a merge', 'http_server_config: {<<: {http2: false}}\n', 'both'],
  ['a merge at the top', '<<: {basic_auth_users: {}}\n', 'both'],
  ['a merge of two maps', 'http_server_config: {<<: [{http2: false}, {headers: {}}]}\n', 'both'],
  ['a merge of what is there', 'http_server_config: {http2: true, <<: {http2: false}}\n', 'both'],
  ['two merges', 'http_server_config: {<<: {http2: false}, <<: {http2: true}}\n', 'both'],
  ['a merge of a text', 'http_server_config: {<<: a}\n', 'neither'],
  ['a merge of what is unknown', 'http_server_config: {<<: {foo: 1}}\n', 'neither'],
  ['a quoted merge', 'http_server_config: {"<<": {http2: false}}\n', 'neither'],
  ['a tag of a map', 'basic_auth_users: !!map {}\n', 'both'],
  ['a tag of nobody', 'basic_auth_users: !foo {}\n', 'both'],
];

const HTTP: readonly Row[] = [
  ['no http_server_config', 'http_server_config:\n', 'both'],
  ['http2 false', http2('false'), 'both'],
  ['http2 no', http2('no'), 'both'],
  ['http2 n', http2('n'), 'both'],
  ['http2 On', http2('On'), 'both'],
  ['http2 null', http2('~'), 'both'],
  ['http2 quoted', http2('"no"'), 'neither'],
  ['http2 a number', http2('1'), 'neither'],
  ['http2 in odd case', http2('tRUE'), 'neither'],
  ['http2 tagged as a boolean', http2("!!bool 'true'"), 'both'],
  ['http2 tagged as a text', http2('!!str true'), 'neither'],
  ['http2 a list', http2('[]'), 'neither'],
  ['an unknown setting of HTTP', 'http_server_config: {http3: true}\n', 'neither'],
  ['no headers', 'http_server_config: {headers: }\n', 'both'],
  ['X-Frame-Options deny', headers('X-Frame-Options: deny'), 'both'],
  ['X-Frame-Options sameorigin', headers('X-Frame-Options: sameorigin'), 'both'],
  ['X-Frame-Options DENY', headers('X-Frame-Options: DENY'), 'neither'],
  ['X-Frame-Options empty', headers('X-Frame-Options: '), 'neither'],
  ['x-frame-options', headers('x-frame-options: deny'), 'neither'],
  ['X-Content-Type-Options nosniff', headers('X-Content-Type-Options: nosniff'), 'both'],
  ['X-Content-Type-Options sniff', headers('X-Content-Type-Options: sniff'), 'neither'],
  ['Strict-Transport-Security', headers('Strict-Transport-Security: max-age=31536000; includeSubDomains'), 'both'],
  ['Strict-Transport-Security null', headers('Strict-Transport-Security: ~'), 'both'],
  ['X-XSS-Protection a number', headers('X-XSS-Protection: 0'), 'both'],
  ['X-XSS-Protection a list', headers('X-XSS-Protection: [0]'), 'neither'],
  ['Content-Security-Policy of two lines', headers('Content-Security-Policy: "a\\nb"'), 'both'],
  [
    'Content-Security-Policy in UTF-8',
    headers('Content-Security-Policy: "ä"'),
    'both',
    'http_server_config.headers.Content-Security-Policy',
  ],
  [
    'Content-Security-Policy with a control character',
    headers('Content-Security-Policy: "a\\x01b"'),
    'both',
    'http_server_config.headers.Content-Security-Policy',
  ],
  ['a header of another name', headers('Server: none'), 'neither'],
  ['a header given twice', headers('X-Frame-Options: deny, X-Frame-Options: deny'), 'neither'],
  ['rate_limit', 'rate_limit: {burst: 1, interval: 1s}\n', '3.5 only', 'rate_limit.interval'],
  ['rate_limit without an interval', 'rate_limit: {burst: 1}\n', '3.5 only'],
  ['rate_limit with a burst that is no number', 'rate_limit: {burst: many}\n', 'neither'],
  ['rate_limit with something unknown', 'rate_limit: {rate: 1}\n', 'neither'],
];

const USERS: readonly Row[] = [
  ['no users', 'basic_auth_users:\n', 'both'],
  ['a list of users', 'basic_auth_users: []\n', 'neither'],
  ['a text of users', 'basic_auth_users: a\n', 'neither'],
  ['an empty text of users', 'basic_auth_users: ""\n', 'neither'],
  ['a user', users(HASH), 'both'],
  ['$2a$', users(hashWith('$2a$10$')), 'both'],
  ['$2y$', users(hashWith('$2y$10$')), 'both'],
  ['$2z$', users(hashWith('$2z$10$')), 'both'],
  ['$2$', users(hashWith('$2$10$')), 'both'],
  ['$1y$', users(hashWith('$1y$10$')), 'both'],
  ['$3y$', users(hashWith('$3y$10$')), 'neither'],
  ['no $', users(hashWith('12y$10$')), 'neither'],
  ['a cost of 3', users(hashWith('$2y$03$')), 'neither'],
  ['a cost of +9', users(hashWith('$2y$+9$')), 'both'],
  ['a cost of x9', users(hashWith('$2y$x9$')), 'neither'],
  ['a cost of 16', users(hashWith('$2y$16$')), 'both'],
  ['a cost of 17', users(hashWith('$2y$17$')), 'both', 'basic_auth_users.a'],
  ['a cost of 31', users(hashWith('$2y$31$')), 'both', 'basic_auth_users.a'],
  ['a cost of 32', users(hashWith('$2y$32$')), 'neither'],
  ['a hash of 59 characters', users(HASH.slice(0, 59)), 'both'],
  ['a hash of 58 characters', users(HASH.slice(0, 58)), 'neither'],
  ['a hash of 64 characters', users(`${HASH}xxxx`), 'both'],
  [
    'a hash of other characters',
    users(hashWith('$2y$10$', '!!auhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi')),
    'both',
  ],
  ['a password', users('secret'), 'neither'],
  ['a number', 'basic_auth_users: {a: 12}\n', 'neither'],
  ['a map', 'basic_auth_users: {a: {}}\n', 'neither'],
  ['null', 'basic_auth_users: {a: }\n', 'neither'],
  ['a user given twice', `basic_auth_users: {a: '${HASH}', "a": '${HASH}'}\n`, 'neither'],
  ['a number given twice', `basic_auth_users: {1: '${HASH}', "1": '${HASH}'}\n`, 'neither'],
  ['numbers as users', `basic_auth_users: {0x10: '${HASH}', 16: '${HASH}'}\n`, 'both'],
  ['null as a user', `basic_auth_users: {~: '${HASH}'}\n`, 'both'],
  ['something in binary', 'basic_auth_users: {!!binary YQ==: !!binary YQ==}\n', 'neither'],
];

const SUITES_OF_BOTH = [
  ...['ECDSA', 'RSA'].flatMap((kind) =>
    ['AES_128_CBC_SHA', 'AES_256_CBC_SHA', 'AES_128_GCM_SHA256', 'AES_256_GCM_SHA384', 'CHACHA20_POLY1305_SHA256'].map(
      (suite) => `TLS_ECDHE_${kind}_WITH_${suite}`,
    ),
  ),
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
];
const OLD_SUITES = ['AES_128_CBC_SHA', 'AES_256_CBC_SHA', 'AES_128_GCM_SHA256', 'AES_256_GCM_SHA384'];
const NO_SUITES = [
  'TLS_RSA_WITH_RC4_128_SHA',
  'TLS_RSA_WITH_3DES_EDE_CBC_SHA',
  'TLS_RSA_WITH_AES_128_CBC_SHA256',
  'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256',
  'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305',
  'TLS_FALLBACK_SCSV',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'toString',
];

const PROTOCOL: readonly Row[] = [
  ...SUITES_OF_BOTH.map((suite): Row => [suite, tls(`cipher_suites: [${suite}]`), 'both']),
  ...OLD_SUITES.map((suite): Row => [
    `TLS_RSA_WITH_${suite}`,
    tls(`cipher_suites: [TLS_RSA_WITH_${suite}]`),
    '2.42 only',
  ]),
  ...NO_SUITES.map((suite): Row => [suite, tls(`cipher_suites: [${suite}]`), 'neither']),
  ['no cipher suites', tls('cipher_suites: []'), 'both'],
  ['null as a cipher suite', tls('cipher_suites: [~]'), 'both'],
  ['a text of cipher suites', tls('cipher_suites: TLS_AES_128_GCM_SHA256'), 'neither'],
  ...['CurveP256', 'CurveP384', 'CurveP521', 'X25519'].map((curve): Row => [
    curve,
    tls(`curve_preferences: [${curve}]`),
    'both',
  ]),
  ...['X25519MLKEM768', 'CurveP224', 'P256'].map((curve): Row => [
    curve,
    tls(`curve_preferences: [${curve}]`),
    'neither',
  ]),
  ['two curves', tls('curve_preferences: [CurveP384, X25519]'), 'both'],
  ['null as a curve', tls('curve_preferences: [~]'), 'both'],
  ...['TLS10', 'TLS11', 'TLS12', 'TLS13', '~'].map((version): Row => [
    `min_version ${version}`,
    tls(`min_version: ${version}`),
    'both',
  ]),
  ...['SSL30', '1.2', 'tls12', '""'].map((version): Row => [
    `min_version ${version}`,
    tls(`min_version: ${version}`),
    'neither',
  ]),
  ['max_version TLS12', tls('max_version: TLS12'), 'both'],
  ['max_version TLS14', tls('max_version: TLS14'), 'neither'],
  ['min_version above max_version', tls('min_version: TLS13, max_version: TLS12'), 'both'],
  ['prefer_server_cipher_suites on', tls('prefer_server_cipher_suites: on'), 'both'],
  ['prefer_server_cipher_suites maybe', tls('prefer_server_cipher_suites: maybe'), 'neither'],
];

const CERTIFICATES: readonly Row[] = [
  ['no tls_server_config', 'tls_server_config:\n', 'both'],
  ['an empty tls_server_config', 'tls_server_config: {}\n', 'both'],
  ['a list as tls_server_config', 'tls_server_config: []\n', 'neither'],
  ['an unknown setting of TLS', tls('foo: 1'), 'neither'],
  ['a certificate and its key', tls(''), 'both'],
  [
    'a certificate tagged as a text',
    'tls_server_config: {cert_file: !!str server.pem, key_file: server.key}\n',
    'both',
  ],
  ['only a version', 'tls_server_config: {min_version: TLS13}\n', 'both'],
  ['only a version that is none', 'tls_server_config: {min_version: TLS14}\n', 'neither'],
  ['only a certificate', 'tls_server_config: {cert_file: server.pem}\n', 'neither'],
  ['only a key', 'tls_server_config: {key_file: server.key}\n', 'neither'],
  ['only a CA', 'tls_server_config: {client_ca_file: ca.pem}\n', 'neither'],
  ['only a client_auth_type', 'tls_server_config: {client_auth_type: RequestClientCert}\n', 'neither'],
  ['a certificate file that is missing', 'tls_server_config: {cert_file: none.pem, key_file: server.key}\n', 'neither'],
  ['a certificate file that is a folder', 'tls_server_config: {cert_file: ., key_file: server.key}\n', 'neither'],
  ['a certificate file that is empty', 'tls_server_config: {cert_file: empty.pem, key_file: server.key}\n', 'neither'],
  ['a certificate in DER', 'tls_server_config: {cert_file: server.der, key_file: server.key}\n', 'neither'],
  ['a certificate file as a list', 'tls_server_config: {cert_file: [], key_file: server.key}\n', 'neither'],
  ['certificate and key exchanged', 'tls_server_config: {cert_file: server.key, key_file: server.pem}\n', 'neither'],
  ['a key of another certificate', 'tls_server_config: {cert_file: server.pem, key_file: other.key}\n', 'neither'],
  ['a key with a passphrase', 'tls_server_config: {cert_file: server.pem, key_file: locked.key}\n', 'neither'],
  ['a key that is missing', 'tls_server_config: {cert_file: server.pem, key_file: none.key}\n', 'neither'],
  ['one file for both', 'tls_server_config: {cert_file: whole.pem, key_file: whole.pem}\n', 'both'],
  ['a certificate that has expired', 'tls_server_config: {cert_file: expired.pem, key_file: expired.key}\n', 'both'],
  ['cert and key that are nothing', 'tls_server_config: {cert: a, key: b}\n', 'neither'],
  ['cert besides cert_file', tls('cert: b'), '3.5 only'],
];

const CLIENTS: readonly Row[] = [
  ...['NoClientCert', '""', '~'].flatMap((type): Row[] => [
    [`client_auth_type ${type}`, auth(type), 'both'],
    [`client_auth_type ${type} with a CA`, auth(type, CA), 'neither'],
    [`client_auth_type ${type} with SANs`, auth(type, SANS), '3.5 only', 'tls_server_config.client_allowed_sans'],
  ]),
  ...['RequireAnyClientCert', 'RequireClientCert'].flatMap((type): Row[] => [
    [`client_auth_type ${type}`, auth(type), 'both'],
    [`client_auth_type ${type} with a CA`, auth(type, CA), 'both'],
    [`client_auth_type ${type} with SANs`, auth(type, SANS), '3.5 only'],
  ]),
  ['client_auth_type RequestClientCert', auth('RequestClientCert'), 'both'],
  ['client_auth_type RequestClientCert with a CA', auth('RequestClientCert', CA), 'both'],
  [
    'client_auth_type RequestClientCert with SANs',
    auth('RequestClientCert', SANS),
    '3.5 only',
    'tls_server_config.client_allowed_sans',
  ],
  ...['VerifyClientCertIfGiven', 'RequireAndVerifyClientCert'].flatMap((type): Row[] => [
    [`client_auth_type ${type} without a CA`, auth(type), 'both', 'tls_server_config.client_auth_type'],
    [`client_auth_type ${type} with a CA`, auth(type, CA), 'both'],
  ]),
  [
    'VerifyClientCertIfGiven with SANs',
    auth('VerifyClientCertIfGiven', CA + SANS),
    '3.5 only',
    'tls_server_config.client_allowed_sans',
  ],
  ['RequireAndVerifyClientCert with SANs', auth('RequireAndVerifyClientCert', CA + SANS), '3.5 only'],
  ['an empty list of SANs', auth('RequireAnyClientCert', ', client_allowed_sans: []'), '3.5 only'],
  ['a text of SANs', auth('RequireAnyClientCert', ', client_allowed_sans: a'), 'neither'],
  ['another client_auth_type', auth('Foo'), 'neither'],
  ['a CA without a client_auth_type', tls('client_ca_file: ca.pem'), 'neither'],
  ['a CA that is missing', auth('RequestClientCert', ', client_ca_file: none.pem'), 'neither'],
  ['a CA that is a folder', auth('RequestClientCert', ', client_ca_file: .'), 'neither'],
  ['a CA that is none', auth('RequireAndVerifyClientCert', ', client_ca_file: server.key'), 'both'],
  [
    'a CA below one that is not there',
    auth('RequireAndVerifyClientCert', ', client_ca_file: intermediate.pem'),
    'both',
    'tls_server_config.client_ca_file',
  ],
  ['a CA with the one above it', auth('RequireAndVerifyClientCert', ', client_ca_file: chain.pem'), 'both'],
  ['client_ca', auth('RequestClientCert', ', client_ca: b'), '3.5 only'],
];

/** Texts of web configurations, and who takes them. */
export const WEB_CONFIG_CASES: readonly WebConfigCase[] = [
  ...YAML,
  ...HTTP,
  ...USERS,
  ...PROTOCOL,
  ...CERTIFICATES,
  ...CLIENTS,
].map(([name, text, takenBy, refused]) => ({ name, text, takenBy, ...(refused !== undefined && { refused }) }));

/** Writes the cases and the files that they name. @returns the paths of the cases, in their order */
export async function writeWebConfigCases(folder: string): Promise<string[]> {
  mkdirSync(folder, { recursive: true });
  const authority = await createAuthority('authority');
  const below = await authority.issueAuthority('below');
  const server = await authority.issue('server', { sans: SERVER_SANS });
  const other = await authority.issue('other');
  const expired = await authority.issue('expired', { notAfter: new Date(Date.now() - 60_000) });
  const files: Readonly<Record<string, string | Buffer>> = {
    'server.pem': server.certificate,
    'server.key': server.key,
    'server.der': Buffer.from(server.certificate.replaceAll(/-----.*-----|\s/g, ''), 'base64'),
    'whole.pem': server.key + server.certificate,
    'other.key': other.key,
    'locked.key': createPrivateKey(server.key).export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: 'passphrase',
    }),
    'expired.pem': expired.certificate,
    'expired.key': expired.key,
    'empty.pem': '',
    'ca.pem': authority.certificate,
    'intermediate.pem': below.certificate,
    'chain.pem': below.certificate + authority.certificate,
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return WEB_CONFIG_CASES.map(({ text }) => {
    const path = join(folder, `${createHash('sha256').update(text).digest('hex').slice(0, 16)}.yml`);
    writeFileSync(path, text);
    return path;
  });
}
