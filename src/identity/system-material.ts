import { contextOptionsOf } from './context-options.ts';
import type { TlsMaterial } from './material.ts';

let material: TlsMaterial | undefined;

/** What trusts the authorities that Node comes with, those of `NODE_EXTRA_CA_CERTS` among them, and shows no certificate. */
export function systemMaterial(): TlsMaterial {
  return (material ??= make());
}

function make(): TlsMaterial {
  const fingerprint = 'system';
  const options = contextOptionsOf({ purpose: { role: 'client', minVersion: 'TLSv1.2' }, pem: {}, fingerprint });
  return Object.freeze({
    role: 'client',
    // Loaded for a check by https alone: services without TLS need not wait for OpenSSL, nor keep it in memory.
    secureContext: process.getBuiltinModule('node:tls').createSecureContext(options),
    contextOptions: options,
    leaf: undefined,
    notAfterMs: undefined,
    fingerprint,
    warnings: [],
  });
}
