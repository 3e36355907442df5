import type { ConfigurationSource } from '../core/configuration-source.ts';
import type { Observer } from '../core/observer.ts';
import type { ConfigurationStatus } from '../core/status.ts';
import type { Updated } from './updated.ts';

/** As many faults as somebody reads. */
const MOST_FAULTS = 100;

/** What is known of the lists of services that came at run time. */
export class ServicesInForce {
  readonly #observer: Observer;
  #status: ConfigurationStatus | undefined;

  constructor(observer: Observer) {
    this.#observer = observer;
  }

  /** For the status of the process: nothing while those of the start are in force, and no other list has come. */
  get shown(): { readonly configuration?: ConfigurationStatus } {
    return this.#status === undefined ? {} : { configuration: this.#status };
  }

  applied(source: ConfigurationSource, updated: Updated): void {
    const rejections = this.#status?.rejections ?? 0;
    this.#status = { source, sinceMs: Date.now(), ...updated, rejections };
    this.#observer({ type: 'configuration', outcome: 'applied', source, ...updated, faults: [] });
  }

  rejected(source: ConfigurationSource, all: readonly string[]): void {
    const before = this.#status ?? { source: 'start', rejections: 0 };
    const faults = all.slice(0, MOST_FAULTS);
    this.#status = { ...before, rejections: before.rejections + 1, rejected: { source, atMs: Date.now(), faults } };
    const none = { added: [], changed: [], removed: [] };
    this.#observer({ type: 'configuration', outcome: 'rejected', source, ...none, faults });
  }
}
