import type { EtcdClient } from '../../etcd/client.ts';
import { EtcdFault, faultOf } from '../../etcd/fault.ts';
import type { EtcdLease } from '../../etcd/leases.ts';
import { openSession, type OpenSessionOptions } from '../../etcd/open-session.ts';
import type { SessionEnd } from '../../etcd/session-end.ts';
import type { Waker } from '../waker.ts';
import type { LeasedEntry } from './entry.ts';

export interface LeaseSessionOptions extends OpenSessionOptions {
  readonly entries: ReadonlySet<LeasedEntry>;
  /** Woken when an entry wants something else. */
  readonly waker: Waker;
  readonly ttlMs: number;
  /** Leases of sessions before, the last ones: etcd may hold their keys until they expire. */
  readonly former: string[];
  /** Aborted when all entries are to go: the lease is revoked, and the session ends. */
  readonly leaving: AbortSignal;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** The lease is there: from now on `leaving` is heard. */
  readonly granted: () => void;
}

/** More of them cannot be alive: each session lasts for at least one call. */
const MAX_FORMER = 16;
/** Those who wait for one key do not all claim it in the same moment, ms. */
const CLAIM_JITTER_MS = 250;

/**
 * One session with one endpoint: one lease, under which every wanted entry stands. Each key is watched, so that a
 * deletion, a theft and a registry that has lost its data show at once. Any trouble ends the session, and the next one
 * begins with a lease of its own.
 */
export async function runLeaseSession(options: LeaseSessionOptions): Promise<SessionEnd> {
  const { endpoint, signal, password } = options;
  const nameFault = (error: unknown) => faultOf(error, { endpoint: endpoint.label, secrets: [password] });
  const over = new AbortController();
  const stop = () => over.abort(new EtcdFault('STOPPED', 'the registrar was stopped', { code: 'closed' }));
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  let client: EtcdClient | undefined;
  let upSince: number | undefined;
  try {
    const opened = await openSession({ ...options, signal: over.signal }, (made) => (client = made));
    const lease = await opened.leases.grant(Math.max(1, Math.ceil(options.ttlMs / 1_000)));
    upSince = performance.now();
    options.granted();
    const fail = (error: unknown) => over.abort(nameFault(error));
    await new LeaseHolder({ ...options, client: opened, lease, over: over.signal, fail }).run();
    return { kind: 'stopped' };
  } catch (error) {
    if (signal.aborted) return { kind: 'stopped' };
    const fault = nameFault(over.signal.aborted ? over.signal.reason : error);
    if (upSince === undefined) return { kind: 'failed', fault };
    return { kind: 'dropped', fault, upMs: performance.now() - upSince };
  } finally {
    signal.removeEventListener('abort', stop);
    client?.close();
    over.abort();
  }
}

export interface LeaseHolderOptions extends LeaseSessionOptions {
  readonly client: EtcdClient;
  readonly lease: EtcdLease;
  /** The session is over. */
  readonly over: AbortSignal;
  readonly fail: (error: unknown) => void;
}

/** A lease that etcd has granted, and what stands under it. */
export class LeaseHolder {
  readonly #options: LeaseHolderOptions;
  readonly #watched = new Set<LeasedEntry>();
  #renewAt = 0;
  /** Their keys were deleted, by hand or with the lease. */
  readonly #doubted = new Set<LeasedEntry>();

  constructor(options: LeaseHolderOptions) {
    this.#options = options;
  }

  /** Resolves when all entries are to go and are gone; rejects when the session is over. */
  async run(): Promise<void> {
    const { client, lease, former, entries, waker, leaving, over } = this.#options;
    this.#planRenewal();
    leaving.addEventListener('abort', () => waker.wake(), { once: true });
    try {
      for (;;) {
        over.throwIfAborted();
        if (leaving.aborted) return;
        if (this.#doubted.size > 0 || performance.now() >= this.#renewAt) await this.#renew();
        const due = [...entries].find((entry) => entry.isDue(performance.now()));
        if (due === undefined) await waker.sleep(this.#nextAt() - performance.now(), over);
        else if (due.isWanted) await this.#claim(due);
        else {
          await client.leases.release(due.entry.key, lease);
          due.holds({ kind: 'unknown' });
        }
      }
    } finally {
      former.push(lease.id);
      former.splice(0, former.length - MAX_FORMER);
      // Keys that a further session put are under its own lease by then.
      if (leaving.aborted && !over.aborted) await lease.revoke();
    }
  }

  async #renew(): Promise<void> {
    // Of a key that is deleted while etcd answers, the answer says nothing: the lease may have gone with it.
    const doubted = [...this.#doubted];
    if (!(await this.#options.lease.renew())) {
      throw new EtcdFault('LEASE_LOST', `${this.#options.endpoint.label} does not know the lease any more`);
    }
    this.#planRenewal();
    for (const entry of doubted) {
      this.#doubted.delete(entry);
      entry.holds({ kind: 'deleted', retryAt: this.#afterTtl() });
    }
  }

  /** A third of the TTL, give or take a tenth: a fleet that was started together does not renew together. */
  #planRenewal(): void {
    const { ttlMs, random } = this.#options;
    this.#renewAt = performance.now() + (ttlMs / 3) * (0.9 + 0.2 * random());
  }

  #nextAt(): number {
    const retries = [...this.#options.entries].map(({ retryAt }) => retryAt ?? Number.POSITIVE_INFINITY);
    return Math.min(this.#renewAt, ...retries);
  }

  async #claim(entry: LeasedEntry): Promise<void> {
    const { client, lease, former } = this.#options;
    const { key, value } = entry.entry;
    const claim = await client.leases.claim({ key, value, lease, former });
    const { revision } = claim;
    entry.holds(
      claim.kind === 'held' ? { kind: 'ours', value, revision } : { kind: 'taken', retryAt: this.#afterTtl() },
    );
    this.#watch(entry, claim.revision + 1);
  }

  #afterTtl(): number {
    return performance.now() + this.#options.ttlMs;
  }

  #watch(entry: LeasedEntry, startRevision: number): void {
    if (this.#watched.has(entry)) return;
    this.#watched.add(entry);
    const { client, waker, lease, fail, over, endpoint, timing } = this.#options;
    const timer = setTimeout(() => {
      fail(new EtcdFault('TIMEOUT', `${endpoint.label} confirmed no watch in ${timing.watchConnectMs} ms`));
    }, timing.watchConnectMs);
    over.addEventListener('abort', () => clearTimeout(timer), { once: true });
    client.watch({
      key: entry.entry.key,
      startRevision,
      listener: {
        connected: () => {
          clearTimeout(timer);
          // Before this the package hides that etcd was away: it may have come back without its data.
          this.#renewAt = 0;
          waker.wake();
        },
        message: ({ events }) => {
          const last = events.at(-1);
          if (last === undefined) return;
          if (last.type.toUpperCase() === 'DELETE') this.#deleted(entry, Number(last.kv.mod_revision));
          else if (last.kv.lease !== lease.id) entry.holds({ kind: 'taken', retryAt: this.#afterTtl() });
          waker.wake();
        },
        failed: fail,
      },
    });
  }

  #deleted(entry: LeasedEntry, revision: number): void {
    // Of a key that was claimed again since, this is old news.
    if (entry.holding.kind === 'ours' && revision <= entry.holding.revision) return;
    if (entry.holding.kind === 'taken') {
      entry.holds({ kind: 'taken', retryAt: performance.now() + this.#options.random() * CLAIM_JITTER_MS });
    }
    // When it is not wanted, it was this process.
    if (entry.holding.kind === 'ours' && entry.isWanted) this.#doubted.add(entry);
  }
}
