import { exchange, TIMEOUT, type ServerAddress } from './exchange.ts';
import type { RecordQuery, ServiceRecord } from './reply.ts';

/** What the name servers say of a question together. Times are ms. */
export type RecordAnswer =
  | { readonly kind: 'addresses'; readonly addresses: readonly string[]; readonly ttlMs: number }
  | { readonly kind: 'services'; readonly services: readonly ServiceRecord[]; readonly ttlMs: number }
  /** `isSure`: two servers said so, or one did twice with some time between. */
  | { readonly kind: 'none'; readonly reason: string; readonly ttlMs: number; readonly isSure: boolean }
  /** `isSilent`: no server said a word. */
  | { readonly kind: 'failed'; readonly fault: string; readonly isSilent: boolean };

export interface DnsServersOptions {
  readonly signal: AbortSignal;
  /** How far apart two looks have to be for an absence to be believed, ms. */
  readonly doubtMs: number;
  /** A monotonic clock, ms. */
  readonly now?: () => number;
}

/** As many names may lead to one. */
const MAX_ALIASES = 8;
const NO_SERVER = 'no name server: name some in DSC, or in resolv.conf';

/**
 * Asks name servers in turn, beginning with the one that answered last. A server that starts up says for moments that a
 * name does not exist, so that is believed only when a second server says so, or the same one later.
 */
export class DnsServers {
  readonly #options: DnsServersOptions;
  readonly #now: () => number;
  #first: string | undefined;
  /** Since when a question had no answer, as far as one server knows. */
  #doubts = new Map<string, number>();
  #asked = new Set<string>();

  constructor(options: DnsServersOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Never rejects. */
  async ask(servers: readonly ServerAddress[], question: RecordQuery): Promise<RecordAnswer> {
    let { name } = question;
    let ttl = Number.POSITIVE_INFINITY;
    for (let hop = 0; hop <= MAX_ALIASES; hop += 1) {
      const answer = await this.#askAll(servers, { ...question, name });
      if (answer.kind === 'failed') return answer;
      ttl = Math.min(ttl, answer.ttlMs);
      if (answer.kind !== 'alias') return { ...answer, ttlMs: ttl };
      name = answer.target;
    }
    return { kind: 'failed', fault: `more than ${MAX_ALIASES} CNAME records`, isSilent: false };
  }

  /** A look is over: what it did not ask about is forgotten. */
  forget(): void {
    this.#doubts = new Map([...this.#doubts].filter(([key]) => this.#asked.has(key)));
    this.#asked.clear();
  }

  async #askAll(servers: readonly ServerAddress[], question: RecordQuery): Promise<RecordAnswer | Alias> {
    const key = `${question.type} ${question.name}`;
    this.#asked.add(key);
    const faults: string[] = [];
    let absence: Absence | undefined;
    for (const server of this.#inTurn(servers)) {
      const reply = await exchange(server, question, this.#options.signal);
      if (reply.kind === 'failed') {
        faults.push(`${labelOf(server)}: ${reply.fault}`);
        continue;
      }
      if (reply.kind !== 'none') {
        this.#first = labelOf(server);
        this.#doubts.delete(key);
        return reply;
      }
      if (absence !== undefined) return { ...reply, isSure: true };
      absence = reply;
    }
    if (absence !== undefined) return { ...absence, isSure: this.#isOld(key) };
    if (faults.length === 0) return { kind: 'failed', fault: NO_SERVER, isSilent: false };
    const isSilent = faults.every((fault) => fault.endsWith(` ${TIMEOUT}`));
    return { kind: 'failed', fault: `${question.type} ${question.name}: ${faults.join(', ')}`, isSilent };
  }

  #inTurn(servers: readonly ServerAddress[]): readonly ServerAddress[] {
    const first = Math.max(
      0,
      servers.findIndex((server) => labelOf(server) === this.#first),
    );
    return [...servers.slice(first), ...servers.slice(0, first)];
  }

  #isOld(key: string): boolean {
    const since = this.#doubts.get(key);
    if (since === undefined) this.#doubts.set(key, this.#now());
    return since !== undefined && this.#now() - since >= this.#options.doubtMs;
  }
}

interface Alias {
  readonly kind: 'alias';
  readonly target: string;
  readonly ttlMs: number;
}

interface Absence {
  readonly kind: 'none';
  readonly reason: string;
  readonly ttlMs: number;
}

function labelOf({ host, port }: ServerAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
