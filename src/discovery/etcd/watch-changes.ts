import type { IWatchResponse } from 'etcd3';

type Message = Pick<IWatchResponse, 'events'>;

/** One event of a watch. */
export interface WatchChange {
  readonly key: Buffer;
  readonly value: Buffer;
  /** Of the key, as etcd writes it. */
  readonly revision: string;
  readonly isGone: boolean;
}

/**
 * What a message of a watch tells beyond a revision that is known. A watch that begins below it repeats what a list has told. The
 * revision of the message's header cannot be used for this: while a watcher catches up, it runs ahead of the events still to come.
 */
export function changesBeyond(known: number, { events }: Message): readonly WatchChange[] {
  return events
    .filter(({ kv }) => Number(kv.mod_revision) > known)
    .map(({ type, kv }) => ({
      key: kv.key,
      value: kv.value,
      revision: kv.mod_revision,
      // The package's types say `Delete`, etcd's messages `DELETE`.
      isGone: type.toUpperCase() === 'DELETE',
    }));
}

/** Of the last of some changes; that which is known when there is none. */
export function revisionAfter(known: number, changes: readonly WatchChange[]): number {
  return changes.reduce((latest, { revision }) => Math.max(latest, Number(revision)), known);
}
