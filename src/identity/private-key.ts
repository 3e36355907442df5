import { createPrivateKey, type KeyObject } from 'node:crypto';
import { invalid } from './material-error.ts';
import type { MaterialPart } from './parts.ts';
import { describeBlocks, isPrivateKey, parsePem } from './pem.ts';

export interface PrivateKey {
  readonly key: KeyObject;
  readonly pem: string;
}

/**
 * The one private key of a file: PKCS#8, PKCS#1 or SEC1, without a passphrase. Other blocks are left alone.
 *
 * @throws MaterialError
 */
export function readPrivateKey({ origin, bytes }: MaterialPart): PrivateKey {
  const parsed = parsePem(bytes);
  if (!parsed.ok) throw invalid(origin, `expected a private key in PEM, found ${parsed.found}`);
  const [block, ...others] = parsed.blocks.filter(isPrivateKey);
  if (block === undefined) throw invalid(origin, `expected a private key, found ${describeBlocks(parsed.blocks)}`);
  if (others.length > 0) throw invalid(origin, `expected one private key, found ${others.length + 1}`);
  if (block.encrypted) {
    const fix = 'decrypt it by: openssl pkey -in <encrypted> -out <plain>';
    throw invalid(origin, `expected a private key without a passphrase, found an encrypted one; ${fix}`);
  }
  try {
    return { key: createPrivateKey(block.text), pem: block.text };
  } catch {
    // What OpenSSL says here is of no use to a reader, and the less is repeated of a key file the better.
    throw invalid(origin, `expected a private key in PKCS#8, PKCS#1 or SEC1, found an unreadable ${block.label}`);
  }
}
