import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { ConfigError, messageOf } from '../errors.ts';

// Where a line begins, as Go looks for them.
const CERTIFICATES = /^-----BEGIN CERTIFICATE-----\r?\n[\s\S]*?\n-----END CERTIFICATE-----/gm;
const PRIVATE_KEY = /^-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----/m;

/** A text in PEM, and how messages name it: the setting, and the path where it is of a file. */
export interface Pem {
  readonly label: string;
  readonly text: string;
}

/** @throws ConfigError */
export function readCertificate({ label, text }: Pem): X509Certificate {
  const [first] = text.match(CERTIFICATES) ?? [];
  if (first === undefined) throw new ConfigError(`${label}: holds no certificate in PEM`);
  try {
    return new X509Certificate(first);
  } catch (error) {
    throw new ConfigError(`${label}: its certificate cannot be read: ${messageOf(error)}`);
  }
}

/** @throws ConfigError */
export function readPrivateKey({ label, text }: Pem): KeyObject {
  if (!PRIVATE_KEY.test(text)) throw new ConfigError(`${label}: holds no private key in PEM`);
  try {
    return createPrivateKey(text);
  } catch (error) {
    throw new ConfigError(
      `${label}: its private key cannot be read: ${messageOf(error)}; it has to be without a passphrase`,
    );
  }
}

/** What can be read of the certificates of CAs, as Go takes them: what cannot is left out. */
export function readAuthorities({ text }: Pem): X509Certificate[] {
  return (text.match(CERTIFICATES) ?? []).flatMap((pem) => {
    try {
      return [new X509Certificate(pem)];
    } catch {
      return [];
    }
  });
}
