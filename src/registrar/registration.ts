/**
 * Where a registration stands:
 *
 * - `withdrawn`: it is not wanted in the registry;
 * - `waiting`: it is wanted, and the registry has not taken it yet; `error` says why, once something went wrong;
 * - `registered`: the registry holds it, under a lease of this process;
 * - `conflict`: somebody else holds the key; it is taken as soon as it is free;
 * - `removed`: somebody deleted the key; it is put back after one TTL, or when it is wanted anew.
 */
export type RegistrationState =
  | { readonly phase: 'withdrawn' }
  | { readonly phase: 'waiting'; readonly error: string | undefined }
  | { readonly phase: 'registered' }
  | { readonly phase: 'conflict' }
  | { readonly phase: 'removed' };

/** Whether nothing has changed that anybody is told. */
export function isSameState(one: RegistrationState, other: RegistrationState): boolean {
  if (one.phase !== 'waiting' || other.phase !== 'waiting') return one.phase === other.phase;
  return one.error === other.error;
}

/** What is written in the registry. */
export interface RegistryEntry {
  /** The service directory with the address behind it: `/srv/redis/debug/10.0.1.134:6379`. */
  readonly key: string;
  /** Empty, or a JSON object with weight, priority and zone. */
  readonly value: string;
}

/** One entry of a {@link Registrar}. */
export interface Registration {
  readonly entry: RegistryEntry;
  readonly state: RegistrationState;
  /** Whether it should be in the registry; returns at once. Not wanted at first. */
  want(isWanted: boolean): void;
  /** Another value under the same key; returns at once. */
  write(value: string): void;
  /** Resolves once the registry does not hold it for this process, as far as that is known; never rejects. */
  released(): Promise<void>;
}

/** Hears each change of a registration. It does not throw. */
export type RegistrationListener = (registration: Registration) => void;

/** Keeps entries in one registry for as long as this process lives. */
export interface Registrar {
  register(entry: RegistryEntry, listener: RegistrationListener): Registration;
  /**
   * Takes all entries out. Resolves when they are gone, or cannot be reached in time: then they go when their TTL is over.
   * May be called twice; never rejects.
   */
  close(): Promise<void>;
}
