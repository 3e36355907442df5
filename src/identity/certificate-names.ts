import type { X509Certificate } from 'node:crypto';
import { canonicalIp } from '../core/peer-rule.ts';
import type { AlternativeNames, CertificateNames } from './material.ts';

/**
 * One entry of the list that Node makes of subject alternative names. A value with any character that could forge an
 * entry is quoted, as a JSON string, since CVE-2021-44532; nothing else may hold a comma, a quote or a backslash.
 */
const ENTRY = /(?:^|, )([A-Za-z][A-Za-z0-9 ]*):(?:("(?:[^"\\]|\\.)*")|([^",\\]*))(?=, |$)/y;

/** Its subject alternative names and its common name. */
export function certificateNames(certificate: X509Certificate): CertificateNames {
  return Object.freeze({ ...alternativeNames(certificate), commonName: commonName(certificate) });
}

/**
 * The names that a certificate is for. What cannot be read beyond doubt is no name at all, so that it lets nobody in: a
 * list with an entry that is not as Node writes it gives none.
 */
export function alternativeNames(certificate: X509Certificate): AlternativeNames {
  const entries = readEntries(certificate.subjectAltName);
  const of = (type: string): readonly string[] => entries.filter((entry) => entry.type === type).map((e) => e.value);
  return Object.freeze({
    dns: Object.freeze(of('DNS').filter(isPlain)),
    uris: Object.freeze(of('URI').filter(isPlain)),
    ips: Object.freeze(of('IP Address').flatMap((text) => canonicalIp(text) ?? [])),
  });
}

/** The one common name of the subject. Costly, so only for those who ask for it. */
export function commonName(certificate: X509Certificate): string | undefined {
  const { subject } = certificate.toLegacyObject() as { readonly subject?: { readonly CN?: unknown } | null };
  const name = subject?.CN;
  // eslint-disable-next-line no-control-regex -- control characters are what is being refused
  return typeof name === 'string' && name !== '' && !/[\u0000-\u001f\u007f]/.test(name) ? name : undefined;
}

interface Entry {
  readonly type: string;
  readonly value: string;
}

function readEntries(list: string | undefined): readonly Entry[] {
  if (list === undefined || list === '') return [];
  const entries: Entry[] = [];
  ENTRY.lastIndex = 0;
  while (ENTRY.lastIndex < list.length) {
    const [, type = '', quoted, plain = ''] = ENTRY.exec(list) ?? [];
    if (type === '') return [];
    const value = quoted === undefined ? plain : unquote(quoted);
    if (value === undefined) return [];
    entries.push({ type, value });
  }
  return entries;
}

function unquote(quoted: string): string | undefined {
  try {
    const value: unknown = JSON.parse(quoted);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

/** DNS names and URIs are ASCII in certificates; a NUL in one once ended a name early for those who read C strings. */
function isPlain(name: string): boolean {
  return /^[\u0021-\u007e]+$/.test(name);
}
