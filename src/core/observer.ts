import type { Address } from './address.ts';
import type { CloseReason, EndedBy } from './close-reason.ts';
import type { ProxyHeaderFault } from './read-proxy-header.ts';

/** Everything attache reports about itself. Logging, the access log, metrics and readiness are observers. */
export type AttacheEvent =
  | ListeningEvent
  | ListenFailedEvent
  | ListenerClosedEvent
  | ConnectionOpenedEvent
  | ConnectionEstablishedEvent
  | ConnectionClosedEvent
  | DialFailedEvent
  | ProxyHeaderRefusedEvent
  | TlsFailedEvent
  | TlsMaterialEvent
  | CandidatesChangedEvent
  | CandidateEjectedEvent
  | CandidateRecoveredEvent
  | DiscoveryStateEvent
  | CandidateIgnoredEvent
  | AcceptFailedEvent
  | DescriptorsEvent
  | ResetEvent
  | StateFileEvent
  | HoldEvent
  | LifecycleEvent
  | InternalErrorEvent;

/** Hears every event, on the event loop, synchronously. It must not throw; what it throws is dropped and counted. */
export type Observer = (event: AttacheEvent) => void;

export interface ListeningEvent {
  readonly type: 'listening';
  readonly service: string;
  /** Position among the service's listeners, from 0. */
  readonly listener: number;
  /** Where it really listens: the port the system picked when 0 was asked for. */
  readonly address: Address;
}

export interface ListenFailedEvent {
  readonly type: 'listen-failed';
  readonly service: string;
  readonly listener: number;
  readonly address: Address;
  /** errno name such as `EADDRINUSE`. */
  readonly errno: string;
  readonly retryInMs: number;
}

export interface ListenerClosedEvent {
  readonly type: 'listener-closed';
  readonly service: string;
  readonly listener: number;
  readonly reason: 'no-candidate' | 'drain';
}

export interface ConnectionOpenedEvent {
  readonly type: 'connection-opened';
  readonly service: string;
  /** Unique in this process, ascending. */
  readonly id: number;
  readonly client: string;
}

/** A candidate has answered: bytes flow from now on. */
export interface ConnectionEstablishedEvent {
  readonly type: 'connection-established';
  readonly service: string;
  readonly id: number;
  readonly candidate: string;
  /** What the attempt that succeeded took, with its TLS handshake where there is one. */
  readonly ms: number;
}

/** One attempt at one candidate. */
export interface DialAttempt {
  readonly candidate: string;
  /** errno name, `TIMEOUT`, or `ok`. */
  readonly outcome: string;
  readonly ms: number;
}

export interface ConnectionClosedEvent {
  readonly type: 'connection-closed';
  readonly service: string;
  readonly id: number;
  /** The address it came from, or that its PROXY header says it came from. */
  readonly client: string;
  /** With a PROXY header that names the client: who sent it, the address that connected to us. */
  readonly via?: string;
  /** The candidate that carried it; undefined when none did. */
  readonly candidate: string | undefined;
  /** Of the side that speaks TLS; undefined on a plain connection, or before its handshake was done. */
  readonly tls?: ConnectionTls;
  /** Bytes received from the client and handed to the candidate's socket. */
  readonly bytesToCandidate: number;
  /** Bytes received from the candidate and handed to the client's socket. */
  readonly bytesToClient: number;
  /** From accept until a candidate answered, or until giving up. */
  readonly dialMs: number;
  /** From accept until both sockets were closed. */
  readonly totalMs: number;
  readonly endedBy: EndedBy;
  readonly reason: CloseReason;
  /** In the order tried. Shared and frozen for the usual case of one good attempt. */
  readonly attempts: readonly DialAttempt[];
}

export interface DialFailedEvent {
  readonly type: 'dial-failed';
  readonly service: string;
  readonly id: number;
  readonly candidate: string;
  readonly errno: string;
  readonly ms: number;
}

/** What TLS found on a connection. */
export interface ConnectionTls {
  /** The peer's first URI, else its first DNS name, else its common name. */
  readonly peer: string | undefined;
  /** `TLSv1.2` or `TLSv1.3`. */
  readonly version: string;
  /** The handshake took up an earlier session. */
  readonly resumed: boolean;
}

/** With `ACCEPT_PROXY_PROTOCOL`: a client was refused for its PROXY header, before anything was dialed. */
export interface ProxyHeaderRefusedEvent {
  readonly type: 'proxy-header-refused';
  readonly service: string;
  readonly id: number;
  /** Of who connected. */
  readonly address: string;
  /** `TIMEOUT`: it was not whole within `CONNECT_TIMEOUT`. */
  readonly code: ProxyHeaderFault | 'TIMEOUT';
}

/** A handshake failed or was refused, or TLS failed later. One at a candidate is a `dial-failed` as well. */
export interface TlsFailedEvent {
  readonly type: 'tls-failed';
  readonly service: string;
  readonly id: number;
  /** Who is at the other end of the TLS. */
  readonly side: 'client' | 'candidate';
  /** The address of that side. */
  readonly address: string;
  /** OpenSSL's or Node's code, an errno name, `TIMEOUT`, `EOF` or `NOT_ALLOWED`. */
  readonly code: string;
  /** The name in the certificate of a peer that was refused: not to be believed when its chain was at fault. */
  readonly peer?: string | undefined;
}

/**
 * News of a service's certificates and key. `refused`: what was read is no good; `unavailable`: something could not be
 * read; in both cases what was in use stays in use.
 */
export interface TlsMaterialEvent {
  readonly type: 'tls-material';
  readonly service: string;
  readonly outcome: 'loaded' | 'recovered' | 'expiring' | 'refused' | 'unavailable';
  readonly subject?: string | undefined;
  readonly serial?: string | undefined;
  /** `Date.now()` at which our own certificate expires. */
  readonly notAfterMs?: number | undefined;
  readonly warnings?: readonly string[];
  /** A line for each fault. */
  readonly error?: string;
  /** Until it is read again by itself, ms. */
  readonly nextInMs?: number | undefined;
}

export interface CandidatesChangedEvent {
  readonly type: 'candidates-changed';
  readonly service: string;
  readonly candidates: readonly Address[];
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** A candidate has failed too often in a row and is set aside. */
export interface CandidateEjectedEvent {
  readonly type: 'candidate-ejected';
  readonly service: string;
  readonly candidate: string;
  /** Why the last connect failed: as in {@link DialFailedEvent}. */
  readonly errno: string;
  /** Connect failures in a row. */
  readonly fails: number;
  /** How long it stays aside before it is tried again. */
  readonly forMs: number;
  /** It was aside before, and the connection that tried it again failed. */
  readonly again: boolean;
}

/** A candidate that was set aside has answered. One that leaves the set while it is aside does not recover. */
export interface CandidateRecoveredEvent {
  readonly type: 'candidate-recovered';
  readonly service: string;
  readonly candidate: string;
}

export interface DiscoveryStateEvent {
  readonly type: 'discovery-state';
  readonly service: string;
  readonly status: 'starting' | 'synced' | 'stale';
  readonly error?: string;
}

export interface CandidateIgnoredEvent {
  readonly type: 'candidate-ignored';
  readonly service: string;
  /** Raw text from the registry: escape before showing. */
  readonly key: string;
  readonly reason: string;
}

export interface AcceptFailedEvent {
  readonly type: 'accept-failed';
  readonly service: string;
  /** `EMFILE`, `ENFILE`, `ENOBUFS`, ... */
  readonly errno: string;
}

/**
 * News of the file descriptors of the process. `scarce`: at start, `MAX_CONNECTIONS` is more than there are descriptors
 * for; `exhausted`: clients are turned away for want of them; `recovered`: nobody has been for some seconds.
 */
export interface DescriptorsEvent {
  readonly type: 'descriptors';
  readonly state: 'scarce' | 'exhausted' | 'recovered';
  /** Descriptors the process may have; undefined where the system does not say, or sets no limit. */
  readonly limit: number | undefined;
  /** Descriptors open at that moment, where the system says. */
  readonly inUse: number | undefined;
  /** Connections that the limit has room for over all services; undefined when there is no limit. */
  readonly most: number | undefined;
  /** `scarce`: the sum of `MAX_CONNECTIONS`; otherwise those open. */
  readonly connections: number;
  /** Clients turned away since it was exhausted. */
  readonly refused: number;
  /** What the system said (`EMFILE`, `ENFILE`, `ENOBUFS`, `ENOMEM`), when it was not our own bound that was met. */
  readonly errno?: string;
}

export interface ResetEvent {
  readonly type: 'connections-reset';
  readonly service: string;
  /** Connections that were, or over `RESET_JITTER` will be, ended by this change. */
  readonly connections: number;
  readonly mode: 'reset' | 'reset-removed' | 'drain';
}

/**
 * News of the file that holds the last good sets. `ignored`: what was found at the start is no good, and is replaced by
 * the next set; `unwritable`: a set could not be written, which is tried again with the next one; `recovered`: it was
 * written after that.
 */
export interface StateFileEvent {
  readonly type: 'state-file';
  readonly outcome: 'ignored' | 'unwritable' | 'recovered';
  readonly path: string;
  readonly error?: string;
}

/** Clients of a listener are held, unread, because no candidate answers; or none is held any more. */
export interface HoldEvent {
  readonly type: 'hold';
  readonly service: string;
  /** Position among the service's listeners, from 0. */
  readonly listener: number;
  readonly phase: 'began' | 'ended';
  /** `ended`: how many were held in all since it began. */
  readonly connections?: number;
  /** `ended`: for how long there was any. */
  readonly ms?: number;
}

export interface LifecycleEvent {
  readonly type: 'lifecycle';
  readonly phase: 'started' | 'draining' | 'listeners-closed' | 'cutting' | 'stopped';
  /** Connections open at that moment. */
  readonly connections: number;
}

export interface InternalErrorEvent {
  readonly type: 'internal-error';
  readonly service?: string;
  /** Where it was caught. */
  readonly where: string;
  readonly error: unknown;
}

/** Joins observers; one that throws does not keep the event from the others, nor reach the proxy. */
export function broadcast(observers: Iterable<Observer>): Observer {
  return (event) => {
    for (const observer of observers) {
      try {
        observer(event);
      } catch {
        // An observer is never worth a connection. Its own tests are where its faults are found.
      }
    }
  };
}
