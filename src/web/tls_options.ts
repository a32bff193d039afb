import { createSecureContext, type TlsOptions } from 'node:tls';
import { ConfigError, messageOf } from '../errors.ts';
import { readAuthorities, readCertificate, readPrivateKey, type Pem } from './pem.ts';
import type { TlsConfig } from './tls_config.ts';

/** Longer than a handshake takes on any line; a client that is slower holds a connection for nothing. */
const HANDSHAKE_MS = 10_000;

/** The texts that a TlsConfig names. */
export interface TlsTexts {
  readonly certificate: Pem;
  readonly key: Pem;
  readonly clientCa: Pem | undefined;
}

/**
 * What Node needs to speak TLS as it is configured. Which clients may come in is looked at once the handshake is done: Node itself would refuse
 * those without a certificate only together with those whose certificate is not signed by a CA that it knows.
 *
 * @throws ConfigError
 */
export function tlsOptions(
  config: TlsConfig,
  { certificate, key, clientCa }: TlsTexts,
  warnings: string[],
): TlsOptions {
  const leaf = readCertificate(certificate);
  if (!leaf.checkPrivateKey(readPrivateKey(key))) {
    throw new ConfigError(`${key.label}: is not the key of the certificate of ${certificate.label}`);
  }
  const options: TlsOptions = {
    cert: certificate.text,
    key: key.text,
    minVersion: config.minVersion,
    maxVersion: config.maxVersion,
    ciphers: config.ciphers,
    honorCipherOrder: config.prefersServerCiphers,
    ...(config.curves !== undefined && { ecdhCurve: config.curves }),
    ...(clientCa && { ca: trustAnchors(clientCa, warnings) }),
    requestCert: config.clientAuth !== 'NoClientCert',
    rejectUnauthorized: false,
    handshakeTimeout: HANDSHAKE_MS,
    ALPNProtocols: ['http/1.1'],
  };
  try {
    createSecureContext(options);
  } catch (error) {
    throw new ConfigError(
      `tls_server_config: this Node.js (OpenSSL ${process.versions.openssl}) cannot do it: ${messageOf(error)}; ` +
        `mend ${certificate.label} or ${key.label}, or min_version, max_version, cipher_suites and curve_preferences`,
    );
  }
  return options;
}

/** @returns in PEM */
function trustAnchors(clientCa: Pem, warnings: string[]): string[] {
  const authorities = readAuthorities(clientCa);
  if (authorities.length === 0) warnings.push(`${clientCa.label}: holds no certificate in PEM: it vouches for nobody`);
  for (const authority of authorities) {
    // Go trusts any certificate of the file by itself. Node's TLS servers (20 to 24) only trust what leads up to a root: Server.setSecureContext
    // leaves allowPartialTrustChain out.
    const isRooted = authorities.some((issuer) => authority.checkIssued(issuer) && authority.verify(issuer.publicKey));
    if (!isRooted) {
      const name = authority.subject.replaceAll('\n', ', ');
      throw new ConfigError(
        `${clientCa.label}: the issuer of its certificate "${name}" is not there, and Node.js trusts what leads up to a root; add the root's certificate`,
      );
    }
  }
  return authorities.map((authority) => authority.toString());
}
