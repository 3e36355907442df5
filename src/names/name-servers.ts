import { TimeLimit } from '../core/time-limit.ts';
import { NameServer, type DnsAnswer } from './name-server.ts';
import type { ResolvConf } from './resolv-conf.ts';

export type NameServersOptions = Pick<ResolvConf, 'servers' | 'limitMs' | 'rotate'> & { readonly now: () => number };

/** A server that says nothing for so long does not keep the next one from being asked. */
const HEDGE_MS = 400;
/** Without a word about anything for so long it is not waited for. */
const DEAD_MS = 2_000;
/** One that was passed over is asked as well now and then, to see whether it is back. */
const PROBE_MS = 5_000;
/** A later server does not know the name: an earlier one may still say that it does. */
const DOUBT_MS = 1_000;

/**
 * The name servers of resolv.conf. The first that answers is believed; one that is dead costs a look-up 0.4 s once, not
 * its time-out each time. That a name does not exist is believed of a later server only when the earlier ones are given
 * a moment to say otherwise: they may be the ones that know the names of this network.
 */
export class NameServers {
  readonly #servers: readonly NameServer[];
  readonly #options: NameServersOptions;
  #turn = 0;

  constructor(options: NameServersOptions) {
    this.#options = options;
    this.#servers = options.servers.flatMap((address) => {
      try {
        return [new NameServer(address, options.now)];
      } catch {
        return [];
      }
    });
  }

  /** Asks for one name in one family. Never rejects, and takes `limitMs` at most. */
  ask(name: string, family: 4 | 6): Promise<DnsAnswer> {
    const { limitMs, rotate } = this.#options;
    const first = rotate ? this.#turn++ % Math.max(1, this.#servers.length) : 0;
    const ranked = [...this.#servers.slice(first), ...this.#servers.slice(0, first)];
    return new Promise((resolve) => new Round({ ranked, name, family, limitMs, resolve }).start());
  }

  /** Ends every question; what is asked after that may go unanswered. */
  close(): void {
    for (const server of this.#servers) server.close();
  }
}

interface RoundOptions {
  /** The one whose word counts most first. */
  readonly ranked: readonly NameServer[];
  readonly name: string;
  readonly family: 4 | 6;
  readonly limitMs: number;
  readonly resolve: (answer: DnsAnswer) => void;
}

/** One question, and the servers that are asked for it. */
class Round {
  readonly #options: RoundOptions;
  readonly #waiting: NameServer[];
  readonly #asked = new Set<NameServer>();
  #limit: TimeLimit<Round> | undefined;
  #hedge: NodeJS.Timeout | undefined;
  #doubt: TimeLimit<Round> | undefined;
  #negative: { readonly answer: DnsAnswer; readonly rank: number } | undefined;
  #failure: DnsAnswer = { kind: 'failed', code: 'DNS_TIMEOUT' };
  #over = false;

  constructor(options: RoundOptions) {
    this.#options = options;
    const isQuick = (server: NameServer) => server.silentMs < HEDGE_MS;
    const { ranked } = options;
    this.#waiting = [...ranked.filter(isQuick), ...ranked.filter((server) => !isQuick(server))];
  }

  start(): void {
    this.#limit = new TimeLimit<Round>(this.#options.limitMs, onOutOfTime, this);
    const [first, ...others] = this.#waiting;
    if (first === undefined) {
      this.#finish({ kind: 'failed', code: 'EAI_AGAIN' });
      return;
    }
    this.#next();
    for (const server of others) {
      if (server.silentMs >= HEDGE_MS && server.restedMs >= PROBE_MS) this.#ask(server);
    }
  }

  /** The best that is known then. */
  outOfTime(): void {
    this.#finish(this.#negative?.answer ?? this.#failure);
  }

  #next(): void {
    clearTimeout(this.#hedge);
    const server = this.#waiting[0];
    if (server === undefined) return;
    this.#ask(server);
    if (this.#waiting.length > 0) this.#hedge = setTimeout(() => this.#next(), HEDGE_MS);
  }

  #ask(server: NameServer): void {
    this.#waiting.splice(this.#waiting.indexOf(server), 1);
    this.#asked.add(server);
    const { name, family } = this.#options;
    void server.ask({ name, family, isOver: () => this.#over }).then((answer) => {
      if (!this.#over) this.#answered(server, answer);
    });
  }

  #answered(server: NameServer, answer: DnsAnswer): void {
    this.#asked.delete(server);
    if (answer.kind === 'found') {
      this.#finish(answer);
      return;
    }
    if (answer.kind === 'failed') {
      // That a server could not say is news; that another was silent is not.
      if (answer.code === 'EAI_AGAIN') this.#failure = answer;
    } else {
      const rank = this.#options.ranked.indexOf(server);
      if (this.#negative === undefined || rank < this.#negative.rank) this.#negative = { answer, rank };
    }
    if (this.#negative !== undefined) this.#believe(this.#negative);
    else if (this.#waiting.length > 0) this.#next();
    else if (this.#asked.size === 0) this.#finish(this.#failure);
  }

  /** Whether the servers whose word counts more have had their say. */
  #believe({ answer, rank }: { readonly answer: DnsAnswer; readonly rank: number }): void {
    const better = this.#options.ranked.slice(0, rank).filter((server) => server.silentMs < DEAD_MS);
    for (const server of better) if (this.#waiting.includes(server)) this.#ask(server);
    if (better.some((server) => this.#asked.has(server))) {
      this.#doubt ??= new TimeLimit<Round>(DOUBT_MS, onOutOfTime, this);
    } else this.#finish(answer);
  }

  #finish(answer: DnsAnswer): void {
    if (this.#over) return;
    this.#over = true;
    this.#limit?.clear();
    clearTimeout(this.#hedge);
    this.#doubt?.clear();
    this.#options.resolve(answer);
  }
}

const onOutOfTime = (round: Round): void => round.outOfTime();
