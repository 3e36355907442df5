/** Which side ended a connection. */
export type EndedBy = 'client' | 'candidate' | 'attache';

/**
 * Why a connection ended: the closed list that the access log and the metrics use.
 *
 * | reason | meaning |
 * | --- | --- |
 * | `finished` | both sides finished their direction; nothing was lost |
 * | `client_reset` / `candidate_reset` | that side sent RST (ECONNRESET, EPIPE) |
 * | `client_error` / `candidate_error` | that side failed otherwise (time-out of keep-alive, ...) |
 * | `client_truncated` / `candidate_truncated` | with `TLS_STRICT_CLOSE`: that side closed TCP without the close_notify of TLS; the other was reset |
 * | `proxy_header_invalid` | the client sent no PROXY header, or one that breaks the rules; nothing was dialed |
 * | `proxy_header_timeout` | its PROXY header was not whole within `CONNECT_TIMEOUT`; nothing was dialed |
 * | `tls_handshake_failed` | the client's TLS handshake failed, or took longer than `CONNECT_TIMEOUT`; nothing was dialed |
 * | `tls_peer_refused` | the client showed no certificate, or none that is good or allowed; nothing was dialed |
 * | `loop` | the client is a dial of this process that has come in by this listener before; nothing was dialed |
 * | `client_gone` | the client left before a candidate answered, or before its first byte of TLS; a dial was aborted |
 * | `no_candidates` | the candidate set was empty |
 * | `no_healthy_candidate` | none of the candidates has the role that `HEALTH_CHECK` asks for; nothing was dialed |
 * | `no_candidate_answered` | every candidate that may be tried was tried |
 * | `too_many_dials` | its turn to dial did not come within `CONNECT_TIMEOUT`: too many dials of the service were under way |
 * | `hold_timeout` | no candidate answered for `HOLD_TIMEOUT` |
 * | `hold_queue_full` | no candidate answered, and too many clients were held already |
 * | `max_connections` | refused: the service was full |
 * | `out_of_resources` | refused or given up: this process or machine is out of descriptors, or of memory for sockets |
 * | `out_of_memory` | refused: the process has no memory for another connection (`MAX_MEMORY`, its container's limit, or its heap's) |
 * | `idle_timeout` | no byte either way for `IDLE_TIMEOUT` |
 * | `half_close_timeout` | no byte in the open direction for `HALF_CLOSE_TIMEOUT` after the other had finished |
 * | `max_lifetime` | `MAX_LIFETIME`, give or take 10%, is over: by FIN when nothing was under way, otherwise by RST |
 * | `membership_changed` | reset because the candidate set changed (`ON_CHANGE`) |
 * | `candidate_unhealthy` | reset because a check found its candidate unhealthy (`ON_UNHEALTHY`) |
 * | `drain_timeout` | its candidate left, or turned unhealthy, and `ON_CHANGE_TIMEOUT` ran out |
 * | `shutdown` | cut at `SHUTDOWN_TIMEOUT`, or on the second signal |
 * | `internal_error` | a bug; reported separately |
 */
export const closeReasons = [
  'finished',
  'client_reset',
  'candidate_reset',
  'client_error',
  'candidate_error',
  'client_truncated',
  'candidate_truncated',
  'proxy_header_invalid',
  'proxy_header_timeout',
  'tls_handshake_failed',
  'tls_peer_refused',
  'loop',
  'client_gone',
  'no_candidates',
  'no_healthy_candidate',
  'no_candidate_answered',
  'too_many_dials',
  'hold_timeout',
  'hold_queue_full',
  'max_connections',
  'out_of_resources',
  'out_of_memory',
  'idle_timeout',
  'half_close_timeout',
  'max_lifetime',
  'membership_changed',
  'candidate_unhealthy',
  'drain_timeout',
  'shutdown',
  'internal_error',
] as const;

/** Ends that somebody meant. */
export const routineEnds: ReadonlySet<CloseReason> = new Set<CloseReason>(['finished', 'idle_timeout', 'max_lifetime']);

/** Ends of clients that were not served for a reason on this side: what an operator has to look at. */
export const turnedAway: ReadonlySet<CloseReason> = new Set<CloseReason>([
  'no_candidates',
  'no_candidate_answered',
  'loop',
  'too_many_dials',
  'hold_timeout',
  'hold_queue_full',
  'max_connections',
  'out_of_resources',
  'out_of_memory',
  'internal_error',
]);

/** One of {@link closeReasons}. */
export type CloseReason = (typeof closeReasons)[number];
