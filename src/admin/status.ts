import type { Address } from '../core/address.ts';
import type { SourceState } from '../discovery/source.ts';

/** What the admin room has to know of the process it speaks for; the ambassador's own status fits it. */
export interface ProcessStatus {
  /** Never goes back: nothing that is draining serves again. */
  readonly phase: 'new' | 'serving' | 'draining' | 'closed';
  readonly services: readonly ServiceStatus[];
}

export interface ServiceStatus {
  readonly name: string;
  readonly listeners: readonly ListenerStatus[];
  readonly candidates: readonly string[];
  /** How those stand that a listener carries to. */
  readonly candidateStates: readonly CandidateStatus[];
  /** Whether discovery has ever brought a set. */
  readonly known: boolean;
  readonly discovery: SourceState;
  readonly connections: number;
  /** Clients that are held because no candidate answers; they count as connections, too. */
  readonly held: number;
  /** Those of the candidates that get no new connections. */
  readonly drained: readonly string[];
  /** Missing on a service without TLS. */
  readonly tls?: TlsStatus;
}

export interface CandidateStatus {
  readonly key: string;
  /** `aside`: it failed too often to be used while there are others; `trial`: one connection finds out whether it does. */
  readonly state: 'available' | 'aside' | 'trial';
  /** Connect failures in a row. */
  readonly fails: number;
}

/** How the TLS material of a service stands. */
export interface TlsStatus {
  readonly mode: 'client' | 'server';
  readonly status: 'loading' | 'ready' | 'stale';
  readonly error?: string | undefined;
  /** `Date.now()` at which our own certificate expires. */
  readonly notAfterMs?: number | undefined;
  readonly certificate?: { readonly subject: string; readonly serial: string } | undefined;
}

export interface ListenerStatus {
  /** The address asked for; port 0 where the system was to pick one. */
  readonly asked: Address;
  readonly status:
    | { readonly phase: 'opening' | 'closed' }
    | { readonly phase: 'listening'; readonly address: Address }
    | { readonly phase: 'failed'; readonly errno: string }
    /** Cluster mode: there is no candidate for this listener, so it does not listen. */
    | { readonly phase: 'waiting' };
}
