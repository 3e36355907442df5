import type { IWatchResponse } from 'etcd3';
import type { EtcdSnapshot } from './etcd-client.ts';

/** What etcd holds below a directory: a snapshot, carried on by the events of a watch. */
export class EtcdView {
  readonly #prefixBytes: number;
  readonly #names: Set<string>;
  #revision: number;

  constructor(prefix: string, snapshot: EtcdSnapshot) {
    this.#prefixBytes = Buffer.byteLength(prefix);
    this.#names = new Set(snapshot.names);
    this.#revision = snapshot.revision;
  }

  /** Of the last change that is part of this view. */
  get revision(): number {
    return this.#revision;
  }

  /** What stands behind the prefix, each name whole. */
  get names(): ReadonlySet<string> {
    return this.#names;
  }

  /**
   * Takes in one message of a watch, whole: a transaction's events share one revision and come together.
   *
   * @returns whether a name came or went; a new value or lease of a name is no change
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
        changed = this.#names.delete(name) || changed;
      } else if (!this.#names.has(name)) {
        this.#names.add(name);
        changed = true;
      }
    }
    return changed;
  }

  /** Whether a list names exactly what this view does. */
  agreesWith(snapshot: EtcdSnapshot): boolean {
    const listed = new Set(snapshot.names);
    return listed.size === this.#names.size && [...listed].every((name) => this.#names.has(name));
  }
}
