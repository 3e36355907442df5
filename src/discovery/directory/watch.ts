import { watch, type BigIntStats, type FSWatcher } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';

/**
 * Tells that something may have changed in the last directory of a chain, be it in that directory or because one
 * above it was replaced. Only a hint: what it misses (network file systems, no inotify watch left) a slow re-read finds.
 */
export class DirectoryWatch {
  readonly #links: readonly Link[];
  readonly #changed: () => void;
  #closed = false;

  /** @param chain absolute paths from the root of the registry down to the service directory */
  constructor(chain: readonly string[], changed: () => void) {
    this.#changed = changed;
    this.#links = chain.map((path, index) => {
      const below = chain[index + 1];
      return { path, below: below === undefined ? undefined : basename(below), watched: undefined };
    });
  }

  /**
   * Makes each watch that is missing, and replaces each whose path leads to another directory than the one watched.
   * To be called before reading, so that a change after the reading cannot go unseen. Never rejects.
   */
  async refresh(): Promise<void> {
    for (const link of this.#links) {
      const identity = await identify(link.path);
      if (this.#closed) return;
      if (identity === undefined) {
        drop(link);
      } else if (link.watched?.identity !== identity) {
        drop(link);
        this.#watch(link, identity);
      }
    }
  }

  close(): void {
    this.#closed = true;
    this.#links.forEach(drop);
  }

  #watch(link: Link, identity: string): void {
    try {
      // A synchronous call, but on a path that has just answered.
      const watcher = watch(link.path);
      link.watched = { watcher, identity };
      watcher.on('change', (event, name) => this.#heard(link, event, name));
      watcher.on('error', () => drop(link));
    } catch {
      // Gone again, not readable, or out of inotify watches: tried anew at the next refresh.
    }
  }

  #heard(link: Link, event: string, name: string | Buffer | null): void {
    // 'change' is a write to a member, or a touch: its name stays, and the next look reads its content.
    if (event !== 'rename') return;
    const text = name === null ? undefined : String(name);
    const itself = text === undefined || text === basename(link.path);
    // The way down may lead through hidden names beside it, as a ConfigMap's links lead through `..data`.
    if (link.below !== undefined && !itself && text !== link.below && !text.startsWith('.')) return;
    // An inode number may be used again at once, so a directory that was replaced can pass for the one watched.
    const index = this.#links.indexOf(link);
    this.#links.slice(itself ? index : index + 1).forEach(drop);
    this.#changed();
  }
}

interface Link {
  readonly path: string;
  /** Name in this directory of the next link; undefined in the service directory, where every name counts. */
  readonly below: string | undefined;
  watched: { readonly watcher: FSWatcher; readonly identity: string } | undefined;
}

function drop(link: Link): void {
  link.watched?.watcher.close();
  link.watched = undefined;
}

async function identify(path: string): Promise<string | undefined> {
  try {
    const found: BigIntStats = await stat(path, { bigint: true });
    return found.isDirectory() ? `${found.dev}:${found.ino}:${found.birthtimeNs}` : undefined;
  } catch {
    return undefined;
  }
}
