import { messageOf } from '../../core/errors.ts';
import type { DialPolicy } from '../../core/dial-policy.ts';
import { parseAddress } from '../../core/address.ts';
import type { SentinelAddress } from './connection.ts';
import { at } from './questions.ts';
import { Sentinel, type Said, type SentinelOptions } from './sentinel.ts';
import { isMajority, primaryOf, replicasOf, type VoteResult } from './vote.ts';

export interface CouncilOptions extends SentinelOptions {
  /** `host:port` of those that are always asked. */
  readonly sentinels: readonly string[];
  /** Of the addresses that Sentinels tell of others. */
  readonly policy: DialPolicy;
}

/** What all Sentinels together answered; `silent`: none answered. */
export type CouncilAnswer = VoteResult | { readonly kind: 'silent'; readonly fault: string };

/** A Sentinel that tells of more Sentinels than this is not believed. */
const MOST_LEARNT = 32;

/** The Sentinels that are asked: those of the configuration, and those that these have told of. */
export class Council {
  readonly #options: CouncilOptions;
  readonly #named: readonly Sentinel[];
  /** By id. */
  readonly #learnt = new Map<string, Sentinel>();

  constructor(options: CouncilOptions) {
    this.#options = options;
    this.#named = options.sentinels.flatMap((text) => {
      const parsed = parseAddress(text, 'discovered');
      return parsed.ok && parsed.address.kind === 'tcp' ? [new Sentinel(parsed.address, options)] : [];
    });
  }

  /** How many are asked. */
  get size(): number {
    return this.#named.length + this.#learnt.size;
  }

  /** Asks all, and waits no longer than for a majority of all that says the same. Never rejects. */
  ask(): Promise<CouncilAnswer> {
    const sentinels = [...this.#named, ...this.#learnt.values()];
    const said = new Map<string, Said>();
    const faults: string[] = [];
    return new Promise((resolve) => {
      let open = sentinels.length;
      const settle = () => {
        const votes = [...said.values()].map(({ vote }) => vote);
        if (votes.length === 0) resolve({ kind: 'silent', fault: [...new Set(faults)].sort().join(', ') });
        else resolve(this.#judge(votes));
      };
      const one = async (sentinel: Sentinel) => {
        try {
          const answer = await sentinel.ask();
          // Two addresses may be the same Sentinel, which has one vote.
          said.set(answer.id, answer);
        } catch (error) {
          faults.push(messageOf(error));
        }
        open -= 1;
        if (open === 0) this.#learn([...said.values()]);
        if (open === 0 || this.#isDecided([...said.values()], sentinels.length)) settle();
      };
      for (const sentinel of sentinels) void one(sentinel);
    });
  }

  close(): void {
    for (const sentinel of [...this.#named, ...this.#learnt.values()]) sentinel.close();
  }

  #judge(votes: readonly Said['vote'][]): VoteResult {
    const { role, name } = this.#options;
    return role === 'primary' ? primaryOf(votes, name) : replicasOf(votes, name);
  }

  /** Whether nobody who is still silent can change what is believed. Of replicas each may have another list. */
  #isDecided(said: readonly Said[], all: number): boolean {
    if (this.#options.role === 'replicas') return false;
    const counts = new Map<string, number>();
    for (const { vote } of said) {
      const [member] = vote ?? [];
      if (member !== undefined) counts.set(member, (counts.get(member) ?? 0) + 1);
    }
    return [...counts.values()].some((count) => isMajority(count, all));
  }

  /** Asks those, too, that a majority tells of, and lets go of the others: a Sentinel that lies brings nobody in. */
  #learn(said: readonly Said[]): void {
    if (said.length === 0) return;
    for (const [id, sentinel] of this.#learnt) {
      if (isToldOf(id, said)) continue;
      sentinel.close();
      this.#learnt.delete(id);
    }
    const known = [...this.#named, ...this.#learnt.values()];
    for (const { id, host, port } of said.flatMap(({ others }) => others)) {
      if (this.#learnt.has(id) || known.some((one) => one.id === id || one.label === at(host, port))) continue;
      if (this.#learnt.size >= MOST_LEARNT || !isToldOf(id, said) || !this.#isAllowed({ host, port })) continue;
      this.#learnt.set(id, new Sentinel({ host, port }, this.#options));
    }
  }

  #isAllowed({ host, port }: SentinelAddress): boolean {
    return parseAddress(at(host, port), 'discovered').ok && this.#options.policy.permits(host, port);
  }
}

/** Whether most of the others say that there is such a Sentinel; none tells of itself. */
function isToldOf(id: string, said: readonly Said[]): boolean {
  const others = said.filter((one) => one.id !== id);
  const telling = others.filter((one) => one.others.some((other) => other.id === id));
  return others.length === 0 || isMajority(telling.length, others.length);
}
