import type { IWatchResponse } from 'etcd3';
import { readValue, saysSame, type ReadDetails } from '../../core/endpoint.ts';
import type { EtcdSnapshot } from '../../etcd/client.ts';

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
    // A watch that begins below our revision repeats what the list has told. The header's revision cannot be used
    // for this: while a watcher catches up, it runs ahead of the events still to come.
    const known = this.#revision;
    let changed = false;
    for (const { type, kv } of message.events) {
      const revision = Number(kv.mod_revision);
      if (revision <= known) continue;
      this.#revision = Math.max(this.#revision, revision);
      const name = kv.key.toString('utf8', this.#prefixBytes);
      // The package's types say `Delete`, etcd's messages `DELETE`.
      if (type.toUpperCase() === 'DELETE') {
        changed = this.#members.delete(name) || changed;
        continue;
      }
      const [before, said] = [this.#members.get(name), readValue(kv.value)];
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
