import { visible } from '../core/visible.ts';

const MOST_CHARACTERS = 60;

/** The beginning of an answer's first line, as it may be shown. */
export function excerpt(answer: Buffer | string): string {
  const text = typeof answer === 'string' ? answer : answer.subarray(0, 4 * MOST_CHARACTERS).toString('latin1');
  const [line = ''] = text.split(/\r?\n/, 1);
  return visible(line.length > MOST_CHARACTERS ? `${line.slice(0, MOST_CHARACTERS)}...` : line);
}
