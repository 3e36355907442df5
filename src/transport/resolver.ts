import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';

/** Address family that names are looked up in; 0 is both, in the order the system's resolver gives. */
export type Family = 0 | 4 | 6;

/** Turns a host into the addresses to try, in order. */
export interface Resolver {
  /** At least one IP literal. @throws the look-up's error (`ENOTFOUND`, `EAI_AGAIN`, ...) */
  resolve(host: string, family: Family): Promise<readonly string[]>;
}

/** How long an answer is used again; behind a name that moves, a new connection must not go astray for longer than this. */
const CACHE_MS = 1_000;
const MAX_CACHED_NAMES = 1_000;

interface Answer {
  readonly addresses: Promise<readonly string[]>;
  /** `performance.now()` of the answer; undefined while it is awaited. */
  answeredAt: number | undefined;
}

/**
 * The system's resolver (`getaddrinfo`: hosts file, search domains), asked once at a time per name. Answers are used for
 * one second, failures for none.
 */
export function systemResolver(now: () => number = () => performance.now()): Resolver {
  const answers = new Map<string, Answer>();

  return {
    resolve(host, family) {
      if (isIP(host) !== 0) return Promise.resolve([host]);
      const key = `${family} ${host}`;
      const known = answers.get(key);
      if (known !== undefined && (known.answeredAt === undefined || now() - known.answeredAt < CACHE_MS)) {
        return known.addresses;
      }
      if (answers.size >= MAX_CACHED_NAMES) answers.clear();
      const answer: Answer = { addresses: ask(host, family), answeredAt: undefined };
      answers.set(key, answer);
      answer.addresses.then(
        () => {
          answer.answeredAt = now();
        },
        () => {
          if (answers.get(key) === answer) answers.delete(key);
        },
      );
      return answer.addresses;
    },
  };
}

async function ask(host: string, family: Family): Promise<readonly string[]> {
  const found = await lookup(host, { all: true, family, verbatim: true });
  return found.map(({ address }) => address);
}
