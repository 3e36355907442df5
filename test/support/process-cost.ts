import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

/** CPU time that a process has used, ms. Linux only. */
export function cpuMs(pid: number): number {
  const [nanoseconds = '0'] = readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ');
  return Number(nanoseconds) / 1e6;
}

/** Share of one core that a process used over `ms`, 0 to 1. */
export async function cpuShareOf(pid: number, ms: number): Promise<number> {
  const [from, began] = [cpuMs(pid), performance.now()];
  await pause(ms);
  return (cpuMs(pid) - from) / (performance.now() - began);
}

/** Descriptors that a process has open. */
export function descriptorsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** The number that the next descriptor of a process gets. */
export function nextDescriptorOf(pid: number): number {
  const open = new Set(readdirSync(`/proc/${pid}/fd`).map(Number));
  let next = 0;
  while (open.has(next)) next += 1;
  return next;
}
