import type { Address } from '../core/address.ts';
import type { Candidate, CandidateStatus } from './candidate.ts';
import type { Health } from './ejection.ts';
import type { Load } from './seat.ts';

/** A candidate as its pool sees it. */
export class Member implements Candidate {
  readonly address: Address;
  readonly key: string;
  readonly health: Health;
  readonly load: Load;

  constructor(options: {
    readonly address: Address;
    readonly key: string;
    readonly health: Health;
    readonly load: Load;
  }) {
    this.address = options.address;
    this.key = options.key;
    this.health = options.health;
    this.load = options.load;
  }

  get open(): number {
    return this.load.open;
  }

  get status(): CandidateStatus {
    return { key: this.key, ...this.health.status, open: this.open };
  }
}
