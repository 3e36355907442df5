import { setTimeout as pause } from 'node:timers/promises';

/** Share of one core that this process used over `ms`, 0 to 1. CPU time, not wall time: a busy machine does not count. */
export async function cpuShare(ms: number): Promise<number> {
  const from = process.cpuUsage();
  const began = performance.now();
  await pause(ms);
  const { user, system } = process.cpuUsage(from);
  return (user + system) / 1000 / (performance.now() - began);
}
