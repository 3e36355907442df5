import type { CloseReason, EndedBy } from '../core/close-reason.ts';
import type { Rejection } from '../transport/engine.ts';
import type { ConnectionRecord } from './connection-record.ts';

/** How a connection ends whose client was not let in. */
export interface Refusal {
  readonly endedBy: EndedBy;
  readonly reason: CloseReason;
  /** Nobody must take the end for an answer that was empty. */
  readonly byReset: boolean;
}

/** What follows from a rejection, which is told to `record`. */
export function refusalOf(rejection: Rejection, record: ConnectionRecord): Refusal {
  switch (rejection.kind) {
    case 'gone':
      return { endedBy: 'client', reason: 'client_gone', byReset: false };
    case 'error':
      return { endedBy: 'client', reason: 'client_error', byReset: false };
    case 'header': {
      record.headerRefused(rejection.code);
      const reason = rejection.code === 'TIMEOUT' ? 'proxy_header_timeout' : 'proxy_header_invalid';
      return { endedBy: 'attache', reason, byReset: true };
    }
    case 'tls': {
      const { kind, endedBy, code, peer } = rejection.failure;
      if (kind === 'gone') return { endedBy, reason: 'client_gone', byReset: false };
      record.tlsFailed({ side: 'client', address: record.client, code, peer });
      return { endedBy, reason: kind === 'peer' ? 'tls_peer_refused' : 'tls_handshake_failed', byReset: false };
    }
  }
}
