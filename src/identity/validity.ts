import type { X509Certificate } from 'node:crypto';
import { subjectOf, validityOf } from './certificate-facts.ts';

/** What is wrong with a certificate's time, as a whole sentence; undefined when it is valid now. */
export function checkValidity(certificate: X509Certificate, now: number): string | undefined {
  const { notBeforeMs, notAfterMs } = validityOf(certificate);
  const found = (what: string): string =>
    `expected a certificate that is valid now (${utc(now)}), found ${what} (${subjectOf(certificate)})`;
  if (Number.isNaN(notBeforeMs) || Number.isNaN(notAfterMs)) return found('one without readable dates');
  if (now > notAfterMs) return found(`one that expired at ${utc(notAfterMs)}`);
  if (now < notBeforeMs) return found(`one that is valid only from ${utc(notBeforeMs)} on`);
  return undefined;
}

function utc(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
