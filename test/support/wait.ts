import { setTimeout as delay } from 'node:timers/promises';
import { Stopwatch } from './stopwatch.ts';

const POLL_MS = 5;
/** However little of the machine the test gets. */
const MOST_MS = 60_000;

/**
 * Waits until `condition` holds, however long that takes on a loaded machine, but not for ever.
 *
 * @param condition asked again and again; may be asynchronous
 * @param what for the message when it never comes true
 * @param withinMs without the time that the machine took; default 10 s
 */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  what: string,
  withinMs = 10_000,
): Promise<void> {
  if (await condition()) return;
  const watch = new Stopwatch({ readsOn: false });
  do {
    if (watch.wallMs() > withinMs && (watch.wallMs() > withinMs + MOST_MS || watch.ms() > withinMs)) {
      throw new Error(`not within ${withinMs} ms: ${what}`);
    }
    await delay(POLL_MS);
  } while (!(await condition()));
}

/** A promise that the test settles by hand. */
export function deferred<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: ((value: T) => void) | undefined;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve: (value) => resolve?.(value) };
}
