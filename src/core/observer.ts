import type { Address } from './address.ts';
import type { CloseReason, EndedBy } from './close-reason.ts';
import type { ConfigurationSource } from './configuration-source.ts';
import type { HealthState } from './health-check.ts';
import type { ProxyHeaderFault } from './proxy-header-fault.ts';

/** Every event that attache reports. Logging, the access log, metrics and readiness are observers. */
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
  | CandidateHealthEvent
  | HealthCheckedEvent
  | RoleSplitEvent
  | RegistrationEvent
  | ConfigurationEvent
  | ServicesKeyEvent
  | DiscoveryStateEvent
  | CandidateIgnoredEvent
  | CandidateDetailIgnoredEvent
  | NoCandidatesEvent
  | AcceptFailedEvent
  | DescriptorsEvent
  | MemoryEvent
  | ResetEvent
  | StateFileEvent
  | HoldEvent
  | LifecycleEvent
  | InternalErrorEvent;

/**
 * Is called with every event, on the event loop, synchronously. It must not throw: what it throws is dropped, and
 * reported nowhere.
 */
export type Observer = (event: AttacheEvent) => void;

/** A listener is open: clients can connect. */
export interface ListeningEvent {
  readonly type: 'listening';
  /** Name of the service. */
  readonly service: string;
  /** Position among the service's listeners, from 0. */
  readonly listener: number;
  /** The address on which the listener listens: for port 0, with the port that the system picked. */
  readonly address: Address;
  /** All addresses, if the name has several. */
  readonly addresses?: readonly Address[];
  /** Addresses of the name that this machine does not have, each with the system's error. */
  readonly missing?: readonly { readonly address: Address; readonly errno: string }[];
}

/** A listener could not be opened; attache will try again. */
export interface ListenFailedEvent {
  readonly type: 'listen-failed';
  /** Name of the service. */
  readonly service: string;
  /** Position among the service's listeners, from 0. */
  readonly listener: number;
  /** The configured address. */
  readonly address: Address;
  /** errno name such as `EADDRINUSE`. */
  readonly errno: string;
  /** Time until the next attempt, ms. */
  readonly retryInMs: number;
}

/** A listener that was open has been closed. */
export interface ListenerClosedEvent {
  readonly type: 'listener-closed';
  /** Name of the service. */
  readonly service: string;
  /** Position among the service's listeners, from 0. */
  readonly listener: number;
  /**
   * `no-candidate`: the listener's candidate has left (cluster mode), and the listener opens again when there is one;
   * `shutdown`: attache stops; `changed`: the service was removed, or listens in another way.
   */
  readonly reason: 'no-candidate' | 'shutdown' | 'changed';
}

/** A client has connected. */
export interface ConnectionOpenedEvent {
  readonly type: 'connection-opened';
  /** Name of the service. */
  readonly service: string;
  /** Unique in this process, ascending. */
  readonly id: number;
  /** The client's address, `10.0.0.7:41002`; `unix` on a Unix socket. */
  readonly client: string;
}

/** A candidate has answered: bytes flow from now on. */
export interface ConnectionEstablishedEvent {
  readonly type: 'connection-established';
  /** Name of the service. */
  readonly service: string;
  /** Number of the connection, the same in all of its events. */
  readonly id: number;
  /** Address of the candidate, as {@link formatAddress} writes it. */
  readonly candidate: string;
  /** Duration of the successful attempt, TLS handshake included, ms. */
  readonly ms: number;
}

/** One attempt at one candidate. */
export interface DialAttempt {
  /** Address of the candidate, as {@link formatAddress} writes it. */
  readonly candidate: string;
  /** errno name, `TIMEOUT`, why a name has no address (`NameErrno`), or `ok`. */
  readonly outcome: string;
  /** Duration of the attempt, TLS handshake included, ms. */
  readonly ms: number;
}

/** A connection has ended, whether a candidate carried it or not. */
export interface ConnectionClosedEvent {
  readonly type: 'connection-closed';
  /** Name of the service. */
  readonly service: string;
  /** Number of the connection, the same in all of its events. */
  readonly id: number;
  /** The client's address, or the address in its PROXY header. */
  readonly client: string;
  /** With a PROXY header that names the client: the address that connected and sent the header. */
  readonly via?: string;
  /** The candidate that carried it; undefined when none did. */
  readonly candidate: string | undefined;
  /** TLS of the side that speaks TLS; undefined on a plain connection, or before the handshake was done. */
  readonly tls?: ConnectionTls;
  /** The side that speaks TLS closed TCP without the close_notify that says its stream is whole. */
  readonly unclean?: true;
  /** Bytes of the client that the kernel has taken to send to the candidate; a write that a reset cut short counts whole. */
  readonly bytesToCandidate: number;
  /** Bytes of the candidate that the kernel has taken to send to the client. */
  readonly bytesToClient: number;
  /** From accept until a candidate answered, or until giving up. */
  readonly dialMs: number;
  /** From accept until both sockets were closed. */
  readonly totalMs: number;
  /** Which side ended the connection. */
  readonly endedBy: EndedBy;
  /** Why it ended; {@link closeReasons} lists them all. */
  readonly reason: CloseReason;
  /** The attempts in their order; empty when no candidate was dialed. */
  readonly attempts: readonly DialAttempt[];
}

/** One attempt at one candidate has failed; the connection may go on to the next candidate. */
export interface DialFailedEvent {
  readonly type: 'dial-failed';
  /** Name of the service. */
  readonly service: string;
  /** Number of the connection that was to be carried. */
  readonly id: number;
  /** Address of the candidate, as {@link formatAddress} writes it. */
  readonly candidate: string;
  /** errno name, `TIMEOUT`, why a name has no address (`NameErrno`), a code of TLS, or `NOT_ALLOWED`. */
  readonly errno: string;
  /** Duration of the attempt, ms. */
  readonly ms: number;
  /** With `NOT_ALLOWED`: why a registry may not name this address, and what to do. */
  readonly refusal?: string;
}

/** TLS of a connection. */
export interface ConnectionTls {
  /** The peer's first URI, else its first DNS name, else its common name. */
  readonly peer: string | undefined;
  /** `TLSv1.2` or `TLSv1.3`. */
  readonly version: string;
  /** Whether the handshake resumed an earlier session. */
  readonly resumed: boolean;
}

/** With `ACCEPT_PROXY_PROTOCOL`: a client was refused for its PROXY header, before anything was dialed. */
export interface ProxyHeaderRefusedEvent {
  readonly type: 'proxy-header-refused';
  /** Name of the service. */
  readonly service: string;
  /** Number of the connection, the same in all of its events. */
  readonly id: number;
  /** The address that connected. */
  readonly address: string;
  /** `TIMEOUT`: the header was not complete within `CONNECT_TIMEOUT`. */
  readonly code: ProxyHeaderFault | 'TIMEOUT';
}

/** A handshake failed or was refused, or TLS failed later. One at a candidate is a `dial-failed` as well. */
export interface TlsFailedEvent {
  readonly type: 'tls-failed';
  /** Name of the service. */
  readonly service: string;
  /** Number of the connection, the same in all of its events. */
  readonly id: number;
  /** The side with which TLS failed. */
  readonly side: 'client' | 'candidate';
  /** The address of that side. */
  readonly address: string;
  /** OpenSSL's or Node's code, an errno name, `TIMEOUT`, `EOF`, `CROWDED_OUT` or `NOT_ALLOWED`. */
  readonly code: string;
  /** The name in the certificate of a refused peer; do not trust it if the chain was at fault. */
  readonly peer?: string | undefined;
}

/** News of a service's certificates and key. */
export interface TlsMaterialEvent {
  readonly type: 'tls-material';
  /** Name of the service. */
  readonly service: string;
  /**
   * `loaded`: in use now; `recovered`: it can be read again; `expiring`: the own certificate expires soon; `refused`:
   * it cannot be used; `unavailable`: it could not be read; after the last two, the old material stays in use.
   */
  readonly outcome: 'loaded' | 'recovered' | 'expiring' | 'refused' | 'unavailable';
  /** Subject of our own certificate; undefined without one. */
  readonly subject?: string | undefined;
  /** Serial number of our own certificate, upper-case hexadecimal; undefined without one. */
  readonly serial?: string | undefined;
  /** `Date.now()` at which our own certificate expires. */
  readonly notAfterMs?: number | undefined;
  /** Faults that do not keep the material from being used, one text each. */
  readonly warnings?: readonly string[];
  /** A line for each fault. */
  readonly error?: string;
  /** Time until the material is read again, ms. */
  readonly nextInMs?: number | undefined;
}

/** The candidate set of a service has other members than before; a change of order or weight alone is no event. */
export interface CandidatesChangedEvent {
  readonly type: 'candidates-changed';
  /** Name of the service. */
  readonly service: string;
  /** The whole new set, in the order candidates are tried. */
  readonly candidates: readonly Address[];
  /** Addresses that joined, as {@link formatAddress} writes them. */
  readonly added: readonly string[];
  /** Addresses that left, as {@link formatAddress} writes them. */
  readonly removed: readonly string[];
}

/** A candidate has failed `MAX_FAILS` times in a row and is ejected. */
export interface CandidateEjectedEvent {
  readonly type: 'candidate-ejected';
  /** Name of the service. */
  readonly service: string;
  /** Address of the candidate, as {@link formatAddress} writes it. */
  readonly candidate: string;
  /** Why the last connect failed: as in {@link DialFailedEvent}. */
  readonly errno: string;
  /** Connect failures in a row. */
  readonly fails: number;
  /** How long the candidate stays ejected before a connection tries it again, ms. */
  readonly forMs: number;
  /** The candidate was ejected before, and the connection that tried it again failed. */
  readonly again: boolean;
}

/** An ejected candidate has answered. One that leaves the set while it is ejected does not recover. */
export interface CandidateRecoveredEvent {
  readonly type: 'candidate-recovered';
  /** Name of the service. */
  readonly service: string;
  /** Address of the candidate, as {@link formatAddress} writes it. */
  readonly candidate: string;
  /** Whether the candidate answered a client's connection or a probe in the background. */
  readonly by: 'connection' | 'probe';
}

/** A health check has found that a candidate is well, or that it is not. */
export interface CandidateHealthEvent {
  readonly type: 'candidate-health';
  /** Name of the service it is about. */
  readonly service: string;
  /** Address of the candidate, as {@link formatAddress} writes it. */
  readonly candidate: string;
  /** What it is now. */
  readonly state: 'healthy' | 'unhealthy';
  /** What it was before. */
  readonly before: HealthState;
  /** What the check expected and got; missing when it is healthy. */
  readonly error?: string;
  /** What the check took that decided it, ms. */
  readonly ms: number;
}

/** One check of one candidate has ended. */
export interface HealthCheckedEvent {
  readonly type: 'health-checked';
  /** Name of the service it is about. */
  readonly service: string;
  /** Address of the candidate, as {@link formatAddress} writes it. */
  readonly candidate: string;
  /**
   * `refused`: it could not be connected to; `handshake`: TLS failed; `answer`: it answered something else than was expected;
   * `own`: a fault of this process or machine, which says nothing of the candidate.
   */
  readonly result: 'ok' | 'refused' | 'timeout' | 'handshake' | 'answer' | 'own';
  /** What it took, ms. */
  readonly ms: number;
}

/** Several candidates say that they have a role that only one can have, or no more. */
export interface RoleSplitEvent {
  readonly type: 'role-split';
  /** Name of the service it is about. */
  readonly service: string;
  /** `ended`: at most one of them has the role now. */
  readonly phase: 'began' | 'ended';
  /** Addresses of all that have the role, as {@link formatAddress} writes them; `ended`: none. */
  readonly candidates: readonly string[];
  /** The one that connections go to: the one that was in use, as long as it is healthy. */
  readonly kept: string | undefined;
}

/** A registration of a service (`REGISTER`) has another state, or another error, than before. */
export interface RegistrationEvent {
  readonly type: 'registration';
  /** Name of the service. */
  readonly service: string;
  /** The key in the registry; undefined while the own address is not known. */
  readonly key: string | undefined;
  /** The new state, as in {@link RegistrationStatus}. */
  readonly phase: 'withdrawn' | 'waiting' | 'registered' | 'conflict' | 'removed';
  /** `waiting`: why, once something went wrong. */
  readonly error?: string;
}

/** Another list of services was taken over, or refused. */
export interface ConfigurationEvent {
  readonly type: 'configuration';
  /** `rejected`: nothing has changed. */
  readonly outcome: 'applied' | 'rejected';
  /** Where the list comes from. */
  readonly source: ConfigurationSource;
  /** Services that are new. */
  readonly added: readonly string[];
  /** Services whose settings changed. */
  readonly changed: readonly string[];
  /** Services that went. */
  readonly removed: readonly string[];
  /** Of a list from `SERVICES_KEY`: the revision of etcd at which the key was put. */
  readonly revision?: string;
  /** `rejected`: what is wrong, one sentence each. */
  readonly faults: readonly string[];
}

/** The key of `SERVICES_KEY` has another state, or another error, than before. */
export interface ServicesKeyEvent {
  readonly type: 'services-key';
  /** As `SERVICES_KEY` names it. */
  readonly key: string;
  /** The new state, as in {@link FollowedKeyStatus}. */
  readonly phase: 'starting' | 'synced' | 'missing' | 'stale';
  /** Why the registry does not answer; missing without trouble. */
  readonly error?: string;
}

/** The source of candidates has another state, or another error, than before. */
export interface DiscoveryStateEvent {
  readonly type: 'discovery-state';
  /** Name of the service. */
  readonly service: string;
  /** The new state, as in {@link SourceState}. */
  readonly status: 'starting' | 'synced' | 'stale';
  /** Why the registry does not answer or its answer is not accepted; missing without trouble. */
  readonly error?: string;
}

/** A registry has a key that is not a usable address. */
export interface CandidateIgnoredEvent {
  readonly type: 'candidate-ignored';
  /** Name of the service. */
  readonly service: string;
  /** Raw text from the registry: escape before showing. */
  readonly key: string;
  /** What was expected of the key, or why it may not be used. */
  readonly reason: string;
}

/** A detail of a member (weight, priority, zone) cannot be used: the member stays, and the detail has its default. */
export interface CandidateDetailIgnoredEvent {
  readonly type: 'candidate-detail-ignored';
  /** Name of the service. */
  readonly service: string;
  /** Raw text from the registry: escape before showing. */
  readonly key: string;
  /** What was expected of the detail. */
  readonly reason: string;
}

/** A service has had no candidate for a moment; repeated each minute while that lasts. */
export interface NoCandidatesEvent {
  readonly type: 'no-candidates';
  /** Name of the service. */
  readonly service: string;
  /** The directory that was listed. */
  readonly directory: string;
  /**
   * The nearest directory with members, and their number; raw text from the registry: escape before showing.
   * Undefined: nobody is registered near, or the registry could not be asked.
   */
  readonly nearest: { readonly directory: string; readonly members: number } | undefined;
}

/** The system refused to hand over a client that had connected. */
export interface AcceptFailedEvent {
  readonly type: 'accept-failed';
  /** Name of the service. */
  readonly service: string;
  /** `EMFILE`, `ENFILE`, `ENOBUFS`, ... */
  readonly errno: string;
}

/** News of the file descriptors of the process. */
export interface DescriptorsEvent {
  readonly type: 'descriptors';
  /**
   * `scarce`: at the start, `MAX_CONNECTIONS` exceeds the limit; `exhausted`: attache refuses clients; `recovered`:
   * attache has refused no client for some seconds.
   */
  readonly state: 'scarce' | 'exhausted' | 'recovered';
  /** Descriptors that the process may have; undefined if the system does not say or sets no limit. */
  readonly limit: number | undefined;
  /** Descriptors open at that moment, if the system says so. */
  readonly inUse: number | undefined;
  /** Connections that the limit has room for over all services; undefined when there is no limit. */
  readonly most: number | undefined;
  /** `scarce`: the sum of `MAX_CONNECTIONS`; otherwise the open connections. */
  readonly connections: number;
  /** Clients refused since the state was `exhausted`. */
  readonly refused: number;
  /**
   * The system's error (`EMFILE`, `ENFILE`, `ENOBUFS`, `ENOMEM`), if the system refused and not attache's own limit.
   */
  readonly errno?: string;
}

/** The memory of the process; sizes are bytes. */
export interface MemoryStatus {
  /** `exhausted`: attache refuses clients because memory is short. */
  readonly state: 'ample' | 'exhausted';
  /** Resident memory that the process may have (`MAX_MEMORY`, or its container's limit); undefined: no limit. */
  readonly limit: number | undefined;
  /** Resident memory of the process now. */
  readonly resident: number;
  /** The most that the old generation of the JavaScript heap may hold. */
  readonly heapLimit: number;
  /** What the old generation of the JavaScript heap holds now. */
  readonly heap: number;
}

/** News of the memory of the process. */
export interface MemoryEvent extends Omit<MemoryStatus, 'state'> {
  readonly type: 'memory';
  /** `exhausted`: attache refuses clients; `recovered`: attache has refused no client for some seconds. */
  readonly state: 'exhausted' | 'recovered';
  /** Connections open at that moment, over all services. */
  readonly connections: number;
  /** Clients refused since the state was `exhausted`. */
  readonly refused: number;
}

/** A change of the candidate set, or of the health of a candidate, ends connections that are open. */
export interface ResetEvent {
  readonly type: 'connections-reset';
  /** Name of the service. */
  readonly service: string;
  /** Connections that were, or over `RESET_JITTER` will be, ended by this change. */
  readonly connections: number;
  /** The `onChange` of the service; with `drain`, connections are ended when `onChangeTimeout` is over. */
  readonly mode: 'reset' | 'reset-removed' | 'drain';
  /** `health`: not a change of the set, but a check that found a candidate unhealthy (`ON_UNHEALTHY`). */
  readonly cause?: 'health';
}

/** News of the file that holds the last good sets. */
export interface StateFileEvent {
  readonly type: 'state-file';
  /**
   * `ignored`: the file at the start cannot be used, and the next set replaces it; `unwritable`: a set could not be
   * written; `recovered`: a set was written after that.
   */
  readonly outcome: 'ignored' | 'unwritable' | 'recovered';
  /** The file, as `stateFile` names it. */
  readonly path: string;
  /** Why the file was ignored or could not be written. */
  readonly error?: string;
}

/** A listener holds clients because no candidate answers, or holds none any more. */
export interface HoldEvent {
  readonly type: 'hold';
  /** Name of the service. */
  readonly service: string;
  /** Position among the service's listeners, from 0. */
  readonly listener: number;
  /** `began`: the first client is held; `ended`: no client is held any more. */
  readonly phase: 'began' | 'ended';
  /** `ended`: how many clients were held since `began`. */
  readonly connections?: number;
  /** `ended`: how long any client was held, ms. */
  readonly ms?: number;
}

/** The ambassador has entered another phase. */
export interface LifecycleEvent {
  readonly type: 'lifecycle';
  /** `draining`: not ready, still accepting; `cutting`: the time to finish is over, and open connections are cut. */
  readonly phase: 'started' | 'draining' | 'listeners-closed' | 'cutting' | 'stopped';
  /** Connections open at that moment. */
  readonly connections: number;
}

/** A bug in attache, or in a part of your program that attache called, was caught. */
export interface InternalErrorEvent {
  readonly type: 'internal-error';
  /** Name of the service with the bug; missing when it is unknown. */
  readonly service?: string;
  /** Where it was caught. */
  readonly where: string;
  /** The thrown value, which need not be an `Error`. */
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
