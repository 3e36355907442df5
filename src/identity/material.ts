import type { X509Certificate } from 'node:crypto';
import type { SecureContext, SecureContextOptions } from 'node:tls';
import type { PartName } from '../core/material-origin.ts';
import type { MaterialError } from './material-error.ts';

/** `client`: we dial with TLS. `server`: we accept TLS. */
export type TlsRole = 'client' | 'server';

/** What material is for, which decides what it must consist of. */
export type MaterialPurpose =
  | { readonly role: 'client'; readonly minVersion: TlsVersion }
  | {
      readonly role: 'server';
      /** Whether clients must show a certificate. */
      readonly clientAuth: 'require' | 'none';
      readonly minVersion: TlsVersion;
    };

export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

/**
 * What one side of TLS needs, whole and checked: it is swapped as one value or not at all. Frozen. Neither
 * `JSON.stringify` nor an inspection of it shows the key.
 */
export interface TlsMaterial {
  readonly role: TlsRole;
  /** For `tls.connect` and `TLSSocket`: made once, as one for each connection would cost half a handshake more. */
  readonly secureContext: SecureContext;
  /** What it was made of, for `tls.Server.setSecureContext`. A part that was not given is absent. Not enumerable. */
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
    Pick<SecureContextOptions, 'minVersion' | 'honorCipherOrder' | 'secureOptions' | 'sessionIdContext'>
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

/** Things an operator wants to see counted; all since start. */
export interface MaterialCounters {
  /** Sets that were taken into use, the first included. */
  readonly loaded: number;
  /** Times what was read was no good. */
  readonly refused: number;
  /** Times something could not be read. */
  readonly unavailable: number;
}

/**
 * - `loading`: there is no good set yet;
 * - `ready`: the set in use is what its places held at the last look;
 * - `stale`: the last look failed; the set in use is an older one.
 */
export type MaterialState =
  | { readonly status: 'loading'; readonly error: string | undefined; readonly counters: MaterialCounters }
  | {
      readonly status: 'ready';
      readonly material: TlsMaterial;
      readonly counters: MaterialCounters;
    }
  | {
      readonly status: 'stale';
      readonly material: TlsMaterial;
      readonly error: string;
      readonly counters: MaterialCounters;
    };

/**
 * What keeping material reports, for logs and metrics:
 * - `loaded`: a set was taken into use;
 * - `failed`: a look failed, in another way than the one before;
 * - `recovered`: a look after failed ones found the set in use again;
 * - `expiring`: the set in use expires within 7 days, or has expired; at most once a day for each set;
 * - `listener-failed`: a listener of the keeper threw; a bug.
 */
export type MaterialReport =
  | { readonly kind: 'loaded'; readonly material: TlsMaterial; readonly isFirst: boolean }
  | { readonly kind: 'failed'; readonly error: MaterialError; readonly retryInMs: number | undefined }
  | { readonly kind: 'recovered'; readonly material: TlsMaterial }
  | { readonly kind: 'expiring'; readonly material: TlsMaterial; readonly notAfterMs: number }
  | { readonly kind: 'listener-failed'; readonly error: unknown };
