/**
 * What the status page is told, as events of `/events`: `past` and `state` at once, then `state` when it has changed, and
 * `beat` when it has not. Whole states only: there is nothing that could be missed. Times are `Date.now()` of the server.
 */
export interface StateMessage {
  readonly nowMs: number;
  readonly state: LiveState;
}

export interface BeatMessage {
  readonly nowMs: number;
}

/** Bytes that each service had moved by then, oldest first: some seconds apart, of the time before the page was opened. */
export type PastMessage = readonly Sample[];

export interface Sample {
  readonly atMs: number;
  /** To candidates and to clients; in the order of `LiveState.services`. */
  readonly bytes: readonly (readonly [toCandidate: number, toClient: number])[];
}

/** Text in it is of one line and short, and nothing more: it may look like markup. */
export interface LiveState {
  readonly version: string;
  readonly phase: string;
  readonly ready: boolean;
  /** `serving`, `degraded` or `failing`: the worst of the services. */
  readonly health: string;
  readonly startedAtMs: number;
  /** Why the process as a whole is not ready. */
  readonly reasons: readonly string[];
  /** Undefined until services were changed, or were to be changed, at run time. */
  readonly configuration: LiveConfiguration | undefined;
  readonly services: readonly LiveService[];
  /** The newest of those that are open. */
  readonly connections: readonly LiveConnection[];
  /** The newest of those that did not end well. */
  readonly failures: readonly LiveFailure[];
}

/** The list of services in force, and one that was refused. */
export interface LiveConfiguration {
  /** `SERVICES_KEY /attache/web, revision 12`; undefined: no list has come yet. */
  readonly place: string | undefined;
  /** When it was taken over; undefined for that of the start. */
  readonly sinceMs: number | undefined;
  /** `+a ~b -c`; empty: nothing. */
  readonly changes: string;
  /** What is wrong with the key that is followed. */
  readonly trouble: string | undefined;
  readonly rejected: LiveRejected | undefined;
}

export interface LiveRejected {
  readonly source: string;
  readonly atMs: number;
  /** The first of them; `faultCount` is how many there are. */
  readonly faults: readonly string[];
  readonly faultCount: number;
}

export interface LiveService {
  readonly name: string;
  readonly ready: boolean;
  readonly health: string;
  /** `no candidate answers`; undefined while it is serving. */
  readonly healthReason: string | undefined;
  readonly reasons: readonly string[];
  readonly listeners: readonly string[];
  /** The first of them; `candidateCount` is how many there are. */
  readonly candidates: readonly LiveCandidate[];
  readonly candidateCount: number;
  readonly open: number;
  readonly held: number;
  readonly opened: number;
  readonly bytesToCandidate: number;
  readonly bytesToClient: number;
  readonly discovery: string;
  readonly discoveryError: string | undefined;
  /** Missing when it was never confirmed, or need not be. */
  readonly discoveryOkAtMs: number | undefined;
  readonly tls: string | undefined;
  readonly registrations: readonly LiveRegistration[];
  /** Candidates that all have a role that only one can have, as a sentence; undefined: there is no split. */
  readonly split: string | undefined;
  readonly changes: readonly LiveChange[];
  readonly ignored: readonly LiveIgnored[];
}

export interface LiveRegistration {
  /** `/srv/redis/10.0.1.134:6379: registered`. */
  readonly text: string;
  /** `registered` and `withdrawn` are as they should be; `trouble` is not; `waiting` may become either. */
  readonly stands: 'registered' | 'withdrawn' | 'waiting' | 'trouble';
}

export interface LiveCandidate {
  readonly address: string;
  readonly state: string;
  /** What checks have found; undefined without them. */
  readonly health: { readonly state: string; readonly error: string | undefined } | undefined;
  /** `weight 3, zone a`; undefined when all is as usual. */
  readonly details: string | undefined;
  readonly open: number;
  readonly lastError: { readonly errno: string; readonly atMs: number } | undefined;
}

export interface LiveChange {
  readonly atMs: number;
  readonly added: readonly string[];
  readonly addedCount: number;
  readonly removed: readonly string[];
  readonly removedCount: number;
  readonly candidates: number;
  /** E.g. `3 connections: reset`. */
  readonly effect: string | undefined;
}

export interface LiveIgnored {
  readonly atMs: number;
  readonly key: string;
  readonly reason: string;
}

export interface LiveConnection {
  readonly id: number;
  readonly service: string;
  readonly client: string;
  readonly candidate: string | undefined;
  readonly phase: string;
  readonly peer: string | undefined;
  readonly openedAtMs: number;
  readonly bytesToCandidate: number;
  readonly bytesToClient: number;
}

export interface LiveFailure {
  readonly id: number;
  readonly service: string;
  readonly client: string;
  readonly candidate: string | undefined;
  readonly reason: string;
  readonly endedBy: string;
  readonly closedAtMs: number;
}
