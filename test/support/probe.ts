/**
 * Loaded into the program before its own modules: on SIGUSR2 it collects garbage and writes a line to stderr about what
 * is left, and about how long the event loop was blocked since the line before. Until it is asked first it does nothing:
 * watching the loop costs a little CPU.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { PROBE_PREFIX, type Probe } from './prober.ts';

const RESOLUTION_MS = 10;

const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

process.on('SIGUSR2', () => {
  const overResolution = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
  const [loopDelayMaxMs, loopDelayP99Ms] = [overResolution(delay.max), overResolution(delay.percentile(99))];
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  const probe: Probe = { heapBytes: heapUsed, bufferBytes: arrayBuffers, loopDelayMaxMs, loopDelayP99Ms };
  process.stderr.write(`${PROBE_PREFIX}${JSON.stringify(probe)}\n`);
  // Anew, so that the collection is not part of what is measured next.
  delay.disable();
  delay.reset();
  delay.enable();
});

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
}
