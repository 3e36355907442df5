import { constants } from 'node:crypto';
import { cipherList } from '../core/cipher-suites.ts';
import type { PartName } from '../core/material-origin.ts';
import type { ContextOptions, MaterialPurpose } from './material.ts';

export interface ContextInput {
  readonly purpose: MaterialPurpose;
  /** Without `ca` the roots that Node trusts. */
  readonly pem: Readonly<Partial<Record<PartName, string>>>;
  readonly fingerprint: string;
}

/** OpenSSL takes at most 32 bytes. */
const SESSION_CONTEXT_LENGTH = 32;

/** What `tls.createSecureContext` is to be given. */
export function contextOptionsOf({ purpose, pem, fingerprint }: ContextInput): ContextOptions {
  return {
    ...pem,
    minVersion: purpose.minVersion,
    ciphers: cipherList(purpose.ciphers),
    // Node by itself allows a client three renegotiations in ten minutes.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    ...(purpose.role === 'server' && {
      honorCipherOrder: true,
      // Without one OpenSSL resumes no session of a client that showed a certificate; with another one none of before.
      sessionIdContext: fingerprint.slice(0, SESSION_CONTEXT_LENGTH),
    }),
  };
}
