import type { ConfigurationSource } from '../core/configuration-source.ts';
import type { Observer } from '../core/observer.ts';
import type { ConfigurationStatus, FollowedKeyStatus } from '../core/status.ts';
import type { Updated } from './updated.ts';

/** As many faults as somebody reads. */
const MOST_FAULTS = 100;

/** What is known of the lists of services that came at run time. */
export class ServicesInForce {
  readonly #observer: Observer;
  #status: ConfigurationStatus | undefined;

  /** @param key that of `SERVICES_KEY`: until its list comes, there is none */
  constructor(observer: Observer, key: string | undefined) {
    this.#observer = observer;
    if (key === undefined) return;
    this.#status = { source: 'start', rejections: 0, followed: { key, phase: 'starting', isAwaited: true } };
  }

  /** For the status of the process: nothing while those of the start are in force, and no other list has come. */
  get shown(): { readonly configuration?: ConfigurationStatus } {
    return this.#status === undefined ? {} : { configuration: this.#status };
  }

  applied(place: ListPlace, updated: Updated): void {
    const { rejections = 0, followed, rejected } = this.#status ?? {};
    const { source, revision } = place;
    const from = { source, ...(revision !== undefined && { revision }) };
    const shown = { ...from, sinceMs: Date.now(), ...updated, rejections };
    // A list that was kept says nothing of the one that was refused.
    const still = source === 'STATE_FILE' && rejected !== undefined ? { rejected } : {};
    this.#status = { ...shown, ...still, ...(followed && { followed: withoutWait(followed) }) };
    this.#observer({ type: 'configuration', outcome: 'applied', ...from, ...updated, faults: [] });
  }

  /** The key of `SERVICES_KEY` stands so. */
  followed(now: Pick<FollowedKeyStatus, 'phase' | 'error'>): void {
    const status = this.#status;
    const before = status?.followed;
    if (status === undefined || before === undefined) return;
    const { key, isAwaited } = before;
    this.#status = { ...status, followed: { key, ...now, ...(isAwaited && { isAwaited }) } };
    if (before.phase !== now.phase || before.error !== now.error) this.#observer({ type: 'services-key', key, ...now });
  }

  rejected(source: ConfigurationSource, all: readonly string[]): void {
    const before = this.#status ?? { source: 'start' as const, rejections: 0 };
    const faults = all.slice(0, MOST_FAULTS);
    this.#status = { ...before, rejections: before.rejections + 1, rejected: { source, atMs: Date.now(), faults } };
    const none = { added: [], changed: [], removed: [] };
    this.#observer({ type: 'configuration', outcome: 'rejected', source, ...none, faults });
  }
}

/** Where a list was found. */
export interface ListPlace {
  readonly source: ConfigurationSource;
  readonly revision: string | undefined;
}

function withoutWait({ key, phase, error }: FollowedKeyStatus): FollowedKeyStatus {
  return { key, phase, ...(error !== undefined && { error }) };
}
