import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Redis } from '../backends/redis.ts';
import { scratchFile, type Lab } from '../lab.ts';
import type { Proxy } from '../proxy.ts';

export interface IdleLoad {
  readonly proxy: Proxy;
  readonly redis: Redis;
  readonly connections: number;
}

export interface IdleReading {
  readonly kilobytesPerConnection: number;
  readonly cpuMsPerSecond: number;
}

/** Opened and closed before, so that what a first connection costs is not shared out over the others. */
const WARM_UP_CONNECTIONS = 100;
/** Garbage of opening is collected, or not, as in use. */
const SETTLE_MS = 1_000;
const IDLE_MS = 5_000;
const HELD_WITHIN_MS = 30_000;

/** Memory that idle connections take of a proxy, and the CPU that they cost while nothing is sent. */
export async function readIdle(lab: Lab, load: IdleLoad): Promise<IdleReading> {
  const { proxy, redis, connections } = load;
  const pause = (ms: number) => delay(ms, undefined, { signal: lab.signal });
  await held(lab, { ...load, connections: WARM_UP_CONNECTIONS }, () => Promise.resolve());
  await redis.clients((count) => count === 0, HELD_WITHIN_MS);
  await pause(SETTLE_MS);
  const before = proxy.usage();
  return held(lab, load, async () => {
    await redis.clients((count) => count >= connections, HELD_WITHIN_MS);
    await pause(SETTLE_MS);
    const settled = proxy.usage();
    await pause(IDLE_MS);
    const after = proxy.usage();
    await redis.clients((count) => count >= connections, 0);
    return {
      kilobytesPerConnection: (settled.residentKb - before.residentKb) / connections,
      cpuMsPerSecond: ((after.cpuMs - settled.cpuMs) * 1000) / IDLE_MS,
    };
  });
}

async function held<T>(lab: Lab, { proxy, connections }: IdleLoad, act: () => Promise<T>): Promise<T> {
  const processes = lab.processes.part();
  try {
    const holder = await processes.start({
      program: process.execPath,
      args: [fileURLToPath(new URL('connection-holder.js', import.meta.url)), `${proxy.port}`, `${connections}`],
      output: scratchFile(lab, 'holder.log'),
      channel: true,
    });
    const dead = [holder.died, ...proxy.processes.map(({ died }) => died)];
    const deadline = AbortSignal.any([AbortSignal.timeout(HELD_WITHIN_MS), lab.signal]);
    await Promise.race([once(holder.child, 'message', { signal: deadline }), ...dead]);
    return await Promise.race([act(), ...dead]);
  } finally {
    await processes.stop();
  }
}
