import type { LookupFunction } from 'node:net';
import type { DiscoveryBackend, RegisterConfig } from '../config/config.ts';
import type { Registrar } from '../registrar/registration.ts';

export interface RegistrarsOptions {
  /** The registry of the process, for services without one of their own. */
  readonly backend: DiscoveryBackend;
  readonly lookup: LookupFunction;
  /** A registrar that was asked for can be used now. */
  readonly loaded: () => void;
  readonly failed: (error: unknown) => void;
}

/** The registrars of a process: one for each registry and TTL, loaded when it is first needed. */
export class Registrars {
  readonly #options: RegistrarsOptions;
  readonly #byId = new Map<string, { readonly loading: Promise<Registrar>; loaded: Registrar | undefined }>();

  constructor(options: RegistrarsOptions) {
    this.#options = options;
  }

  idOf(register: RegisterConfig): string {
    return `${JSON.stringify(this.backendOf(register))} ${register.ttlMs}`;
  }

  backendOf({ registry }: RegisterConfig): DiscoveryBackend {
    return registry ?? this.#options.backend;
  }

  /** @returns undefined until it is loaded */
  get(register: RegisterConfig): Registrar | undefined {
    const id = this.idOf(register);
    const known = this.#byId.get(id);
    if (known !== undefined) return known.loaded;
    const loading = this.#load(register);
    const one: { loading: Promise<Registrar>; loaded: Registrar | undefined } = { loading, loaded: undefined };
    this.#byId.set(id, one);
    loading.then(
      (loaded) => {
        one.loaded = loaded;
        this.#options.loaded();
      },
      (error: unknown) => this.#options.failed(error),
    );
    return undefined;
  }

  /** Takes all their entries out. */
  async close(): Promise<void> {
    await Promise.all([...this.#byId.values()].map(async ({ loading }) => (await quietly(loading))?.close()));
  }

  async #load(register: RegisterConfig): Promise<Registrar> {
    const backend = this.backendOf(register);
    if (backend.kind === 'directory') {
      const { DirectoryRegistrar } = await import('../registrar/directory/registrar.ts');
      return new DirectoryRegistrar({ root: backend.root, ttlMs: register.ttlMs });
    }
    if (backend.kind !== 'etcd') throw new TypeError(`no registrar for ${backend.kind}`);
    const { openEtcdRegistrar } = await import('../registrar/etcd/open.ts');
    return openEtcdRegistrar(backend, { ttlMs: register.ttlMs, lookup: this.#options.lookup });
  }
}

async function quietly<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch {
    return undefined;
  }
}
