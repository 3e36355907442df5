import type { X509Certificate } from 'node:crypto';
import { subjectOf, validityOf } from './certificate-facts.ts';
import { invalid, type MaterialError } from './material-error.ts';
import type { TlsRole } from './material.ts';
import type { PrivateKey } from './private-key.ts';
import { checkValidity } from './validity.ts';

/** What we present. */
export interface OwnIdentity {
  readonly leaf: X509Certificate;
  /** The leaf, then what it is signed by. */
  readonly chain: readonly X509Certificate[];
  readonly keyPem: string;
  /** `Date.now()` at which the first of the chain expires. */
  readonly notAfterMs: number;
  readonly warnings: readonly string[];
}

export interface IdentityInput {
  readonly chain: readonly X509Certificate[];
  readonly chainOrigin: string;
  readonly key: PrivateKey;
  readonly keyOrigin: string;
  readonly role: TlsRole;
  readonly now: number;
}

/**
 * Puts a certificate chain and its key together.
 *
 * @throws MaterialError when they are no pair, or the leaf is not valid now
 */
export function ownIdentity(input: IdentityInput): OwnIdentity {
  const { chain, chainOrigin, key, role, now } = input;
  const leaf = chain.find((certificate) => certificate.checkPrivateKey(key.key));
  if (leaf === undefined || leaf !== chain[0]) throw mismatch(input, leaf);
  const problem = checkValidity(leaf, now);
  if (problem !== undefined) throw invalid(chainOrigin, problem);
  return {
    leaf,
    chain,
    keyPem: key.pem,
    notAfterMs: Math.min(...chain.map((certificate) => validityOf(certificate).notAfterMs)),
    warnings: [...chainWarnings(chain, now), ...usageWarnings(leaf, role)],
  };
}

/** OpenSSL takes the first certificate for the leaf: a chain in another order is to it a key that does not match. */
function mismatch(input: IdentityInput, leaf: X509Certificate | undefined): MaterialError {
  const { chain, chainOrigin, keyOrigin } = input;
  if (leaf !== undefined) {
    const found = `the leaf as certificate ${chain.indexOf(leaf) + 1} of ${chain.length}`;
    return invalid(chainOrigin, `expected the leaf first and its issuers after it, found ${found}`);
  }
  const subjects = chain.slice(0, 1).map((certificate) => ` (${subjectOf(certificate)})`);
  return invalid(keyOrigin, `expected the key of the certificate in ${chainOrigin}${subjects.join('')}, found another`);
}

/** Warnings, as peers may well find their own way to an authority. */
function chainWarnings(chain: readonly X509Certificate[], now: number): readonly string[] {
  return chain.slice(1).flatMap((issuer, index) => {
    const problem = checkValidity(issuer, now);
    const order = `expected each certificate to be followed by its issuer, found that number ${index + 2} is not the issuer of number ${index + 1}`;
    return [
      ...(problem === undefined ? [] : [problem]),
      ...(chain[index]?.checkIssued(issuer) === false ? [order] : []),
    ];
  });
}

const USAGES = {
  server: { oid: '1.3.6.1.5.5.7.3.1', name: 'serverAuth' },
  client: { oid: '1.3.6.1.5.5.7.3.2', name: 'clientAuth' },
} as const;
const ANY_USAGE = '2.5.29.37.0';

/** A warning, as it is the peer that decides; without the extension every usage is allowed (RFC 5280, 4.2.1.12). */
function usageWarnings(leaf: X509Certificate, role: TlsRole): readonly string[] {
  // These are the extended key usages; undefined without the extension, whatever the type says.
  const usages = leaf.keyUsage as readonly string[] | undefined;
  const wanted = USAGES[role];
  if (usages === undefined || usages.includes(wanted.oid) || usages.includes(ANY_USAGE)) return [];
  const found = usages.map((oid) => Object.values(USAGES).find((usage) => usage.oid === oid)?.name ?? oid);
  const expected = `expected ${wanted.name} among the extended key usages of a ${role}`;
  return [`${expected}, found ${found.join(', ')}: peers may refuse it`];
}
