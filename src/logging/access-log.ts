import type { Logger } from 'pino';
import type { ConnectionClosedEvent, Observer } from '../core/observer.ts';

/** One line at level info for each connection that ended. Every other event is passed over. */
export function accessLog(logger: Logger): Observer {
  return (event) => {
    if (event.type !== 'connection-closed' || !logger.isLevelEnabled('info')) return;
    logger.info(accessFields(event), 'connection closed');
  };
}

function accessFields(event: ConnectionClosedEvent): object {
  const { service, id, client, via, candidate, bytesToCandidate, bytesToClient, endedBy, reason, attempts } = event;
  const fields = {
    service,
    id,
    client,
    ...(via !== undefined && { via }),
    candidate,
    ...(event.tls && { tlsPeer: event.tls.peer, tlsVersion: event.tls.version, tlsResumed: event.tls.resumed }),
    bytesToCandidate,
    bytesToClient,
    dialMs: hundredths(event.dialMs),
    totalMs: hundredths(event.totalMs),
    endedBy,
    reason,
  };
  if (attempts.length === 0 || (attempts.length === 1 && attempts[0]?.outcome === 'ok')) return fields;
  return {
    ...fields,
    tried: attempts.length,
    attempts: attempts.slice(0, MAX_ATTEMPTS).map(({ ms, ...attempt }) => ({ ...attempt, ms: hundredths(ms) })),
  };
}

/** A service of hundreds of dead candidates must not make a line of hundreds of attempts; `tried` has their number. */
const MAX_ATTEMPTS = 10;

function hundredths(ms: number): number {
  return Math.round(ms * 100) / 100;
}
