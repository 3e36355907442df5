import { createHook } from 'node:async_hooks';
import type { TestContext } from 'node:test';

/**
 * Counts the timers of this process that have neither fired for good nor been cleared, referenced or not: those that do
 * not keep the process alive leak as well as others, and Node lists only the ones that do.
 */
export function watchTimers(t: TestContext): () => number {
  const live = new Set<number>();
  const hook = createHook({
    init: (id, type) => {
      if (type === 'Timeout') live.add(id);
    },
    destroy: (id) => live.delete(id),
  }).enable();
  t.after(() => hook.disable());
  return () => live.size;
}
