import type { X509Certificate } from 'node:crypto';
import type { SecureContext, SecureContextOptions } from 'node:tls';
import type { AttacheError } from '../core/errors.ts';
import type { PartName } from '../core/material-origin.ts';

/** `client`: we dial with TLS. `server`: we accept TLS. */
export type TlsRole = 'client' | 'server';

/** What material is for, which decides what it must consist of. */
export type MaterialPurpose = {
  readonly minVersion: TlsVersion;
  /** OpenSSL's names; default: the ones of `cipherList`. */
  readonly ciphers?: readonly string[] | undefined;
} & (
  | { readonly role: 'client' }
  | {
      readonly role: 'server';
      /** Whether clients must show a certificate. */
      readonly clientAuth: 'require' | 'none';
    }
);

export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

/**
 * What one side of TLS needs, whole and checked: it is swapped as one value or not at all. Frozen. Neither
 * `JSON.stringify` nor an inspection shows the key.
 */
export interface TlsMaterial {
  readonly role: TlsRole;
  /** For `tls.connect` and `TLSSocket`: made once, as one for each connection would cost half a handshake more. */
  readonly secureContext: SecureContext;
  /** What that was made of, for an engine that makes a context of its own. */
  readonly contextOptions: ContextOptions;
  /** What we present; undefined in the client role when there is no certificate. */
  readonly leaf: CertificateFacts | undefined;
  /** `Date.now()` at which the first certificate of our own chain expires; undefined without one. */
  readonly notAfterMs: number | undefined;
  /** Of the bytes that were read: equal for unchanged material. */
  readonly fingerprint: string;
  /** What does not stop a start, yet may be why a peer refuses us. Each names its file or `s3://` URI. */
  readonly warnings: readonly string[];
}

/** Options of `tls.createSecureContext`: the PEM texts, and what hardens them. */
export type ContextOptions = Readonly<
  Partial<Record<PartName, string>> &
    Pick<SecureContextOptions, 'minVersion' | 'ciphers' | 'honorCipherOrder' | 'secureOptions' | 'sessionIdContext'>
>;

/** What a certificate says of itself. */
export interface CertificateFacts {
  /** On one line, control characters escaped: `CN=web, O=acme`. */
  readonly subject: string;
  readonly names: CertificateNames;
  /** Upper-case hexadecimal. */
  readonly serial: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** Subject alternative names, in the certificate's own order. */
export interface AlternativeNames {
  readonly dns: readonly string[];
  readonly uris: readonly string[];
  /** In one form for equal addresses. */
  readonly ips: readonly string[];
}

export interface CertificateNames extends AlternativeNames {
  /** Undefined when the subject has none, or several. */
  readonly commonName: string | undefined;
}

/** Decides which peers may come in, once the chain of their certificate has been verified. */
export interface PeerPolicy {
  /** @param certificate the peer's; without one only a policy that asks for nothing lets it in */
  permits(certificate: X509Certificate | undefined): boolean;
}

/**
 * - `loading`: there is no set yet;
 * - `ready`: the last look found the set in use, or has put it there;
 * - `stale`: the last look failed; the set in use is one of before.
 */
export type MaterialState =
  | { readonly status: 'loading'; readonly error: string | undefined; readonly counters: MaterialCounters }
  | { readonly status: 'ready'; readonly material: TlsMaterial; readonly counters: MaterialCounters }
  | {
      readonly status: 'stale';
      readonly material: TlsMaterial;
      readonly error: string;
      readonly counters: MaterialCounters;
    };

/** Counts for operators, since the start. */
export interface MaterialCounters {
  /** Sets that were taken into use. */
  readonly loaded: number;
  /** Looks that found a set that is no good. */
  readonly refused: number;
  /** Looks that could not read a part. */
  readonly unavailable: number;
}

/**
 * What is told of material, for logs:
 * - `loaded`: a set was taken into use;
 * - `failed`: a look failed, otherwise than the one before did;
 * - `recovered`: after failed looks the set in use was found again;
 * - `expiring`: the set in use ends within 7 days, or has ended; at most once a day.
 */
export type MaterialReport =
  | { readonly kind: 'loaded'; readonly material: TlsMaterial }
  | {
      readonly kind: 'failed';
      /** Its message has a line for each fault. */
      readonly error: AttacheError;
      /** Until the next look; undefined when there will be none by itself. */
      readonly nextInMs: number | undefined;
    }
  | { readonly kind: 'recovered'; readonly material: TlsMaterial }
  | {
      readonly kind: 'expiring';
      readonly material: TlsMaterial;
      /** `Date.now()` at which it ends. */
      readonly notAfterMs: number;
    };
