import type { Attache } from './attache.ts';
import { eventually } from './wait.ts';

/** What a process that has `probe.ts` loaded says of itself: memory after a full collection. */
export interface Probe {
  readonly heapBytes: number;
  readonly bufferBytes: number;
  /** Longest time for which the event loop was blocked, and the 99th percentile, ms. */
  readonly loopDelayMaxMs: number;
  readonly loopDelayP99Ms: number;
}

/** Flags of Node that load it into the program. */
export const probeArgs: readonly string[] = [`--import=${new URL('./probe.js', import.meta.url).href}`];

export const PROBE_PREFIX = 'probe ';

const LIMIT_MS = 30_000;

/** @returns what asks the program once more; not to be called while it is asked */
export function proberOf(attache: Attache): () => Promise<Probe> {
  let asked = 0;
  return async () => {
    asked += 1;
    attache.child.kill('SIGUSR2');
    // The last piece may be half a line.
    const lines = () => attache.stderr().split('\n').slice(0, -1);
    const said = () => lines().filter((line) => line.startsWith(PROBE_PREFIX))[asked - 1];
    await eventually(() => said() !== undefined, 'the probe answers', LIMIT_MS);
    return JSON.parse(said()?.slice(PROBE_PREFIX.length) ?? '') as Probe;
  };
}
