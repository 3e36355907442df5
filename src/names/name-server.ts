import { Resolver } from 'node:dns/promises';
import { errnoOf } from '../core/errors.ts';

/** What name servers say of one name in one family. */
export type DnsAnswer =
  | { readonly kind: 'found'; readonly addresses: readonly string[] }
  /** `exists`: the name is there, with no address of this family. */
  | { readonly kind: 'none'; readonly exists: boolean }
  | { readonly kind: 'failed'; readonly code: 'EAI_AGAIN' | 'DNS_TIMEOUT' };

export interface DnsQuestion {
  readonly name: string;
  readonly family: 4 | 6;
  /** Nobody waits for the answer any more. */
  readonly isOver: () => boolean;
}

/** The first time-out of one packet. Node's library then learns the usual time from the answers, and sends more packets. */
const PACKET_MS = 1_500;
const PACKETS = 3;
/** Questions of that many packets, while somebody waits. */
const MOST_TRIALS = 30;

/** One name server, which is asked by Node's own resolver (c-ares): no thread is taken, no question waits for another. */
export class NameServer {
  readonly #resolver = new Resolver({ timeout: PACKET_MS, tries: PACKETS });
  readonly #now: () => number;
  #askedAt = -Infinity;
  /** Since when it has answered nothing at all; undefined: nothing that was asked since its last answer is open. */
  #silentSince: number | undefined;
  #closed = false;

  /** @throws when Node cannot use the address */
  constructor(address: string, now: () => number) {
    this.#resolver.setServers([address]);
    this.#now = now;
  }

  /** How long it has been waited for without a word about any name, ms. */
  get silentMs(): number {
    return this.#silentSince === undefined ? 0 : this.#now() - this.#silentSince;
  }

  /** How long ago it was asked last, ms. */
  get restedMs(): number {
    return this.#now() - this.#askedAt;
  }

  /** Never rejects. */
  async ask(question: DnsQuestion): Promise<DnsAnswer> {
    this.#askedAt = this.#now();
    this.#silentSince ??= this.#askedAt;
    for (let trial = 1; ; trial += 1) {
      const answer = await this.#askOnce(question);
      if (answer !== undefined) return answer;
      if (trial >= MOST_TRIALS || question.isOver() || this.#closed) return { kind: 'failed', code: 'DNS_TIMEOUT' };
    }
  }

  /** Ends every question. */
  close(): void {
    this.#closed = true;
    this.#resolver.cancel();
  }

  /** @returns undefined when no answer came */
  async #askOnce({ name, family }: DnsQuestion): Promise<DnsAnswer | undefined> {
    try {
      const addresses = await (family === 4 ? this.#resolver.resolve4(name) : this.#resolver.resolve6(name));
      this.#silentSince = undefined;
      return addresses.length === 0 ? { kind: 'none', exists: true } : { kind: 'found', addresses };
    } catch (error) {
      return this.#answerIn(errnoOf(error));
    }
  }

  #answerIn(code: string): DnsAnswer | undefined {
    switch (code) {
      case 'ENOTFOUND':
      case 'ENODATA':
        this.#silentSince = undefined;
        return { kind: 'none', exists: code === 'ENODATA' };
      // No name that a DNS packet can carry.
      case 'EBADNAME':
        return { kind: 'none', exists: false };
      case 'ETIMEOUT':
        return undefined;
      case 'ECONNREFUSED':
        // Nobody is there: as good as silent for a long time.
        this.#silentSince = -Infinity;
        return { kind: 'failed', code: 'EAI_AGAIN' };
      default:
        if (!this.#closed) this.#silentSince = undefined;
        return { kind: 'failed', code: 'EAI_AGAIN' };
    }
  }
}
