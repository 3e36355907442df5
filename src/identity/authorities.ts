import type { X509Certificate } from 'node:crypto';
import { subjectOf } from './certificate-facts.ts';
import { readCertificates } from './certificates.ts';
import { invalid } from './material-error.ts';
import type { MaterialPart } from './parts.ts';
import { checkValidity } from './validity.ts';

export interface Authorities {
  readonly certificates: readonly X509Certificate[];
  readonly warnings: readonly string[];
}

/**
 * The CA certificates that peers are verified against. Node itself takes a CA file that holds a key and no certificate,
 * and then verifies against nothing. One that has expired among good ones is usual in bundles.
 *
 * @throws MaterialError
 */
export function readAuthorities(part: MaterialPart, now: number): Authorities {
  const certificates = readCertificates(part);
  const problems = certificates.map((certificate) => checkValidity(certificate, now));
  const [first] = problems;
  if (first !== undefined && !problems.includes(undefined)) throw invalid(part.origin, first);
  const others = certificates.filter(isOther).map((certificate) => {
    return `expected certificates of authorities, found one that is not an authority (${subjectOf(certificate)})`;
  });
  return { certificates, warnings: [...problems.filter((problem) => problem !== undefined), ...others] };
}

/** A certificate that signed itself is an authority for itself, whatever it says. */
function isOther(certificate: X509Certificate): boolean {
  return !certificate.ca && certificate.subject !== certificate.issuer;
}
