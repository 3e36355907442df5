import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from '../backends/redis.ts';
import { scratchFile, type Lab } from '../lab.ts';
import { needProgram } from '../programs.ts';
import type { Proxy } from '../proxy.ts';

export interface RequestLoad {
  readonly proxy: Proxy;
  readonly redis: Redis;
  readonly connections: number;
  /** A new connection for every request. */
  readonly reconnect?: boolean;
  readonly warmUpSeconds?: number;
}

export interface RequestReading {
  readonly microsecondsPerRequest: number;
  readonly requestsPerSecond: number;
  /** Resident memory of the proxy while it worked. */
  readonly residentKb: number;
}

const WARM_UP_SECONDS = 0.3;
/** redis-benchmark opens 64 connections, then waits 50 ms. */
const OPENING_MS_PER_CONNECTION = 4;
const GONE_WITHIN_MS = 10_000;
/** More than any reading takes: the load is ended, it does not end. */
const ENDLESS = 2_000_000_000;

/**
 * CPU of a proxy per GET of 64 bytes: redis-benchmark works without end, and what is read is a stretch out of its
 * middle, when all connections are open and warm; so neither the opening nor the closing of connections is in it.
 */
export async function readRequests(lab: Lab, load: RequestLoad): Promise<RequestReading> {
  const { proxy, redis, connections, reconnect = false } = load;
  const processes = lab.processes.part();
  try {
    const client = await processes.start({
      program: needProgram('redis-benchmark'),
      args: [
        ...['-h', '127.0.0.1', '-p', `${proxy.port}`, '-c', `${connections}`, '-n', `${ENDLESS}`],
        ...['-k', reconnect ? '0' : '1', '-q', 'GET', redis.key],
      ],
      // It writes several lines a second, and nobody reads them unless it fails.
      output: scratchFile(lab, 'redis-benchmark.log'),
    });
    const reading = async (): Promise<RequestReading> => {
      const open = (count: number) => (reconnect ? count > 0 : count >= connections);
      await redis.clients(open, 5_000 + connections * OPENING_MS_PER_CONNECTION);
      await delay((load.warmUpSeconds ?? WARM_UP_SECONDS) * 1000, undefined, { signal: lab.signal });
      const before = await sample(load);
      await delay(lab.settings.seconds * 1000, undefined, { signal: lab.signal });
      return difference(before, await sample(load));
    };
    return await Promise.race([reading(), client.died, ...proxy.processes.map(({ died }) => died)]);
  } finally {
    await processes.stop();
    // The next reading must not begin while this one's connections still come down.
    if (!lab.signal.aborted) await redis.clients((count) => count === 0, GONE_WITHIN_MS);
  }
}

interface Sample {
  readonly commands: number;
  readonly cpuMs: number;
  readonly residentKb: number;
  readonly at: number;
}

async function sample({ redis, proxy }: RequestLoad): Promise<Sample> {
  const { commands } = await redis.counts();
  return { commands, ...proxy.usage(), at: performance.now() };
}

function difference(from: Sample, to: Sample): RequestReading {
  const requests = to.commands - from.commands;
  if (requests <= 0) throw new Error('no request came through');
  return {
    microsecondsPerRequest: ((to.cpuMs - from.cpuMs) * 1000) / requests,
    requestsPerSecond: (requests * 1000) / (to.at - from.at),
    residentKb: to.residentKb,
  };
}
