import type { CipherNameAndProtocol } from 'node:tls';

/** Bytes of records, as they are on the wire, of a connection whose cipher makes them known. */
export interface RecordSizes {
  /** What a record has more than its plain text. */
  readonly overhead: number;
  /** A record that holds an alert, such as close_notify. */
  readonly alert: number;
  /** A record that holds a key update; undefined where the version has no such record. */
  readonly keyUpdate: number | undefined;
}

const HEADER = 5;
/** Of the content, which TLS 1.3 encrypts. */
const CONTENT_TYPE = 1;
/** What TLS 1.2 sends of the nonce with GCM and CCM (RFC 5288, 6655); ChaCha20-Poly1305 sends none (RFC 7905). */
const EXPLICIT_NONCE = 8;
const TAG = 16;
const SHORT_TAG = 8;
const ALERT = 2;
const KEY_UPDATE = 5;

/** @returns undefined for ciphers that pad (CBC) */
export function recordSizesOf({ standardName, version }: CipherNameAndProtocol): RecordSizes | undefined {
  if (!/GCM|CCM|POLY1305/.test(standardName)) return undefined;
  const tag = standardName.includes('CCM_8') ? SHORT_TAG : TAG;
  if (version === 'TLSv1.3') {
    const overhead = HEADER + CONTENT_TYPE + tag;
    return { overhead, alert: overhead + ALERT, keyUpdate: overhead + KEY_UPDATE };
  }
  const overhead = HEADER + (standardName.includes('POLY1305') ? 0 : EXPLICIT_NONCE) + tag;
  return { overhead, alert: overhead + ALERT, keyUpdate: undefined };
}
