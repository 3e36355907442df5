import { setTimeout as delay } from 'node:timers/promises';
import type { Lab } from './lab.ts';

export interface Wait {
  readonly withinMs: number;
  readonly everyMs: number;
  /** What is wrong when it does not become so. */
  readonly fault: string;
}

/** Waits until it is so. @throws Error when that takes too long, or the run is over */
export async function until(
  { signal }: Pick<Lab, 'signal'>,
  isSo: () => boolean | Promise<boolean>,
  { withinMs, everyMs, fault }: Wait,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`${fault} within ${withinMs} ms`);
    await delay(everyMs, undefined, { signal });
  }
}
