import type { IWatchResponse } from 'etcd3';
import type { EtcdValue } from '../../etcd/client.ts';
import type { FoundText } from '../text-source.ts';

/** One key of etcd: what a read has told, carried on by the events of a watch. */
export class KeyView {
  #revision: number;
  #found: FoundText;

  constructor({ revision, value }: EtcdValue) {
    this.#revision = revision;
    this.#found = { text: value?.text, revision: value?.revision };
  }

  /** Of the last change that is part of this view. */
  get revision(): number {
    return this.#revision;
  }

  get found(): FoundText {
    return this.#found;
  }

  /** Takes in one message of a watch. @returns whether the key has another revision, or is gone */
  apply(message: Pick<IWatchResponse, 'events'>): boolean {
    const known = this.#revision;
    let changed = false;
    for (const { type, kv } of message.events) {
      const revision = Number(kv.mod_revision);
      if (revision <= known) continue;
      this.#revision = Math.max(this.#revision, revision);
      const isGone = type.toUpperCase() === 'DELETE';
      this.#found = isGone
        ? { text: undefined, revision: undefined }
        : { text: kv.value.toString(), revision: kv.mod_revision };
      changed = true;
    }
    return changed;
  }

  agreesWith({ value }: EtcdValue): boolean {
    return value?.revision === this.#found.revision;
  }
}
