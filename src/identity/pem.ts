/** One block of a PEM text (RFC 7468). */
export interface PemBlock {
  /** `CERTIFICATE`, `RSA PRIVATE KEY`, ... */
  readonly label: string;
  /** From its BEGIN line to its END line. */
  readonly text: string;
  /** Whether it says itself that it is encrypted. */
  readonly encrypted: boolean;
}

export type ParsedPem =
  | { readonly ok: true; readonly blocks: readonly PemBlock[] }
  | {
      readonly ok: false;
      /** Fits behind "found". */
      readonly found: string;
    };

const BEGIN = /-----BEGIN ([A-Z0-9][A-Z0-9 ]{0,39})-----/g;
/** Whole blocks: what stands between BEGIN and END has no other BEGIN in it. */
const BLOCK = /-----BEGIN ([A-Z0-9][A-Z0-9 ]{0,39})-----((?:(?!-----BEGIN )[^])*?)-----END \1-----/g;
const ENCRYPTED_HEADER = /^Proc-Type: *4, *ENCRYPTED/m;

/**
 * Splits a file into its blocks; text around them is allowed, as openssl writes it. A block that is cut off makes the
 * whole file no good: OpenSSL itself would stop there in silence and serve what came before.
 */
export function parsePem(bytes: Buffer): ParsedPem {
  if (bytes.length === 0) return { ok: false, found: 'an empty file' };
  const text = bytes.toString('utf8');
  const begun = [...text.matchAll(BEGIN)].length;
  if (begun === 0) return { ok: false, found: isDer(bytes) ? 'binary data (DER?)' : 'no PEM block' };
  const blocks = [...text.matchAll(BLOCK)].map(([whole, label = '', body = '']) => ({
    label,
    text: `${whole}\n`,
    encrypted: label.startsWith('ENCRYPTED') || ENCRYPTED_HEADER.test(body),
  }));
  if (blocks.length < begun) return { ok: false, found: 'a PEM block without its END line' };
  return { ok: true, blocks };
}

export function isCertificate({ label }: PemBlock): boolean {
  return label === 'CERTIFICATE' || label === 'X509 CERTIFICATE' || label === 'TRUSTED CERTIFICATE';
}

export function isPrivateKey({ label }: PemBlock): boolean {
  return label.endsWith('PRIVATE KEY');
}

/** What blocks there are, for "found": `a PRIVATE KEY`, `2 CERTIFICATEs and an EC PARAMETERS`. */
export function describeBlocks(blocks: readonly PemBlock[]): string {
  const counts = new Map<string, number>();
  for (const { label } of blocks) counts.set(label, (counts.get(label) ?? 0) + 1);
  return [...counts].map(([label, count]) => (count === 1 ? `one ${label}` : `${count} times ${label}`)).join(', ');
}

/** A SEQUENCE in its long form: how a certificate or a key begins that was not turned into PEM. */
function isDer(bytes: Buffer): boolean {
  return bytes[0] === 0x30 && ((bytes[1] ?? 0) & 0x80) !== 0;
}
