/** How everything stands, as `/status`, readiness, metrics, the page and the library tell it: each shape stands here alone. */
import type { Address } from './address.ts';
import type { ConfigurationSource } from './configuration-source.ts';
import type { HealthState } from './health-check.ts';
import type { MemoryStatus } from './observer.ts';

/** The state of a process. */
export interface ProcessStatus {
  /** Sticky: once it is draining, nothing makes it serve again. */
  readonly phase: 'new' | 'serving' | 'draining' | 'closed';
  /** Memory of the process and its limits; missing in the library. */
  readonly memory?: MemoryStatus;
  /** Where the services in force come from; missing until they were changed, or were to be changed, at run time. */
  readonly configuration?: ConfigurationStatus;
  /** What carries the bytes; missing in reports of other programs. */
  readonly engine?: EngineStatus;
  /** One for each service, in the order of the configuration. */
  readonly services: readonly ServiceStatus[];
}

/** Where the services in force come from, and a list that was refused. */
export interface ConfigurationStatus {
  /** `start`, `update`, `PUT /services`, `SERVICES_FILE`, `SERVICES_KEY` or `STATE_FILE`. */
  readonly source: ConfigurationSource;
  /** Of a list from `SERVICES_KEY`: the revision of etcd at which the key was put. */
  readonly revision?: string;
  /** How the key of `SERVICES_KEY` stands; missing without that setting. */
  readonly followed?: FollowedKeyStatus;
  /** `Date.now()` at which they were taken over; missing for those of the start. */
  readonly sinceMs?: number;
  /** What the last change did, by name of the service; missing for those of the start. */
  readonly added?: readonly string[];
  /** Services whose settings changed. */
  readonly changed?: readonly string[];
  /** Services that went. */
  readonly removed?: readonly string[];
  /** Lists that were refused since the start. */
  readonly rejections: number;
  /** The last list, when it was refused: the services of before are in force. */
  readonly rejected?: {
    /** Where it came from. */
    readonly source: ConfigurationSource;
    /** `Date.now()` */
    readonly atMs: number;
    /** One sentence each, with the setting; at most 100. */
    readonly faults: readonly string[];
  };
}

/** The key of the registry whose list of services is followed. */
export interface FollowedKeyStatus {
  /** As `SERVICES_KEY` names it. */
  readonly key: string;
  /**
   * `starting`: the registry has not answered yet; `synced`: it has said what the key holds; `missing`: it has no such key;
   * `stale`: it does not answer any more. In all of these the last list that was taken over is in force.
   */
  readonly phase: 'starting' | 'synced' | 'missing' | 'stale';
  /** Why the registry does not answer, or its answer is not accepted. */
  readonly error?: string;
  /** No list has been taken over yet: the process is not ready. */
  readonly isAwaited?: true;
}

/** Which engine carries the bytes of a process. */
export interface EngineStatus {
  /** A thread of C, or JavaScript alone. */
  readonly name: 'native' | 'typescript';
  /** Why it is not the native one, unless `typescript` was asked for. */
  readonly reason?: string;
}

/** The state of a service. */
export interface ServiceStatus {
  /** Name of the service; `default` when it was given none. */
  readonly name: string;
  /** One for each address to listen on, in the order of the configuration. */
  readonly listeners: readonly ListenerStatus[];
  /** The whole set, as canonical texts of addresses, in the order of the set. */
  readonly candidates: readonly string[];
  /**
   * States of the candidates that a listener carries to; in cluster mode without the candidates that have no listener.
   */
  readonly candidateStates: readonly CandidateStatus[];
  /** Whether discovery has ever reported a set. */
  readonly known: boolean;
  /** The state of the source of the candidates. */
  readonly discovery: SourceState;
  /** Open connections, held clients among them. */
  readonly connections: number;
  /** Candidates that get no new connections, because an operator drained them or the registry gave them weight 0. */
  readonly drained: readonly string[];
  /** Clients that are held because no candidate answers. */
  readonly held: number;
  /** State of TLS; missing on a service without TLS. */
  readonly tls?: TlsStatus;
  /** Missing on a service without health checks. */
  readonly checks?: ChecksStatus;
  /** One for each directory; missing on a service that does not register itself. */
  readonly registrations?: readonly RegistrationStatus[];
}

/** How a service stands in one directory of a registry. */
export interface RegistrationStatus {
  /** As `REGISTER` names it. */
  readonly directory: string;
  /** The whole key; missing while the own address is not known. */
  readonly key?: string;
  /**
   * `withdrawn`: the service is not to be found, because it does not serve; `waiting`: the registry has not taken it yet;
   * `registered`: it stands there; `conflict`: another process holds the key; `removed`: somebody deleted the key.
   */
  readonly phase: 'withdrawn' | 'waiting' | 'registered' | 'conflict' | 'removed';
  /** Why it waits, once something went wrong. */
  readonly error?: string | undefined;
  /** `Date.now()` since when it is so; missing before the first change. */
  readonly sinceMs?: number;
}

/** How the health checks of a service stand; each candidate has its own {@link CandidateHealth}. */
export interface ChecksStatus {
  /** The check, as `HEALTH_CHECK` names it. */
  readonly check: string;
  /** Nobody is dialed who is not healthy; otherwise those that are unhealthy are the last resort. */
  readonly isStrict: boolean;
  /** Candidates that have a role that only one can have, more than one of them; empty: there is no such split. */
  readonly split: readonly string[];
}

/** What checks have found of a candidate. */
export interface CandidateHealth {
  /** `unknown`: it has not been checked yet. */
  readonly state: HealthState;
  /** `Date.now()` since when it is so. */
  readonly sinceMs: number;
  /** Why the last check failed; missing when it did not. */
  readonly error?: string;
  /** What the last check took; missing before the first has ended. */
  readonly lastMs?: number;
}

/** One listener of a service. */
export interface ListenerStatus {
  /** The configured address; port 0 lets the system pick one. */
  readonly asked: Address;
  /** Whether it listens, and where. */
  readonly status: ListenerState;
}

/** The state of a listener. */
export type ListenerState =
  | { readonly phase: 'opening' | 'closed' }
  /** `addresses`: all of them, where a name has several. */
  | { readonly phase: 'listening'; readonly address: Address; readonly addresses?: readonly Address[] }
  | { readonly phase: 'failed'; readonly errno: string }
  /** Cluster mode: there is no candidate for this listener, so it does not listen. */
  | { readonly phase: 'waiting' };

/** The state of a candidate. */
export interface CandidateStatus {
  /** Canonical text of its address. */
  readonly key: string;
  /** `ejected`: it failed too often to be used while there are others; `probing`: one connection is finding out whether it still does. */
  readonly state: 'available' | 'ejected' | 'probing';
  /** Connect failures in a row. */
  readonly fails: number;
  /** Why the last connect failed; missing when it succeeded or there was none. */
  readonly lastErrno?: string;
  /** Connections that the candidate carries, or that are being dialed to it. */
  readonly open: number;
  /** The candidate's share beside the others of its priority; 0: no new connections; missing: 1. */
  readonly weight?: number;
  /** Lower ones come first; missing: 0. */
  readonly priority?: number;
  /** The member's zone, if the registry names one. */
  readonly zone?: string;
  /** Missing on a service without health checks. */
  readonly health?: CandidateHealth;
}

/** The state of a service's TLS. */
export interface TlsStatus {
  /** `client`: plain in, TLS out; `server`: TLS in, plain out. */
  readonly mode: 'client' | 'server';
  /** `stale`: the last reading of the material failed, and the material before it is in use. */
  readonly status: 'loading' | 'ready' | 'stale';
  /** Why the last reading of the material failed; undefined when it did not. */
  readonly error?: string | undefined;
  /** `Date.now()` at which our own certificate expires. */
  readonly notAfterMs?: number | undefined;
  /** The own certificate; undefined without one. */
  readonly certificate?: TlsCertificate | undefined;
}

/** Facts of the own certificate. */
export interface TlsCertificate {
  /** Its subject, e.g. `CN=api.internal`. */
  readonly subject: string;
  /** Upper-case hexadecimal. */
  readonly serial: string;
}

/**
 * - `starting`: no answer yet;
 * - `synced`: the reported set is the registry's;
 * - `stale`: the registry cannot be reached or believed; the last good set (if any) is in force.
 */
export type SourceState =
  | { readonly status: 'starting'; readonly error?: string }
  | {
      readonly status: 'synced';
      readonly lastOkAt: number;
      readonly counters?: SourceCounters;
      /** Listed by the operator: never looked for, never stale. */
      readonly isFixed?: true;
    }
  | {
      readonly status: 'stale';
      /** `Date.now()` of the last time the registry confirmed the set; undefined when it never did. */
      readonly lastOkAt: number | undefined;
      /** Class and text of the fault, without secrets. */
      readonly error: string;
      readonly counters?: SourceCounters;
    };

/** Counts for operators, since the start. */
export interface SourceCounters {
  /** Sessions with the registry. */
  readonly sessions: number;
  /** How often the registry returned with a lower revision than before. */
  readonly regressions: number;
  /** How often a new list contradicted the watch. */
  readonly mismatches: number;
}
