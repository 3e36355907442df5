import type { X509Certificate } from 'node:crypto';
import { certificateNames } from './certificate-names.ts';
import type { CertificateFacts } from './material.ts';

const MAX_SUBJECT = 200;

export function certificateFacts(certificate: X509Certificate): CertificateFacts {
  return Object.freeze({
    subject: subjectOf(certificate),
    names: certificateNames(certificate),
    serial: certificate.serialNumber,
    ...validityOf(certificate),
  });
}

/** On one line; Node has escaped control characters in it already. */
export function subjectOf(certificate: X509Certificate): string {
  const subject = certificate.subject.replaceAll('\n', ', ');
  return subject.length > MAX_SUBJECT ? `${subject.slice(0, MAX_SUBJECT)}...` : subject;
}

export function validityOf(certificate: X509Certificate): {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
} {
  return { notBeforeMs: Date.parse(certificate.validFrom), notAfterMs: Date.parse(certificate.validTo) };
}
