import { readFileSync } from 'node:fs';
import type { TlsMaterial } from '../../identity/material.ts';
import { nodeTls } from '../node/node-tls.ts';
import type { NativeAddon, TlsContext } from './bindings.ts';

export interface ContextOfOptions {
  readonly addon: NativeAddon;
  readonly material: TlsMaterial;
  /** Of a server: whether clients must show a certificate. */
  readonly asksClients: boolean;
}

const contexts = new WeakMap<TlsMaterial, TlsContext>();

/** What the thread makes of material, made once: new material is a new context, and the sessions of the old one end with it. */
export function contextOf({ addon, material, asksClients }: ContextOfOptions): TlsContext {
  const known = contexts.get(material);
  if (known !== undefined) return known;
  const { ca, cert, key, ciphers = '', minVersion } = material.contextOptions;
  const isServer = material.role === 'server';
  const names = ciphers.split(':');
  const context = addon.context({
    isServer,
    asksClients,
    isModern: minVersion === 'TLSv1.3',
    chain: cert,
    key,
    authorities: ca ?? (isServer ? undefined : trustedRoots()),
    ciphers: names.filter((name) => !isModern(name)).join(':'),
    suites: names.filter(isModern).join(':'),
    fingerprint: material.fingerprint,
  });
  contexts.set(material, context);
  return context;
}

/** Suites of TLS 1.3 have a list of their own. */
function isModern(name: string): boolean {
  return name.startsWith('TLS_');
}

/** Whom Node trusts. Its newer versions tell; the older ones have a list, and a file that is named beside it. */
function trustedRoots(): string {
  const { getCACertificates, rootCertificates } = nodeTls() as ReturnType<typeof nodeTls> & {
    getCACertificates?: (kind: 'default') => readonly string[];
  };
  if (getCACertificates !== undefined) return getCACertificates('default').join('\n');
  return [...rootCertificates, ...extraRoots()].join('\n');
}

/** One that cannot be read Node warns of, and goes on without. */
function extraRoots(): readonly string[] {
  const path = process.env['NODE_EXTRA_CA_CERTS'] ?? '';
  if (path === '') return [];
  try {
    return [readFileSync(path, 'utf8')];
  } catch {
    return [];
  }
}
