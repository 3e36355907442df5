import { formatAddress, type Address } from '../core/address.ts';
import { listenHinted } from '../core/errno-hint.ts';
import type { Resolver } from '../core/resolver.ts';
import type { Config } from '../config/config.ts';
import type { Logger } from 'pino';
import type { MissingAddress } from '../transport/listen-all.ts';
import type { Ambassador } from './ambassador.ts';
import type { Extension } from './extension.ts';
import type { Observability } from './observability.ts';
import { actionsOf, type Origins } from './operator-actions.ts';
import type { StateChanges } from './state-changes.ts';

export interface ServerParts {
  readonly config: Config;
  readonly logger: Logger;
  readonly observability: Observability;
  readonly resolver: Resolver;
  readonly states: StateChanges;
  readonly origins: Origins;
}

/** The HTTP servers, loaded while the services already begin to listen. */
export async function serversOf(ambassador: Ambassador, parts: ServerParts): Promise<readonly Extension[]> {
  const { config, logger, observability, resolver } = parts;
  const { httpAddress, adminAddress, probeAddress, readyMinCandidates: minCandidates } = config;
  const shared = (server: string, address: Address) => {
    let lastErrno: string | undefined;
    return {
      address,
      resolver,
      onListening: (bound: readonly [Address, ...Address[]], missing: readonly MissingAddress[]) => {
        const all = bound.length > 1 ? { addresses: bound.map(formatAddress) } : {};
        logger.info({ server, address: formatAddress(bound[0]), ...all }, 'HTTP server listening');
        for (const { address: lacking, errno } of missing)
          logger.warn({ server, address: formatAddress(lacking), errno }, 'address skipped: not on this machine');
      },
      socketMode: server === 'admin' ? config.adminSocketMode : config.socketMode,
      onListenFailed: (errno: string, retryInMs: number) => {
        const where = { server, address: formatAddress(address) };
        const fields = { ...where, errno, ...listenHinted(errno), retryInMs: Math.round(retryInMs) };
        // The first failure is news; that it is still so is not.
        if (errno === lastErrno) logger.debug(fields, 'HTTP server not listening');
        else logger.error(fields, 'HTTP server not listening');
        lastErrno = errno;
      },
      onError: (error: unknown) => ambassador.report({ type: 'internal-error', where: `${server} server`, error }),
    };
  };
  const http = httpAddress && observability.httpServer(ambassador, shared('health', httpAddress));
  const admin =
    adminAddress &&
    import('../admin/server.ts').then(({ adminServer }) =>
      adminServer({ ...shared('admin', adminAddress), actions: actionsOf(ambassador, parts) }),
    );
  const probe =
    probeAddress &&
    import('../admin/server.ts').then(({ healthServer }) =>
      healthServer({ ...shared('probe', probeAddress), status: () => ambassador.status, minCandidates }),
    );
  return Promise.all([http, admin, probe].filter((server) => server !== undefined));
}
