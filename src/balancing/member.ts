import type { Address } from '../core/address.ts';
import type { Endpoint } from '../core/endpoint.ts';
import type { CandidateStatus } from '../core/status.ts';
import type { Candidate } from './candidate.ts';
import type { PassiveHealth } from './ejection.ts';
import type { Load } from './load-ticket.ts';

/** A candidate as its pool sees it. */
export class Member implements Candidate {
  readonly health: PassiveHealth;
  readonly load: Load;
  #endpoint: Endpoint;

  constructor(endpoint: Endpoint, state: { readonly health: PassiveHealth; readonly load: Load }) {
    this.#endpoint = endpoint;
    this.health = state.health;
    this.load = state.load;
  }

  get key(): string {
    return this.#endpoint.key;
  }

  get address(): Address {
    return this.#endpoint.address;
  }

  get weight(): number {
    return this.#endpoint.weight;
  }

  get priority(): number {
    return this.#endpoint.priority;
  }

  get zone(): string | undefined {
    return this.#endpoint.zone;
  }

  get open(): number {
    return this.load.open;
  }

  get status(): CandidateStatus {
    const { key, weight, priority, zone } = this.#endpoint;
    return {
      key,
      ...this.health.status,
      open: this.open,
      ...(weight !== 1 && { weight }),
      ...(priority !== 0 && { priority }),
      ...(zone !== undefined && { zone }),
    };
  }

  /** The registry says something else of the same address. */
  describe(endpoint: Endpoint): void {
    this.#endpoint = endpoint;
  }
}
