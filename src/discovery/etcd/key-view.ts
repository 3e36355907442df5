import type { IWatchResponse } from 'etcd3';
import type { EtcdValue } from '../../etcd/client.ts';
import type { FoundText } from '../text-source.ts';
import { changesBeyond, revisionAfter } from './watch-changes.ts';

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
    const changes = changesBeyond(this.#revision, message);
    this.#revision = revisionAfter(this.#revision, changes);
    const last = changes.at(-1);
    if (last === undefined) return false;
    this.#found = last.isGone
      ? { text: undefined, revision: undefined }
      : { text: last.value.toString(), revision: last.revision };
    return true;
  }

  agreesWith({ value }: EtcdValue): boolean {
    return value?.revision === this.#found.revision;
  }
}
