import { CIPHER_SUITES, CURVES, openSslCiphers } from './cipher_suites.ts';
import type { Value } from './yaml_values.ts';

/** Of what tls_server_config says: what is in files is not read yet. */
export interface TlsConfig {
  readonly certificate: PemSource;
  readonly key: PemSource;
  readonly clientCa: PemSource | undefined;
  readonly clientAuth: ClientAuth;
  /** What a client's certificate has to have one of among its subject alternative names; undefined: anything. */
  readonly allowedSans: readonly string[] | undefined;
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  readonly prefersServerCiphers: boolean;
  /** In OpenSSL's form. */
  readonly ciphers: string;
  /** In OpenSSL's form; undefined: any. */
  readonly curves: string | undefined;
}

/** Where a text in PEM is: in a file, by its path as it is given, or in the configuration. */
export type PemSource =
  { readonly setting: string; readonly file: string } | { readonly setting: string; readonly text: string };

/** Whether a client is asked for a certificate, whether it has to have one, and whether a certificate has to be signed by a CA of clientCa. */
export type ClientAuth = (typeof CLIENT_AUTHS)[number];

const CLIENT_AUTHS = [
  'NoClientCert',
  'RequestClientCert',
  'RequireAnyClientCert',
  'VerifyClientCertIfGiven',
  'RequireAndVerifyClientCert',
] as const;
/** The name of RequireAnyClientCert in the first version of the format, which is still taken. */
const OLD_NAME = 'RequireClientCert';

const VERSIONS = { TLS10: 'TLSv1', TLS11: 'TLSv1.1', TLS12: 'TLSv1.2', TLS13: 'TLSv1.3' } as const;
export type TlsVersion = (typeof VERSIONS)[keyof typeof VERSIONS];
const IN_ORDER: readonly TlsVersion[] = Object.values(VERSIONS);

export const TLS_SETTINGS = [
  'cert',
  'key',
  'client_ca',
  'cert_file',
  'key_file',
  'client_ca_file',
  'client_auth_type',
  'client_allowed_sans',
  'cipher_suites',
  'curve_preferences',
  'min_version',
  'max_version',
  'prefer_server_cipher_suites',
] as const;

type Fields = (name: (typeof TLS_SETTINGS)[number]) => Value;

/** @returns undefined where nothing asks for TLS */
export function parseTls(field: Fields, warnings: string[]): TlsConfig | undefined {
  // All are looked at, also where nothing comes of it.
  const common = parseProtocol(field);
  const clientAuthText = field('client_auth_type').text();
  const certificate = sourceOf(field('cert_file'), field('cert'));
  const key = sourceOf(field('key_file'), field('key'));
  const clientCa = sourceOf(field('client_ca_file'), field('client_ca'));
  const sans = field('client_allowed_sans');
  const allowedSans = sans.isNull ? undefined : sans.list().map((san) => san.text());
  if (!certificate && !key && !clientCa && clientAuthText === '') {
    const given = TLS_SETTINGS.filter((name) => !field(name).isNull);
    if (given.length > 0) {
      warnings.push(
        `tls_server_config: without cert_file and key_file there is no TLS, and ${given.join()} do nothing`,
      );
    }
    return undefined;
  }
  if (!certificate) throw field('cert_file').error('is missing; give it, or cert');
  if (!key) throw field('key_file').error('is missing; give it, or key');
  const clientAuth = parseClientAuth(field('client_auth_type'));
  if (IN_ORDER.indexOf(common.minVersion) > IN_ORDER.indexOf(common.maxVersion)) {
    warnings.push('tls_server_config.min_version is above max_version: nobody can come in');
  }
  checkClientAuth({ field, clientAuth, clientCa });
  return { ...common, certificate, key, clientCa, clientAuth, allowedSans };
}

function parseProtocol(field: Fields) {
  const minVersion = oneOf(field('min_version'), VERSIONS) ?? VERSIONS.TLS12;
  const suites = namesIn(field('cipher_suites'), CIPHER_SUITES);
  const curves = namesIn(field('curve_preferences'), CURVES).map((name) => CURVES[name]!);
  return {
    minVersion,
    maxVersion: oneOf(field('max_version'), VERSIONS) ?? VERSIONS.TLS13,
    prefersServerCiphers: field('prefer_server_cipher_suites').boolean(true),
    ciphers: openSslCiphers(suites, minVersion === VERSIONS.TLS10 || minVersion === VERSIONS.TLS11),
    curves: curves.length === 0 ? undefined : curves.join(':'),
  };
}

function oneOf<Meaning>(value: Value, meanings: Readonly<Record<string, Meaning>>): Meaning | undefined {
  if (value.isNull) return undefined;
  const text = value.text();
  if (!Object.hasOwn(meanings, text)) throw value.error(`has to be one of ${Object.keys(meanings).join(', ')}`);
  return meanings[text];
}

function namesIn(list: Value, meanings: Readonly<Record<string, string>>): string[] {
  const named = list.list().filter((item) => oneOf(item, meanings) !== undefined);
  return named.map((item) => item.text());
}

/** A file goes before a text. */
function sourceOf(file: Value, text: Value): PemSource | undefined {
  const [path, pem] = [file.text(), text.text()];
  if (path !== '') return { setting: file.path, file: path };
  return pem === '' ? undefined : { setting: text.path, text: pem };
}

function parseClientAuth(value: Value): ClientAuth {
  const text = value.text();
  if (text === '') return 'NoClientCert';
  const found = CLIENT_AUTHS.find((name) => name === (text === OLD_NAME ? 'RequireAnyClientCert' : text));
  if (found === undefined) throw value.error(`has to be one of ${CLIENT_AUTHS.join(', ')}`);
  return found;
}

/** Settings that work against each other, or not here. */
function checkClientAuth({
  field,
  clientAuth,
  clientCa,
}: {
  readonly field: Fields;
  readonly clientAuth: ClientAuth;
  readonly clientCa: PemSource | undefined;
}): void {
  const type = field('client_auth_type');
  if (clientCa && clientAuth === 'NoClientCert') {
    throw type.error('has to ask for certificates where there is a client_ca_file; RequireAndVerifyClientCert does');
  }
  const verifies = clientAuth === 'VerifyClientCertIfGiven' || clientAuth === 'RequireAndVerifyClientCert';
  if (verifies && !clientCa) {
    throw type.error(
      `${clientAuth} without client_ca_file would trust every CA that the system trusts, which Node.js does not read; give client_ca_file, or client_ca`,
    );
  }
  const requires = clientAuth === 'RequireAnyClientCert' || clientAuth === 'RequireAndVerifyClientCert';
  if (!field('client_allowed_sans').isNull && !requires) {
    throw field('client_allowed_sans').error(
      `does nothing, or not what it says, where a client may come without a certificate; set client_auth_type to RequireAndVerifyClientCert`,
    );
  }
}
