import { isIPv6 } from 'node:net';
import type { ServiceStatus } from './status.ts';

/** By the address of a candidate: where clients on this machine reach it. */
export type NatMap = Readonly<Record<string, { readonly host: string; readonly port: number }>>;

/**
 * What a client of Redis Cluster takes as its `natMap`: listener n carries to candidate n. A candidate without a listener that
 * listens on TCP is left out.
 */
export function natMapOf({ listeners, candidates }: Pick<ServiceStatus, 'listeners' | 'candidates'>): NatMap {
  const entries = listeners.flatMap(({ status }, index) => {
    const candidate = candidates[index];
    if (candidate === undefined || status.phase !== 'listening' || status.address.kind !== 'tcp') return [];
    const { host, port } = status.address;
    return [[candidate, { host: onThisMachine(host), port }] as const];
  });
  return Object.fromEntries(entries);
}

function onThisMachine(host: string): string {
  if (host === '' || host === '0.0.0.0') return '127.0.0.1';
  return isIPv6(host) && /^[0:]+$/.test(host) ? '::1' : host;
}
