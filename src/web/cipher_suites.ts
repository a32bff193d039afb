/** Go's names of cipher suites (crypto/tls, CipherSuites() of Go 1.19, of which later versions leave out the RSA key exchange) and those of OpenSSL. */
export const CIPHER_SUITES: Readonly<Record<string, string>> = {
  TLS_RSA_WITH_AES_128_CBC_SHA: 'AES128-SHA',
  TLS_RSA_WITH_AES_256_CBC_SHA: 'AES256-SHA',
  TLS_RSA_WITH_AES_128_GCM_SHA256: 'AES128-GCM-SHA256',
  TLS_RSA_WITH_AES_256_GCM_SHA384: 'AES256-GCM-SHA384',
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA: 'ECDHE-ECDSA-AES128-SHA',
  TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA: 'ECDHE-ECDSA-AES256-SHA',
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: 'ECDHE-RSA-AES128-SHA',
  TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA: 'ECDHE-RSA-AES256-SHA',
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 'ECDHE-ECDSA-AES128-GCM-SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 'ECDHE-ECDSA-AES256-GCM-SHA384',
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 'ECDHE-RSA-AES128-GCM-SHA256',
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 'ECDHE-RSA-AES256-GCM-SHA384',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-ECDSA-CHACHA20-POLY1305',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-RSA-CHACHA20-POLY1305',
  TLS_AES_128_GCM_SHA256: 'TLS_AES_128_GCM_SHA256',
  TLS_AES_256_GCM_SHA384: 'TLS_AES_256_GCM_SHA384',
  TLS_CHACHA20_POLY1305_SHA256: 'TLS_CHACHA20_POLY1305_SHA256',
};

/** The suites of TLS 1.3: Go has them always, whatever a list says. */
const TLS13_SUITES = Object.values(CIPHER_SUITES).filter((name) => name.startsWith('TLS_'));

/** What stands for no list: forward secrecy and authenticated encryption, which is what both Go and Node prefer. */
const PREFERRED = Object.values(CIPHER_SUITES).filter((name) => /^ECDHE-.*(?:GCM|CHACHA20)/.test(name));
/** TLS 1.0 and 1.1 have nothing better. */
const CBC = Object.values(CIPHER_SUITES).filter((name) => name.endsWith('-SHA'));
/** OpenSSL 3 has TLS 1.0 and 1.1 at this level only, for their SHA-1 signatures. */
const OLD_VERSIONS_LEVEL = '@SECLEVEL=0';

/**
 * OpenSSL's list of ciphers.
 *
 * @param names Go's names; an empty list is the default one
 * @param hasOldVersions whether TLS 1.0 or 1.1 may be spoken
 */
export function openSslCiphers(names: readonly string[], hasOldVersions: boolean): string {
  const preset = hasOldVersions ? [...PREFERRED, ...CBC] : PREFERRED;
  const named = names.map((name) => CIPHER_SUITES[name]!).filter((name) => !name.startsWith('TLS_'));
  const chosen = [...TLS13_SUITES, ...(names.length === 0 ? preset : named)];
  return (hasOldVersions ? [...chosen, OLD_VERSIONS_LEVEL] : chosen).join(':');
}

/** Go's names of curves and those of OpenSSL. */
export const CURVES: Readonly<Record<string, string>> = {
  CurveP256: 'P-256',
  CurveP384: 'P-384',
  CurveP521: 'P-521',
  X25519: 'X25519',
};
