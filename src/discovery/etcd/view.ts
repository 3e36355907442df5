import type { IWatchResponse } from 'etcd3';
import { readValue, saysSame, type ReadDetails } from '../../core/endpoint.ts';
import type { EtcdSnapshot } from '../../etcd/client.ts';
import { changesBeyond, revisionAfter } from './watch-changes.ts';

/** What etcd holds below a directory: a snapshot, carried on by the events of a watch. */
export class EtcdView {
  readonly #prefixBytes: number;
  readonly #members: Map<string, ReadDetails>;
  #revision: number;

  constructor(prefix: string, snapshot: EtcdSnapshot) {
    this.#prefixBytes = Buffer.byteLength(prefix);
    this.#members = new Map(snapshot.members);
    this.#revision = snapshot.revision;
  }

  /** Of the last change that is part of this view. */
  get revision(): number {
    return this.#revision;
  }

  /** By what stands behind the prefix, each name whole: what the values say. */
  get members(): ReadonlyMap<string, ReadDetails> {
    return this.#members;
  }

  /**
   * Takes in one message of a watch, whole: a transaction's events share one revision and come together.
   *
   * @returns whether a name came or went, or its value says something else; another value or lease is no change in itself
   */
  apply(message: Pick<IWatchResponse, 'events'>): boolean {
    const changes = changesBeyond(this.#revision, message);
    this.#revision = revisionAfter(this.#revision, changes);
    let changed = false;
    for (const { key, value, isGone } of changes) {
      const name = key.toString('utf8', this.#prefixBytes);
      if (isGone) {
        changed = this.#members.delete(name) || changed;
        continue;
      }
      const [before, said] = [this.#members.get(name), readValue(value)];
      if (before !== undefined && saysSame(before, said)) continue;
      this.#members.set(name, said);
      changed = true;
    }
    return changed;
  }

  /** Whether a list has exactly the members of this view, and says the same of each. */
  agreesWith({ members }: EtcdSnapshot): boolean {
    if (members.size !== this.#members.size) return false;
    for (const [name, said] of members) {
      const known = this.#members.get(name);
      if (known === undefined || !saysSame(known, said)) return false;
    }
    return true;
  }
}
