import type { Address } from '../core/address.ts';
import type { HealthCheck } from '../core/health-check.ts';
import { bannerProtocol } from './banner.ts';
import { httpProtocol } from './http.ts';
import { postgresProtocol } from './postgres.ts';
import { redisProtocol } from './redis.ts';
import type { CheckProtocol } from './check-protocol.ts';

/** @returns undefined: to have reached it is enough */
export function protocolFor(check: HealthCheck, candidate: Address): CheckProtocol | undefined {
  switch (check.kind) {
    case 'tcp':
    case 'tls':
      return bannerProtocol(check);
    case 'redis':
    case 'redis-primary':
    case 'redis-replica':
      return redisProtocol(check);
    case 'postgres':
      return postgresProtocol;
    case 'http':
      return httpProtocol(check, candidate);
  }
}

/** Where a candidate is asked: elsewhere than it is dialed where the check says so. */
export function placeFor(check: HealthCheck, candidate: Address): Address {
  if (check.kind !== 'http') return candidate;
  const { host, port } = check;
  if (candidate.kind === 'tcp') return { kind: 'tcp', host: host ?? candidate.host, port: port ?? candidate.port };
  // A Unix socket has neither: what is not said is its machine, or the socket itself.
  if (host === undefined && port === undefined) return candidate;
  return { kind: 'tcp', host: host ?? '127.0.0.1', port: port ?? (check.isSecure ? 443 : 80) };
}
