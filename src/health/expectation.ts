import { createRequire } from 'node:module';
import type { RE2JS as Library } from 're2js';
import type { Expectation } from '../core/health-check.ts';

/** `unknown`: not with what has come so far. */
export type Match = 'yes' | 'no' | 'unknown';

/** @param answer a character is a byte */
export type Matcher = (answer: string, isOver: boolean) => Match;

const load = createRequire(import.meta.url);

/** What is to be found in an answer, in time that grows with the answer alone, whatever the pattern is. */
export function matcherOf(expect: Expectation): Matcher {
  if (expect.kind === 'prefix') {
    const { text } = expect;
    return (answer) => {
      if (answer.startsWith(text)) return 'yes';
      return text.startsWith(answer) ? 'unknown' : 'no';
    };
  }
  // Loaded where somebody wrote a pattern, and by nobody else.
  const { RE2JS } = load('re2js') as { readonly RE2JS: typeof Library };
  const pattern = RE2JS.compile(expect.source, RE2JS.DOTALL | (expect.ignoreCase ? RE2JS.CASE_INSENSITIVE : 0));
  return (answer, isOver) => (pattern.matcher(answer).find() ? 'yes' : isOver ? 'no' : 'unknown');
}
