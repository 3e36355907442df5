import { setTimeout as pause } from 'node:timers/promises';
import type { Registrar, Registration, RegistrationListener, RegistryEntry } from '../registration.ts';
import { FileEntry } from './entry.ts';

export interface DirectoryRegistrarOptions {
  /** Absolute path of the registry. */
  readonly root: string;
  /** How long an entry outlives this process, ms; readers that know its TTL drop it then. */
  readonly ttlMs: number;
}

/** A file system that hangs holds a close up for no longer. */
const CLOSE_MS = 4_000;

/** Keeps entries as files in a registry that is a directory. */
export class DirectoryRegistrar implements Registrar {
  readonly #options: DirectoryRegistrarOptions;
  readonly #entries = new Set<FileEntry>();

  constructor(options: DirectoryRegistrarOptions) {
    this.#options = options;
  }

  register(entry: RegistryEntry, listener: RegistrationListener): Registration {
    const registration = new FileEntry(entry, { ...this.#options, listener });
    this.#entries.add(registration);
    return registration;
  }

  async close(): Promise<void> {
    for (const entry of this.#entries) entry.want(false);
    const limit = new AbortController();
    const gone = Promise.all([...this.#entries].map((entry) => entry.released()));
    await Promise.race([gone, pause(CLOSE_MS, undefined, { signal: limit.signal }).catch(() => undefined)]);
    limit.abort();
  }
}
