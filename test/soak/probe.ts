/**
 * Loaded into the program before its own modules: on SIGUSR2 it collects garbage and writes a line to stderr about what is
 * left, and about how long the event loop was blocked since the line before. It changes nothing of what is judged.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** What a process that has this loaded says of itself, after a full collection. */
export interface Probe {
  readonly heapBytes: number;
  readonly bufferBytes: number;
  /** Longest and 99th percentile, ms. */
  readonly loopDelayMaxMs: number;
  readonly loopDelayP99Ms: number;
}

export const PROBE_PREFIX = 'probe ';

const RESOLUTION_MS = 10;

if (process.env['SOAK_PROBE'] === 'on') install();

function install(): void {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  process.on('SIGUSR2', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const ms = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
    const [loopDelayMaxMs, loopDelayP99Ms] = [ms(delay.max), ms(delay.percentile(99))];
    collect();
    collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    const probe: Probe = { heapBytes: heapUsed, bufferBytes: arrayBuffers, loopDelayMaxMs, loopDelayP99Ms };
    process.stderr.write(`${PROBE_PREFIX}${JSON.stringify(probe)}\n`);
    delay.reset();
  });
}
