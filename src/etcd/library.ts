import type * as Cockatiel from 'cockatiel';
import type * as Etcd from 'etcd3';
import { missingFor } from '../core/optional-packages.ts';
import { EtcdFault } from './fault.ts';

/** The packages behind discovery in etcd. */
export interface EtcdLibrary {
  readonly Etcd3: typeof Etcd.Etcd3;
  readonly isUnauthenticated: (error: unknown) => boolean;
  readonly isAuthNotEnabled: (error: unknown) => boolean;
  /** The policy that does nothing: no retry, no circuit breaker. */
  readonly noop: typeof Cockatiel.noop;
}

let loading: Promise<EtcdLibrary> | undefined;

/**
 * Loads the client when a service needs it: it costs 100-200 ms and some 30 MB, which a sidecar with static
 * candidates does not pay.
 *
 * @throws EtcdFault `PACKAGE_MISSING` when it is not installed
 */
export function loadEtcdLibrary(): Promise<EtcdLibrary> {
  loading ??= load().catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function load(): Promise<EtcdLibrary> {
  const missing = missingFor('etcd');
  if (missing !== undefined) throw new EtcdFault('PACKAGE_MISSING', `etcd ${missing}`, { code: 'config_invalid' });
  const restore = quietByDefault();
  try {
    const [etcd, { noop }] = await Promise.all([import('etcd3'), import('cockatiel')]);
    const { Etcd3, GRPCUnauthenticatedError, GRPCFailedPreconditionError } = etcd;
    return {
      Etcd3,
      isUnauthenticated: (error) => error instanceof GRPCUnauthenticatedError,
      isAuthNotEnabled: (error) => error instanceof GRPCFailedPreconditionError,
      noop,
    };
  } finally {
    restore();
  }
}

/**
 * grpc-js prints its complaints to stderr, between the JSON lines of our log, though each fault it complains of
 * reaches us as an error. It reads its verbosity from the environment once, when it is loaded: so it is told to keep
 * silent for that moment, unless somebody asked to hear it or loaded it before us.
 */
function quietByDefault(): () => void {
  const { env } = process;
  if (env['GRPC_NODE_VERBOSITY'] !== undefined || env['GRPC_VERBOSITY'] !== undefined) return () => undefined;
  env['GRPC_NODE_VERBOSITY'] = 'NONE';
  return () => delete env['GRPC_NODE_VERBOSITY'];
}
