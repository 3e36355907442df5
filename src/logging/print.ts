import { openOutlet } from './open-outlet.ts';

/**
 * Writes a whole text to standard output (1) or standard error (2), outside the log. The process goes on meanwhile, so that
 * a signal still ends it while its reader does not read.
 *
 * @param waitMs how long to wait for a reader; default: as long as it takes, as the reader has asked for the text
 * @returns whether the text was taken
 */
export function print(descriptor: 1 | 2, text: string, waitMs?: number): Promise<boolean> {
  return new Promise((resolve) => {
    const late = waitMs === undefined ? undefined : setTimeout(() => resolve(false), waitMs);
    openOutlet(descriptor).send(text, (error) => {
      clearTimeout(late);
      resolve(error === undefined);
    });
  });
}
