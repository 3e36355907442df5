import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { errnoOf } from '../core/errors.ts';

export interface WatchedFileOptions<T> {
  readonly path: string;
  /** @param text empty where there is no such file */
  readonly parse: (text: string) => T;
  readonly now: () => number;
}

/** How often it is looked whether a file has changed. */
const LOOK_MS = 1_000;
/** What is longer is no hosts file, and would stop the event loop while it is read. */
const MAX_BYTES = 4_194_304;

/** A small file of the system, read again when it has changed: at most once a second, and only when somebody asks. */
export class WatchedFile<T> {
  readonly #options: WatchedFileOptions<T>;
  #value: T;
  #mark = '';
  #lookedAt = -Infinity;
  #looking: Promise<void> | undefined;

  constructor(options: WatchedFileOptions<T>) {
    this.#options = options;
    this.#value = options.parse('');
  }

  /** The value of the last reading. */
  get value(): T {
    return this.#value;
  }

  /** Looks whether it is time to; resolves when `value` is up to date. Never rejects, and may never resolve. */
  look(): Promise<void> | undefined {
    if (this.#options.now() - this.#lookedAt < LOOK_MS) return this.#looking;
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
      this.#lookedAt = this.#options.now();
    });
    return this.#looking;
  }

  async #look(): Promise<void> {
    const { path, parse } = this.#options;
    try {
      const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
      const mark = [dev, ino, size, mtimeNs, ctimeNs].join();
      if (mark === this.#mark) return;
      const text = await readSmall(path);
      if (text === undefined) return;
      this.#value = parse(text);
      this.#mark = mark;
    } catch (error) {
      // What cannot be read for another reason may be readable in a moment: what was known stays.
      if (errnoOf(error) !== 'ENOENT' || this.#mark === '') return;
      this.#value = parse('');
      this.#mark = '';
    }
  }
}

/** @returns undefined when it is no regular file, or too long */
async function readSmall(path: string): Promise<string | undefined> {
  // A pipe without a writer must not hold a thread.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = await file.stat();
    if (!stats.isFile() || stats.size > MAX_BYTES) return undefined;
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}
