import type { TcpAddress } from '../core/address.ts';
import type { Running } from './build-service.ts';

/** Whether a service serves: it listens, if it is to, and its first candidate is not drained, and healthy, if it is asked. */
export function fitness({ config, service: { status } }: Running): 'fit' | 'unfit' | 'unknown' {
  const { listeners, candidates, candidateStates, drained, known } = status;
  if (config.listeners.length > 0 && !listeners.some((one) => one.status.phase === 'listening')) return 'unfit';
  const [first] = candidates;
  if (first === undefined) return known ? 'unfit' : 'unknown';
  // An operator wants it to get nobody new: nobody is to be sent here either.
  if (drained.includes(first)) return 'unfit';
  if (config.health === undefined) return 'fit';
  // Missing, too, before its first check.
  const state = candidateStates.find(({ key }) => key === first)?.health?.state ?? 'unknown';
  return state === 'healthy' ? 'fit' : state === 'unhealthy' ? 'unfit' : 'unknown';
}

/** What others are to dial; undefined while that is not known. @param host of this machine */
export function registrationPlace({ config, service: { status } }: Running, host: string): TcpAddress | undefined {
  const port = config.register?.address?.port ?? listeningPort(status.listeners) ?? serverPort(config);
  return port === undefined ? undefined : { kind: 'tcp', host, port };
}

function listeningPort(listeners: Running['service']['status']['listeners']): number | undefined {
  for (const { status } of listeners) {
    if (status.phase === 'listening' && status.address.kind === 'tcp') return status.address.port;
  }
  return undefined;
}

/** Of a service that only registers: that of the server itself. */
function serverPort({ listeners, candidates }: Running['config']): number | undefined {
  if (listeners.length > 0 || candidates.kind !== 'static') return undefined;
  const [first] = candidates.addresses;
  return first?.kind === 'tcp' ? first.port : undefined;
}
