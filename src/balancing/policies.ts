import type { Candidate } from './candidate.ts';

/** Which candidate is next. One object per pool. */
export interface Policy {
  /** Called once per connection. */
  begin(): Turn;
}

/** One connection's way through the candidates. */
export interface Turn {
  /**
   * @param candidates the set as it is now, in order
   * @param tried those this connection has already tried
   */
  next(candidates: readonly Candidate[], tried: readonly Candidate[]): Candidate | undefined;
}

/** First candidate, then the second, until all were tried. A recovered first one is used at once. */
export function orderedPolicy(): Policy {
  const turn: Turn = {
    next: (candidates, tried) =>
      tried.length === 0 ? candidates[0] : candidates.find((candidate) => !tried.includes(candidate)),
  };
  return { begin: () => turn };
}

/**
 * Exact rotation: the n-th connection gets the n-th candidate, around and around.
 *
 * @param retries further candidates, in rotation order, that a connection may try when the first does not answer
 */
export function roundRobinPolicy(retries: number): Policy {
  let position = 0;
  return {
    begin() {
      let start: number | undefined;
      return {
        next(candidates, tried) {
          if (candidates.length === 0 || tried.length > retries) return undefined;
          // Taken at the first choice, not at begin: a connection that meets an empty set must not use up a place.
          if (start === undefined) {
            start = position % candidates.length;
            position = start + 1;
          }
          for (let step = 0; step < candidates.length; step += 1) {
            const candidate = candidates[(start + step) % candidates.length];
            if (candidate !== undefined && !tried.includes(candidate)) return candidate;
          }
          return undefined;
        },
      };
    },
  };
}
