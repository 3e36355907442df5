import type {
  AttacheEvent,
  CandidateDetailIgnoredEvent,
  CandidateIgnoredEvent,
  CandidatesChangedEvent,
  NoCandidatesEvent,
  Observer,
  ResetEvent,
} from '../core/observer.ts';
import { visible } from '../core/visible.ts';

/** One change of a service's membership. */
export interface MembershipChange {
  /** `Date.now()`. */
  readonly atMs: number;
  /** How many there were then. */
  readonly candidates: number;
  /** The first of them; `addedCount` is how many there were. */
  readonly added: readonly string[];
  readonly addedCount: number;
  readonly removed: readonly string[];
  readonly removedCount: number;
  /** What it did to established connections; undefined: nothing. */
  readonly reset?: Pick<ResetEvent, 'connections' | 'mode'>;
}

/** Something in a registry that is no candidate. */
export interface IgnoredKey {
  readonly atMs: number;
  /** Made visible and cut. */
  readonly key: string;
  readonly reason: string;
}

export interface ServiceChanges {
  /** Newest first. */
  readonly changes: readonly MembershipChange[];
  readonly ignored: readonly IgnoredKey[];
  /** While there is no candidate: where was looked, and where somebody is. */
  readonly empty?: EmptyDirectory | undefined;
}

export interface EmptyDirectory {
  readonly atMs: number;
  readonly directory: string;
  /** Made visible and cut. */
  readonly nearest?: { readonly directory: string; readonly members: number };
}

const MAX_CHANGES = 20;
const MAX_NAMES = 20;
const MAX_IGNORED = 10;
const NONE: ServiceChanges = { changes: [], ignored: [] };

/** Remembers what has recently become of the candidates of each service. */
export class Changes {
  readonly #services = new Map<string, ServiceChanges>();

  readonly observer: Observer = (event) => this.#observe(event);

  of(service: string): ServiceChanges {
    return this.#services.get(service) ?? NONE;
  }

  #observe(event: AttacheEvent): void {
    if (event.type === 'candidates-changed') this.#changed(event);
    else if (event.type === 'connections-reset' && event.cause === undefined) this.#reset(event);
    else if (event.type === 'candidate-ignored') this.#ignored(event);
    else if (event.type === 'candidate-detail-ignored') this.#detailIgnored(event);
    else if (event.type === 'no-candidates') this.#empty(event);
  }

  #detailIgnored(event: CandidateDetailIgnoredEvent): void {
    this.#ignored({ ...event, reason: `stays a candidate: ${event.reason}` });
  }

  #ignored({ service, key, reason }: CandidateIgnoredEvent | CandidateDetailIgnoredEvent): void {
    const before = this.of(service);
    const ignored = [{ atMs: Date.now(), key: visible(key), reason: visible(reason) }, ...before.ignored];
    this.#services.set(service, { ...before, ignored: ignored.slice(0, MAX_IGNORED) });
  }

  #empty({ service, directory, nearest }: NoCandidatesEvent): void {
    const near = nearest && { nearest: { ...nearest, directory: visible(nearest.directory) } };
    this.#services.set(service, { ...this.of(service), empty: { atMs: Date.now(), directory, ...near } });
  }

  #changed({ service, candidates, added, removed }: CandidatesChangedEvent): void {
    const before = this.of(service);
    const change: MembershipChange = {
      atMs: Date.now(),
      candidates: candidates.length,
      added: added.slice(0, MAX_NAMES),
      addedCount: added.length,
      removed: removed.slice(0, MAX_NAMES),
      removedCount: removed.length,
    };
    const empty = candidates.length === 0 ? before.empty : undefined;
    this.#services.set(service, { ...before, empty, changes: [change, ...before.changes].slice(0, MAX_CHANGES) });
  }

  /** A burst of changes is acted upon once, after its last. */
  #reset({ service, connections, mode }: ResetEvent): void {
    const before = this.of(service);
    const [last, ...rest] = before.changes;
    if (last === undefined) return;
    const total = connections + (last.reset?.connections ?? 0);
    this.#services.set(service, { ...before, changes: [{ ...last, reset: { connections: total, mode } }, ...rest] });
  }
}
