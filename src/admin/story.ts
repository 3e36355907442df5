import { explained } from '../core/errno-hint.ts';
import { routineEnds, type CloseReason, type EndedBy } from '../core/close-reason.ts';
import type { ConnectionTls, DialAttempt } from '../core/observer.ts';
import type { OpenConnection } from '../core/open-connection.ts';
import { visible } from '../core/visible.ts';
import type { FinishedConnection } from './recorder.ts';

/** The life of one connection, for people and for programs. */
export interface Story {
  /** Short English. */
  readonly story: string;
  /** `finished`: it ended as connections usually do; `failed`: it did not. */
  readonly state: 'open' | 'finished' | 'failed';
  readonly service: string;
  readonly id: number;
  readonly client: string;
  /** Who connected to us, where that is another than the client (PROXY header). */
  readonly via?: string;
  readonly acceptedAt: string;
  readonly closedAt?: string;
  readonly phase?: string;
  readonly candidate?: string;
  readonly tls?: ConnectionTls;
  /** Its TLS peer closed TCP without close_notify. */
  readonly unclean?: true;
  readonly tlsFailure?: NonNullable<FinishedConnection['tlsFailure']>;
  /** How many candidates were tried; `attempts` may leave some of the middle out. */
  readonly tried: number;
  readonly attempts: readonly DialAttempt[];
  readonly bytesToCandidate: number;
  readonly bytesToClient: number;
  readonly dialMs?: number;
  readonly totalMs: number;
  readonly endedBy?: EndedBy;
  readonly reason?: CloseReason;
}

export function finishedStory(connection: FinishedConnection): Story {
  const { closedAtMs, candidate, tls, attempts, totalMs, dialMs, ...facts } = connection;
  const acceptedAtMs = closedAtMs - totalMs;
  const parts = [
    arrival(connection, acceptedAtMs),
    ...tries(attempts, connection.tried),
    ...peer(tls),
    ...tlsTrouble(connection.tlsFailure),
    ...(candidate === undefined ? [] : [moved(connection)]),
    ...(connection.unclean ? ['The TLS peer closed without close_notify.'] : []),
    `It ended after ${span(totalMs)}: ${ending(connection)}`,
  ];
  return {
    story: parts.join(' '),
    state: routineEnds.has(connection.reason) ? 'finished' : 'failed',
    ...facts,
    acceptedAt: new Date(acceptedAtMs).toISOString(),
    closedAt: new Date(closedAtMs).toISOString(),
    ...(candidate === undefined ? {} : { candidate }),
    ...(tls && { tls: shortened(tls) }),
    attempts: attempts.map(rounded),
    dialMs: hundredths(dialMs),
    totalMs: hundredths(totalMs),
  };
}

/** @param now `Date.now()` */
export function openStory(connection: OpenConnection, now: number): Story {
  const { candidate, tls, attempts, ageMs, ...facts } = connection;
  const acceptedAtMs = now - ageMs;
  const carried = attempts.at(-1)?.outcome === 'ok';
  const parts = [
    arrival(connection, acceptedAtMs),
    ...tries(attempts, attempts.length),
    ...peer(tls),
    ...(carried ? [moved(connection)] : []),
    `It has been open for ${span(ageMs)} and is ${progress(connection)}.`,
  ];
  return {
    story: parts.join(' '),
    state: 'open',
    ...facts,
    acceptedAt: new Date(acceptedAtMs).toISOString(),
    ...(candidate === undefined ? {} : { candidate }),
    ...(tls && { tls: shortened(tls) }),
    tried: attempts.length,
    attempts: attempts.map(rounded),
    totalMs: hundredths(ageMs),
  };
}

const WHY: Readonly<Record<CloseReason, string>> = {
  finished: 'both sides finished and nothing was lost.',
  client_reset: 'the client reset it, and so the candidate was reset too.',
  candidate_reset: 'the candidate reset it, and so the client was reset too.',
  client_error: "the client's side failed.",
  candidate_error: "the candidate's side failed.",
  client_truncated: 'the client closed without the close_notify of TLS, and so the candidate was reset.',
  candidate_truncated: 'the candidate closed without the close_notify of TLS, and so the client was reset.',
  proxy_header_invalid: 'the client sent no PROXY header, or one that breaks the rules; no candidate was dialed.',
  proxy_header_timeout: 'the PROXY header of the client was not whole within CONNECT_TIMEOUT; no candidate was dialed.',
  tls_handshake_failed: 'the TLS handshake with the client failed; no candidate was dialed.',
  tls_peer_refused: "the client's certificate is missing, not good or not allowed; no candidate was dialed.",
  loop: 'it led back to the listener that it had come from: a candidate of the service is attache itself.',
  client_gone: 'the client left before a candidate had answered.',
  no_candidates: 'there was no candidate to try.',
  no_healthy_candidate: 'no candidate had the role that HEALTH_CHECK asks for; no candidate was dialed.',
  no_candidate_answered: 'no candidate that may be tried answered.',
  too_many_dials: 'its turn to dial did not come within CONNECT_TIMEOUT: too many dials were under way.',
  hold_timeout: 'no candidate answered for HOLD_TIMEOUT.',
  hold_queue_full: 'no candidate answered, and too many clients were held already.',
  max_connections: 'the service had as many connections as MAX_CONNECTIONS allows.',
  out_of_memory:
    'the process had no memory for another connection (MAX_MEMORY, or the limit of its container or heap).',
  out_of_resources: 'the process had no room for another connection (file descriptors).',
  max_lifetime: 'it had lived as long as MAX_LIFETIME allows.',
  idle_timeout: 'no byte moved either way for IDLE_TIMEOUT.',
  half_close_timeout: 'one side had finished, and the other sent nothing for HALF_CLOSE_TIMEOUT.',
  membership_changed: 'it was reset because the candidates changed (ON_CHANGE).',
  candidate_unhealthy: 'it was reset because a check found its candidate unhealthy (ON_UNHEALTHY).',
  drain_timeout: 'its candidate had left, or turned unhealthy, and ON_CHANGE_TIMEOUT ran out.',
  shutdown: 'it was cut because attache stopped.',
  internal_error: 'a bug in attache.',
};

function ending({ reason, endedBy }: FinishedConnection): string {
  return reason === 'finished' ? `${WHY.finished.slice(0, -1)}; the ${endedBy} finished first.` : WHY[reason];
}

function arrival(connection: Pick<OpenConnection, 'service' | 'id' | 'client' | 'via'>, atMs: number): string {
  const { service, id, client, via } = connection;
  const from = via === undefined ? visible(client) : `${visible(client)} through ${visible(via)}`;
  return `Connection ${id} of service ${visible(service)} came from ${from} at ${new Date(atMs).toISOString()}.`;
}

function tries(attempts: readonly DialAttempt[], tried: number): readonly string[] {
  const told = attempts.map(({ candidate, outcome, ms }) =>
    outcome === 'ok'
      ? `${visible(candidate)} answered after ${span(ms)}.`
      : `${visible(candidate)} failed after ${span(ms)}: ${visible(explained(outcome))}.`,
  );
  const leftOut = tried - attempts.length;
  if (leftOut <= 0) return told;
  const half = told.length / 2;
  return [...told.slice(0, half), `(${leftOut} more failed.)`, ...told.slice(half)];
}

function peer(tls: ConnectionTls | undefined): readonly string[] {
  if (tls === undefined) return [];
  const name = tls.peer === undefined ? 'showed no name' : `was ${visible(tls.peer)}`;
  return [`The TLS peer ${name} (${tls.version}${tls.resumed ? ', resumed' : ''}).`];
}

function tlsTrouble(failure: FinishedConnection['tlsFailure']): readonly string[] {
  if (failure === undefined) return [];
  const { side, code, peer: name } = failure;
  const who = name === undefined ? '' : `, which called itself ${visible(name)},`;
  return [`TLS with the ${side}${who} failed: ${visible(code)}.`];
}

function moved({ bytesToCandidate, bytesToClient }: { bytesToCandidate: number; bytesToClient: number }): string {
  return `${bytesToCandidate} bytes went to the candidate and ${bytesToClient} to the client.`;
}

function progress({ phase, candidate }: OpenConnection): string {
  if (phase === 'relaying') return `carried by ${visible(candidate ?? 'nobody')}`;
  return candidate === undefined ? phase : `${phase} ${visible(candidate)}`;
}

function shortened(tls: ConnectionTls): ConnectionTls {
  return tls.peer === undefined ? tls : { ...tls, peer: visible(tls.peer) };
}

function rounded({ ms, ...attempt }: DialAttempt): DialAttempt {
  return { ...attempt, ms: hundredths(ms) };
}

function hundredths(ms: number): number {
  return Math.round(ms * 100) / 100;
}

function span(ms: number): string {
  return ms < 1_000 ? `${hundredths(ms)} ms` : `${Math.round(ms / 100) / 10} s`;
}
