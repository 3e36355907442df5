import { hinted } from '../core/errno-hint.ts';
import { turnedAway } from '../core/close-reason.ts';
import type { ConnectionClosedEvent, Observer } from '../core/observer.ts';
import { cleanLine } from './clean-line.ts';
import type { Log } from './logger.ts';
import { timestamp } from './timestamp.ts';

/** One line for each connection that ended: at level warn where its client was turned away, otherwise at info. */
export function accessLog(log: Log): Observer {
  const texts = new Texts();
  return (event) => {
    if (event.type !== 'connection-closed') return;
    const level = turnedAway.has(event.reason) ? 'warn' : 'info';
    if (!log.logger.isLevelEnabled(level)) return;
    if (isUsual(event)) log.write(usualLine(event, { texts, level }));
    else log.logger[level](accessFields(event), 'connection closed');
  };
}

/** Plain, and carried by the first candidate that was tried: nothing a peer says of itself is in its line. */
function isUsual({ via, tls, attempts }: ConnectionClosedEvent): boolean {
  return via === undefined && tls === undefined && (attempts.length === 0 || isOneGood(attempts));
}

function isOneGood(attempts: ConnectionClosedEvent['attempts']): boolean {
  return attempts.length === 1 && attempts[0]?.outcome === 'ok';
}

/** What pino would write, for a third of its cost: there is one such line for every connection. */
function usualLine(
  event: ConnectionClosedEvent,
  { texts, level }: { readonly texts: Texts; readonly level: string },
): string {
  const { service, id, client, candidate, bytesToCandidate, bytesToClient, endedBy, reason } = event;
  const carrier = candidate === undefined ? '' : `,"candidate":${texts.of(candidate)}`;
  return (
    `{"level":"${level}"${timestamp()},"service":${texts.of(service)},"id":${id},"client":"${client}"${carrier}` +
    `,"bytesToCandidate":${bytesToCandidate},"bytesToClient":${bytesToClient},"dialMs":${hundredths(event.dialMs)}` +
    `,"totalMs":${hundredths(event.totalMs)},"endedBy":"${endedBy}","reason":"${reason}","msg":"connection closed"}\n`
  );
}

const MAX_TEXTS = 1_000;

/** Names of services and candidates as JSON, clean. */
class Texts {
  readonly #known = new Map<string, string>();

  of(text: string): string {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    // A registry can name ever new candidates.
    if (this.#known.size >= MAX_TEXTS) this.#known.clear();
    const json = cleanLine(JSON.stringify(text));
    this.#known.set(text, json);
    return json;
  }
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
    ...(event.unclean === true && { unclean: true }),
    bytesToCandidate,
    bytesToClient,
    dialMs: hundredths(event.dialMs),
    totalMs: hundredths(event.totalMs),
    endedBy,
    reason,
  };
  if (attempts.length === 0 || isOneGood(attempts)) return fields;
  return {
    ...fields,
    tried: attempts.length,
    attempts: attempts.slice(0, MAX_ATTEMPTS).map(({ ms, ...attempt }) => ({
      ...attempt,
      ...hinted(attempt.outcome),
      ms: hundredths(ms),
    })),
  };
}

/** A service of hundreds of dead candidates must not make a line of hundreds of attempts; `tried` has their number. */
const MAX_ATTEMPTS = 10;

function hundredths(ms: number): number {
  return Math.round(ms * 100) / 100;
}
