import { setTimeout as pause } from 'node:timers/promises';
import type { EtcdNode } from '../support/etcd.ts';
import { eventually } from '../support/wait.ts';
import type { Evidence, Outage } from './absences.ts';
import { MEMBERS } from './plan.ts';

export const DIRECTORY = '/srv/soak';

const LOOK_EVERY_MS = 100;
const RECOVERY_LIMIT_MS = 60_000;

/**
 * The registry as the soak writes it, with what it has confirmed. One call at a time, so that what is known has an
 * order; it is looked at all the time, so that leases that expire are known, too.
 */
export class Registry {
  readonly evidence: Evidence[] = [];
  readonly outages: Outage[] = [];
  /** Transactions, puts and deletes that were confirmed. */
  writes = 0;
  readonly #etcd: EtcdNode;
  readonly #members: readonly string[];
  #queue: Promise<unknown> = Promise.resolve();
  #present = 0;

  /** @param members host and port of each, in the order of the bits of a set */
  constructor(etcd: EtcdNode, members: readonly string[]) {
    this.#etcd = etcd;
    this.#members = members;
  }

  /** Swaps the whole set in one transaction. */
  async swap(set: number): Promise<void> {
    await this.#inTurn(async () => {
      const [put, remove] = [this.#of(set & ~this.#present), this.#of(this.#present & ~set)];
      if (put.length + remove.length === 0) return;
      this.#willPut(put);
      await this.#etcd.api.transact({ put: put.map(keyOf), remove: remove.map(keyOf) });
      this.#removed(remove);
      this.#present = set;
    });
  }

  /** Puts and deletes keys one by one until `set` is there. */
  async flap(set: number): Promise<void> {
    for (let bit = 0; bit < MEMBERS; bit += 1) await this.swap((this.#present & ~(1 << bit)) | (set & (1 << bit)));
  }

  /** Writes every key of the present set again, with another value. */
  async touch(): Promise<void> {
    await this.#inTurn(async () => {
      for (const member of this.#of(this.#present)) {
        await this.#etcd.api.put(keyOf(member), { value: `${Date.now()}` });
        this.writes += 1;
      }
    });
  }

  /** Ties a member to a lease that nobody refreshes; resolves when the registry has removed it. */
  async expire(index: number, deadlineMs: number): Promise<void> {
    const member = this.#members[index] ?? '';
    await this.#inTurn(async () => {
      this.#willPut([member]);
      const lease = await this.#etcd.api.grant(1);
      await this.#etcd.api.put(keyOf(member), { lease });
      this.writes += 1;
      this.#present |= 1 << index;
    });
    const deadline = Date.now() + deadlineMs;
    while ((await this.look()).includes(member)) {
      if (Date.now() > deadline) throw new Error(`etcd kept the key of an expired lease for ${deadlineMs} ms`);
      await pause(LOOK_EVERY_MS);
    }
  }

  /** A key below the directory that is no member. */
  async putNonsense(key: string): Promise<void> {
    await this.#inTurn(async () => {
      await this.#etcd.api.put(keyOf(key));
      await this.#etcd.api.remove(keyOf(key));
      this.writes += 2;
    });
  }

  /** @returns the members that the registry confirms */
  async look(): Promise<readonly string[]> {
    return await this.#inTurn(async () => {
      const askedAt = Date.now();
      const names = await this.#etcd.api.names(`${DIRECTORY}/`);
      const members = this.#members.filter((member) => names.includes(member));
      this.evidence.push({ kind: 'members', members, askedAt, at: Date.now() });
      this.#present = this.#members.reduce((set, member, bit) => set | (members.includes(member) ? 1 << bit : 0), 0);
      return members;
    });
  }

  /** Looks again and again until aborted; that it fails while etcd is down is part of the play. */
  async watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.look().catch(() => undefined);
      await pause(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Does something to etcd that it does not answer meanwhile. */
  async outage(fault: () => Promise<void>): Promise<void> {
    const from = Date.now();
    try {
      await fault();
    } finally {
      await eventually(() => this.#etcd.api.healthy(), 'etcd answers again', RECOVERY_LIMIT_MS);
      this.outages.push({ from, to: Date.now() });
    }
  }

  async #inTurn<T>(call: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(call, call);
    this.#queue = turn.catch(() => undefined);
    return await turn;
  }

  #of(set: number): readonly string[] {
    return this.#members.filter((_, bit) => (set & (1 << bit)) !== 0);
  }

  #willPut(members: readonly string[]): void {
    for (const member of members) this.evidence.push({ kind: 'put', member, at: Date.now() });
  }

  #removed(members: readonly string[]): void {
    this.writes += 1;
    for (const member of members) this.evidence.push({ kind: 'removed', member, at: Date.now() });
  }
}

function keyOf(member: string): string {
  return `${DIRECTORY}/${member}`;
}
