#!/usr/bin/env node
import type { OnSignal } from './app/program.ts';

/**
 * Signals are heard before anything else is loaded: the kernel kills with the first one that comes earlier, and where this
 * is process 1 of a container it drops it. So nothing is imported above, and all the rest below.
 */
let onSignal: OnSignal = endEarly;
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => onSignal(signal));

const { program } = await import('./app/program.ts');
await program(process.argv.slice(2), process.env, (next) => {
  onSignal = next;
});

/** Nothing has begun: there is nothing to drain and nothing to read again. */
function endEarly(signal: Parameters<OnSignal>[0]): void {
  const [command = 'run'] = process.argv.slice(2);
  const asks = /^(?:check|healthcheck|wait|status|connections|quit)$/.test(command);
  if (asks) process.exit(128 + { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 }[signal]);
  if (signal !== 'SIGHUP') process.exit(0);
}
