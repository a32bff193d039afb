import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
  type JsonGeneralName,
  type X509Certificate,
} from '@peculiar/x509';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const HOUR_MS = 3_600_000;

/** A certificate and its key, in PEM. */
export interface Identity {
  readonly certificate: string;
  readonly key: string;
}

export interface IssueOptions {
  readonly sans?: readonly JsonGeneralName[];
  readonly isAuthority?: boolean;
  /** Of RFC 5280, extended key usage; none means any. */
  readonly usages?: readonly string[];
  readonly notAfter?: Date;
}

/** An authority that issues certificates. */
export interface Authority extends Identity {
  issue(name: string, options?: IssueOptions): Promise<Identity>;
  /** An authority below this one. */
  issueAuthority(name: string): Promise<Authority>;
}

export const SERVER_SANS: readonly JsonGeneralName[] = [
  { type: 'ip', value: '127.0.0.1' },
  { type: 'dns', value: 'localhost' },
];

/** A new root. */
export async function createAuthority(name: string): Promise<Authority> {
  return authorityOf(await create(name, { isAuthority: true }));
}

interface Made extends Identity {
  readonly parsed: X509Certificate;
  readonly keys: webcrypto.CryptoKeyPair;
}

function authorityOf(made: Made): Authority {
  const { certificate, key } = made;
  return {
    certificate,
    key,
    issue: async (name, options = {}) => {
      const issued = await create(name, options, made);
      return { certificate: issued.certificate, key: issued.key };
    },
    issueAuthority: async (name) => authorityOf(await create(name, { isAuthority: true }, made)),
  };
}

async function create(name: string, options: IssueOptions, issuer?: Made): Promise<Made> {
  const { sans = [], isAuthority = false, usages = [], notAfter = new Date(Date.now() + HOUR_MS) } = options;
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const parsed = await X509CertificateGenerator.create(
    {
      subject: `CN=${name}`,
      issuer: issuer?.parsed.subject ?? `CN=${name}`,
      notBefore: new Date(Date.now() - 2 * HOUR_MS),
      notAfter,
      publicKey: keys.publicKey,
      signingKey: issuer?.keys.privateKey ?? keys.privateKey,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new BasicConstraintsExtension(isAuthority, undefined, true),
        ...(usages.length > 0 ? [new ExtendedKeyUsageExtension([...usages])] : []),
        ...(sans.length > 0 ? [new SubjectAlternativeNameExtension([...sans])] : []),
      ],
    },
    webcrypto,
  );
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  const key = `-----BEGIN PRIVATE KEY-----\n${pkcs8.toString('base64').replaceAll(/.{64}/g, '$&\n')}\n-----END PRIVATE KEY-----\n`;
  return { certificate: `${parsed.toString('pem')}\n`, key, parsed, keys };
}
