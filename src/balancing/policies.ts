import type { Candidate } from './candidate.ts';

/** Which candidate is next. One object per pool. */
export interface Policy {
  /** Further candidates that a connection may try when the first does not answer. */
  readonly retries: number;
  /** Called once per connection. */
  begin(): Turn;
}

/** One connection's way through the candidates. */
export interface Turn {
  /**
   * @param candidates the set as it is now, in order
   * @param fits whether one of them may be chosen
   * @returns undefined only when none fits
   */
  next<C extends Candidate>(candidates: readonly C[], fits: Fits<C>): C | undefined;
}

export type Fits<C> = (candidate: C) => boolean;

/**
 * The policy of that name.
 *
 * @param retries of the balanced ones; an ordered connection tries everybody
 */
export function policyOf(balance: 'ordered' | 'round-robin' | 'least-connections' | 'random', retries: number): Policy {
  switch (balance) {
    case 'ordered':
      return orderedPolicy();
    case 'round-robin':
      return roundRobinPolicy(retries);
    case 'least-connections':
      return leastConnectionsPolicy(retries);
    case 'random':
      return randomPolicy(retries);
  }
}

/** First candidate, then the second, until all were tried. A recovered first one is used at once. */
export function orderedPolicy(): Policy {
  const turn: Turn = { next: (candidates, fits) => candidates.find(fits) };
  return { retries: Infinity, begin: () => turn };
}

/** Exact rotation over those that fit: each connection gets the one after the last connection's, around and around. */
export function roundRobinPolicy(retries: number): Policy {
  let position = 0;
  return {
    retries,
    begin() {
      let start: number | undefined;
      return {
        next(candidates, fits) {
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

/** The one with the fewest open connections; among equals they take turns. */
export function leastConnectionsPolicy(retries: number): Policy {
  let position = 0;
  const turn: Turn = {
    next(candidates, fits) {
      const count = candidates.length;
      let best: (typeof candidates)[number] | undefined;
      let bestIndex = 0;
      for (let step = 0; step < count; step += 1) {
        const index = (position + step) % count;
        const candidate = candidates[index];
        if (candidate === undefined || (best !== undefined && candidate.open >= best.open)) continue;
        if (!fits(candidate)) continue;
        best = candidate;
        bestIndex = index;
      }
      if (best !== undefined) position = bestIndex + 1;
      return best;
    },
  };
  return { retries, begin: () => turn };
}

/**
 * Power of two choices: of two candidates drawn at random the one with fewer open connections. Nearly as even as looking
 * at all of them, without the herd that several proxies make when each sends everything to the same least one
 * (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing").
 *
 * @param random uniform in [0, 1); default: `Math.random`
 */
export function randomPolicy(retries: number, random: () => number = Math.random): Policy {
  const draw = (count: number) => Math.floor(random() * count);
  const turn: Turn = {
    next(candidates, fits) {
      const fitting = candidates.filter(fits);
      const count = fitting.length;
      if (count < 2) return fitting[0];
      const one = draw(count);
      const other = (one + 1 + draw(count - 1)) % count;
      const [a, b] = [fitting[one], fitting[other]];
      return a !== undefined && b !== undefined && b.open < a.open ? b : a;
    },
  };
  return { retries, begin: () => turn };
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
