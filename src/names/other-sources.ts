import { lookup } from 'node:dns/promises';
import { NameError, type Family } from '../core/resolver.ts';

type Ask = (host: string, family: Family) => Promise<readonly string[]>;

/** Of the four threads that files and `getaddrinfo` share in Node, names get two at most. */
const PLACES = 2;
const MAX_QUEUED = 64;
const TURN_MS = 1_000;

/**
 * Sources that only the C library can ask (mdns, sss, nis, ...). It cannot be stopped and may take half a minute, so
 * this is one place, with room for two: who gets no turn soon is told so, and never blames the name.
 */
export class OtherSources {
  readonly #ask: Ask;
  #busy = 0;
  readonly #queue = new Set<() => void>();

  /** @param ask replaced in tests */
  constructor(ask: Ask = askLibrary) {
    this.#ask = ask;
  }

  /** @throws NameError `LOOKUP_BUSY`, or the C library's error */
  async ask(host: string, family: Family): Promise<readonly string[]> {
    if (this.#busy < PLACES) this.#busy += 1;
    else if (!(await this.#turn())) throw new NameError('LOOKUP_BUSY', host);
    try {
      return await this.#ask(host, family);
    } finally {
      // The place goes from hand to hand while anybody waits for it.
      const [next] = this.#queue;
      if (next === undefined) this.#busy -= 1;
      else next();
    }
  }

  /** @returns whether it got a place that another had */
  #turn(): Promise<boolean> {
    if (this.#queue.size >= MAX_QUEUED) return Promise.resolve(false);
    return new Promise((resolve) => {
      const done = (isOurs: boolean) => {
        clearTimeout(late);
        this.#queue.delete(come);
        resolve(isOurs);
      };
      const come = () => done(true);
      const late = setTimeout(() => done(false), TURN_MS);
      this.#queue.add(come);
    });
  }
}

async function askLibrary(host: string, family: Family): Promise<readonly string[]> {
  const found = await lookup(host, { all: true, family, order: 'verbatim' });
  return found.map(({ address }) => address);
}
