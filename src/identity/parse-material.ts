import { createSecureContext, type SecureContext } from 'node:tls';
import { errnoOf } from '../core/errors.ts';
import type { PartName } from '../core/material-origin.ts';
import { readAuthorities } from './authorities.ts';
import { certificateFacts } from './certificate-facts.ts';
import { readCertificates } from './certificates.ts';
import type { CertificateFacts, ContextOptions, MaterialPurpose, TlsMaterial, TlsRole } from './material.ts';
import { FaultCollector, invalid } from './material-error.ts';
import { ownIdentity, type OwnIdentity } from './own-identity.ts';
import { fingerprintOf, type MaterialPart, type MaterialParts } from './parts.ts';
import { readPrivateKey } from './private-key.ts';
import { contextOptionsOf } from './context-options.ts';

export interface ParseMaterialOptions {
  readonly purpose: MaterialPurpose;
  readonly parts: MaterialParts;
  /** `Date.now()`, replaced in tests. */
  readonly now?: number;
}

/**
 * Checks a set of PEM texts as a whole, and turns them into what TLS needs. The server role needs `cert` and `key`, and `ca`
 * when clients must show a certificate. In the client role `cert` and `key` go together, and without `ca` the roots
 * that Node trusts are used.
 *
 * @throws MaterialError `tls_material_invalid` with every fault
 */
export function parseMaterial({ purpose, parts, now = Date.now() }: ParseMaterialOptions): TlsMaterial {
  const { role } = purpose;
  const { ca, cert, key } = parts;
  const faults = new FaultCollector();
  for (const missing of missingParts(purpose, parts)) faults.add(missing);
  const authorities = ca && faults.attempt(() => readAuthorities(ca, now));
  const own = cert && key && readOwn({ cert, key, role, now }, faults);
  faults.throwIfAny();
  const fingerprint = fingerprintOf(parts);
  const pem = {
    ...(authorities && { ca: authorities.certificates.join('') }),
    ...(own && { cert: own.chain.join(''), key: own.keyPem }),
  };
  const contextOptions = contextOptionsOf({ purpose, pem, fingerprint });
  return new Material({
    role,
    fingerprint,
    contextOptions,
    secureContext: accepted(() => createSecureContext(contextOptions), cert ?? ca),
    leaf: own && certificateFacts(own.leaf),
    notAfterMs: own?.notAfterMs,
    warnings: [...said(ca, authorities?.warnings), ...said(cert, own?.warnings)],
  });
}

/** The text of the key and the context are in private fields: no log that is given the material shows either. */
class Material implements TlsMaterial {
  readonly role: TlsRole;
  readonly leaf: CertificateFacts | undefined;
  readonly notAfterMs: number | undefined;
  readonly fingerprint: string;
  readonly warnings: readonly string[];
  readonly #secureContext: SecureContext;
  readonly #contextOptions: ContextOptions;

  constructor(values: TlsMaterial) {
    this.role = values.role;
    this.leaf = values.leaf;
    this.notAfterMs = values.notAfterMs;
    this.fingerprint = values.fingerprint;
    this.warnings = Object.freeze([...values.warnings]);
    this.#secureContext = values.secureContext;
    this.#contextOptions = Object.freeze({ ...values.contextOptions });
    Object.freeze(this);
  }

  get contextOptions(): ContextOptions {
    return this.#contextOptions;
  }

  get secureContext(): SecureContext {
    return this.#secureContext;
  }
}

function missingParts(purpose: MaterialPurpose, parts: MaterialParts): readonly Error[] {
  const { cert, key } = parts;
  if (purpose.role === 'server') {
    const required: readonly PartName[] = purpose.clientAuth === 'require' ? ['ca', 'cert', 'key'] : ['cert', 'key'];
    const missing = required.filter((name) => parts[name] === undefined);
    return missing.map((name) => invalid(name, 'expected one in the server role, found none'));
  }
  if (cert && !key) return [invalid('key', `expected the key of ${cert.origin}, found none`)];
  if (key && !cert) return [invalid('cert', `expected the certificate of ${key.origin}, found none`)];
  return [];
}

interface OwnParts {
  readonly cert: MaterialPart;
  readonly key: MaterialPart;
  readonly role: TlsRole;
  readonly now: number;
}

function readOwn({ cert, key, role, now }: OwnParts, faults: FaultCollector): OwnIdentity | undefined {
  const chain = faults.attempt(() => readCertificates(cert));
  const privateKey = faults.attempt(() => readPrivateKey(key));
  if (chain === undefined || privateKey === undefined) return undefined;
  const input = { chain, chainOrigin: cert.origin, key: privateKey, keyOrigin: key.origin, role, now };
  return faults.attempt(() => ownIdentity(input));
}

/** What nothing before has found wrong OpenSSL may: a key too short, a digest too weak. Only its code is shown. */
function accepted(make: () => SecureContext, part: MaterialPart | undefined): SecureContext {
  try {
    return make();
  } catch (error) {
    throw invalid(
      part?.origin ?? 'TLS',
      `expected material that OpenSSL accepts, found that OpenSSL says ${errnoOf(error)}`,
    );
  }
}

function said(part: MaterialPart | undefined, warnings: readonly string[] = []): readonly string[] {
  return warnings.map((warning) => `${part?.origin ?? ''}: ${warning}`);
}
