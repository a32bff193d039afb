import { SocketAddress } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { TlsConfig } from './tls_config.ts';

/** @returns why a client may not come in; undefined where it may */
export function refuseClient(
  socket: TLSSocket,
  { clientAuth, allowedSans }: Pick<TlsConfig, 'clientAuth' | 'allowedSans'>,
): string | undefined {
  if (clientAuth === 'NoClientCert') return undefined;
  const certificate = socket.getPeerX509Certificate();
  const requires = clientAuth === 'RequireAnyClientCert' || clientAuth === 'RequireAndVerifyClientCert';
  if (!certificate) return requires ? 'the client sent no certificate' : undefined;
  const verifies = clientAuth === 'VerifyClientCertIfGiven' || clientAuth === 'RequireAndVerifyClientCert';
  if (verifies && !socket.authorized) {
    // Typed as an Error, it is a code of OpenSSL.
    return `the client's certificate is not trusted (${String(socket.authorizationError)})`;
  }
  if (allowedSans && !sansOf(certificate.subjectAltName ?? '').some((san) => allowedSans.includes(san))) {
    return "none of the certificate's subject alternative names is among client_allowed_sans";
  }
  return undefined;
}

const KINDS = ['DNS', 'email', 'IP Address', 'URI'];
/** A name that holds what could be taken for another one is a JSON string: https://nodejs.org/api/crypto.html#x509subjectaltname */
const SAN = /([\w ]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/gy;

/** The names, addresses, e-mail addresses and URIs of Node's text of subject alternative names, each as Go writes it. */
export function sansOf(subjectAltName: string): string[] {
  return [...subjectAltName.matchAll(SAN)]
    .filter(([, kind]) => KINDS.includes(kind!))
    .map(([, kind, text]) => {
      const name = text!.startsWith('"') ? (JSON.parse(text!) as string) : text!;
      return kind === 'IP Address' ? addressOf(name) : name;
    });
}

/** OpenSSL writes every group of an IPv6 address. */
function addressOf(text: string): string {
  if (!text.includes(':')) return text;
  const { address } = new SocketAddress({ address: text, family: 'ipv6' });
  return address.replace(/^::ffff:(?=\d+\.)/, '');
}
