/** Suites of TLS 1.3, the first the one we like best. */
const MODERN = ['TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256'] as const;

/**
 * Suites of TLS 1.2 by OpenSSL's names: a new key for every session (ECDHE), and encryption that is authenticated (AEAD). Those
 * without the first give away all that was recorded when the server's key is lost; CBC has been broken again and again.
 */
const FORWARD_SECRET = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
] as const;

/**
 * The cipher suites of a service as OpenSSL takes them. A version of which `names` has none keeps the default: which
 * versions are spoken is not for this list to say.
 */
export function cipherList(names: readonly string[] = []): string {
  const modern = names.filter(isModern);
  const older = names.filter((name) => !isModern(name));
  return [...(modern.length > 0 ? modern : MODERN), ...(older.length > 0 ? older : FORWARD_SECRET)].join(':');
}

function isModern(name: string): boolean {
  return name.startsWith('TLS_');
}
