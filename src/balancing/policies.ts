import type { Candidate } from './candidate.ts';

/** Decides which candidate is next. One object per listener. */
export interface Policy {
  /** Further candidates that a connection may try when the first does not answer. */
  readonly retries: number;
  /** Called once for each connection, and again each time a held client tries again. */
  begin(connection: PickFor): Picker;
}

/** The client for which a candidate is picked. */
export interface PickFor {
  /** The client's address, `10.0.0.7:41002`, or the one that its PROXY header names; `unix` on a Unix socket. */
  readonly client: string;
}

/** Picks the candidates for one connection. */
export interface Picker {
  /**
   * The candidate to try next.
   *
   * @param candidates the set as it is now, in order
   * @param fits whether one of them may be chosen
   * @returns undefined only when none fits
   */
  next<C extends Candidate>(candidates: readonly C[], fits: Fits<C>): C | undefined;
}

/** Whether a candidate may be chosen: this connection has not tried it, and no untried candidate is more available. */
export type Fits<C> = (candidate: C) => boolean;

/** Every policy by the name it has in `BALANCE`. @see {@link policyOf} */
const policies = {
  ordered: () => orderedPolicy(),
  'round-robin': (retries) => roundRobinPolicy(retries),
  'least-connections': (retries) => leastConnectionsPolicy(retries),
  random: (retries) => randomPolicy(retries),
} as const satisfies Readonly<Record<string, (retries: number) => Policy>>;

export type PolicyName = keyof typeof policies;

/**
 * The policy of that name.
 *
 * @param retries of the balanced ones; an ordered connection tries everybody
 */
export function policyOf(name: PolicyName, retries: number): Policy {
  return policies[name](retries);
}

/**
 * Tries the first candidate, then the second, until all were tried. A recovered first one is used at once. Weights mean
 * nothing.
 */
export function orderedPolicy(): Policy {
  const picker: Picker = { next: (candidates, fits) => candidates.find(fits) };
  return { retries: Infinity, begin: () => picker };
}

/**
 * Rotates exactly over the candidates that fit: each connection gets the candidate after the last connection's. Where
 * weights differ it is the smooth weighted rotation of nginx: over any run as long as the sum of the weights each
 * candidate
 * is chosen as often as its weight says, and never in a row where it can be helped.
 */
export function roundRobinPolicy(retries: number): Policy {
  let position = 0;
  /** How far each candidate is behind its share; only while weights differ. */
  const credits = new WeakMap<Candidate, number>();
  return {
    retries,
    begin() {
      let start: number | undefined;
      return {
        next(candidates, fits) {
          if (!isEven(candidates)) {
            const chosen =
              start === undefined ? takeTurn(candidates, fits, credits) : richest(candidates, fits, credits);
            if (chosen !== undefined) start = candidates.indexOf(chosen) + 1;
            return chosen;
          }
          const index = nextFrom(start ?? position, candidates, fits);
          if (index === undefined) return undefined;
          // Taken at the first choice, and by it alone: a connection that meets an empty set uses up no place, and one
          // that tries further candidates moves nobody else's.
          if (start === undefined) position = index + 1;
          start = index + 1;
          return candidates[index];
        },
      };
    },
  };
}

/**
 * Picks the candidate with the fewest open connections for its weight, the new one counted; equal candidates take
 * turns.
 */
export function leastConnectionsPolicy(retries: number): Policy {
  let position = 0;
  const picker: Picker = {
    next(candidates, fits) {
      const count = candidates.length;
      let best: (typeof candidates)[number] | undefined;
      let bestIndex = 0;
      for (let step = 0; step < count; step += 1) {
        const index = (position + step) % count;
        const candidate = candidates[index];
        if (candidate === undefined || (best !== undefined && loadOf(candidate) >= loadOf(best))) continue;
        if (!fits(candidate)) continue;
        best = candidate;
        bestIndex = index;
      }
      if (best !== undefined) position = bestIndex + 1;
      return best;
    },
  };
  return { retries, begin: () => picker };
}

/**
 * Power of two choices: draws two candidates at random by weight, and picks the one with fewer open connections for its
 * weight. Nearly as even as looking at all of them, without the herd that several proxies make when each
 * sends everything to the same least one (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing").
 *
 * @param random uniform in [0, 1); default: `Math.random`
 */
export function randomPolicy(retries: number, random: () => number = Math.random): Policy {
  const picker: Picker = {
    next(candidates, fits) {
      const fitting = candidates.filter(fits);
      if (fitting.length < 2) return fitting[0];
      const one = drawn(fitting, random);
      const rest = fitting.slice(one + 1).concat(fitting.slice(0, one));
      const [a, b] = [fitting[one], rest[drawn(rest, random)]];
      return a !== undefined && b !== undefined && loadOf(b) < loadOf(a) ? b : a;
    },
  };
  return { retries, begin: () => picker };
}

/** Whether no candidate has another weight than the others. */
function isEven(candidates: readonly Candidate[]): boolean {
  const weight = candidates[0]?.weight;
  return candidates.every((candidate) => candidate.weight === weight);
}

/** Open connections for the weight it has, with one more. */
function loadOf({ open, weight }: Candidate): number {
  return (open + 1) / weight;
}

/** Gives each that fits its share, and takes a whole round from the one that then is furthest behind. */
function takeTurn<C extends Candidate>(
  candidates: readonly C[],
  fits: Fits<C>,
  credits: WeakMap<Candidate, number>,
): C | undefined {
  let round = 0;
  for (const candidate of candidates) {
    if (!fits(candidate)) continue;
    credits.set(candidate, (credits.get(candidate) ?? 0) + candidate.weight);
    round += candidate.weight;
  }
  const chosen = richest(candidates, fits, credits);
  if (chosen !== undefined) credits.set(chosen, (credits.get(chosen) ?? 0) - round);
  return chosen;
}

/** The one that fits and is furthest behind its share. */
function richest<C extends Candidate>(
  candidates: readonly C[],
  fits: Fits<C>,
  credits: WeakMap<Candidate, number>,
): C | undefined {
  let best: C | undefined;
  let most = -Infinity;
  for (const candidate of candidates) {
    const credit = credits.get(candidate) ?? 0;
    if (credit <= most || !fits(candidate)) continue;
    best = candidate;
    most = credit;
  }
  return best;
}

/** Index of one drawn by weight. */
function drawn(candidates: readonly Candidate[], random: () => number): number {
  if (isEven(candidates)) return Math.floor(random() * candidates.length);
  let left = random() * candidates.reduce((sum, { weight }) => sum + weight, 0);
  const index = candidates.findIndex(({ weight }) => (left -= weight) < 0);
  return index === -1 ? candidates.length - 1 : index;
}

/** Index of the first that fits, going around from `start`. */
function nextFrom<C>(start: number, candidates: readonly C[], fits: Fits<C>): number | undefined {
  for (let step = 0; step < candidates.length; step += 1) {
    const index = (start + step) % candidates.length;
    const candidate = candidates[index];
    if (candidate !== undefined && fits(candidate)) return index;
  }
  return undefined;
}
