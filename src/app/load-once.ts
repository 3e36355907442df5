import type { LookupFunction } from 'node:net';
import type { ServiceConfig } from '../config/config.ts';
import { AttacheError } from '../core/errors.ts';
import type { TlsDialSettings } from '../transport/engine.ts';
import { ServiceIdentity, type ActiveTls } from './service-identity.ts';

/** The result of reading certificates once; `stop` ends the rest of the loading. */
export type LoadedIdentity = (
  | { readonly outcome: 'loaded' | 'unavailable'; readonly says: string; readonly dialing: TlsDialSettings | undefined }
  /** They were read, and are no good. */
  | { readonly outcome: 'unusable'; readonly faults: readonly string[]; readonly dialing?: undefined }
) & { readonly stop: () => Promise<void> };

/** Reads the certificates of a service from wherever they are, S3 included. Never rejects. */
export async function loadOnce(
  service: ServiceConfig,
  tls: ActiveTls,
  lookup: LookupFunction,
): Promise<LoadedIdentity> {
  const identity = new ServiceIdentity(service, tls, { observer: () => undefined, lookup });
  const stop = () => identity.stop();
  const { dialing } = identity;
  const loading = identity.load();
  // It may go on to try, and be stopped.
  loading.catch(() => undefined);
  try {
    await Promise.race([loading, identity.troubled]);
  } catch (error) {
    if (!(error instanceof AttacheError)) throw error;
    return { outcome: 'unusable', faults: error.message.split('\n'), stop };
  }
  const { status, error, notAfterMs, certificate } = identity.status;
  if (status === 'loading') {
    return { outcome: 'unavailable', says: error?.replaceAll('\n', '; ') ?? 'no answer', dialing, stop };
  }
  const until = notAfterMs === undefined ? '' : `, until ${new Date(notAfterMs).toISOString().slice(0, 10)}`;
  return { outcome: 'loaded', says: `${certificate?.subject ?? 'CA certificates'}${until}`, dialing, stop };
}
