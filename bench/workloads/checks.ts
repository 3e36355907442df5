import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { startRedis } from '../backends/redis.ts';
import type { Lab } from '../lab.ts';
import { readRequests } from '../load/requests.ts';
import { startProxy } from '../proxy.ts';
import type { Workload } from './workload.ts';

/** The Redis in use, and others that are only asked whether they are well. */
const CANDIDATES = 100;
const CONNECTIONS = 50;
const WARM_UP_SECONDS = 1;
/** Every candidate is asked several times. */
const IDLE_MS = 10_000;

/** What health checks of 100 candidates every 2 s add to the work of a process. */
export const checks: Workload = {
  name: 'checks',
  needs: ['redis-server', 'redis-benchmark'],
  rounds: 5,
  open: async (peer, lab) => {
    const redis = await startRedis(lab, lab.processes);
    const others = await startOthers(lab, CANDIDATES - 1);
    const DST = [redis.port, ...others].map((port) => `127.0.0.1:${port}`).join();
    const start = (env: Readonly<Record<string, string>>) =>
      startProxy(lab, { peer, processes: lab.processes, to: redis.port, connections: 500, env: { DST, ...env } });
    const without = await start({});
    const checking = await start({ HEALTH_CHECK: 'redis', HEALTH_INTERVAL: '2s' });
    let warm = false;
    return {
      read: async () => {
        const load = { redis, connections: CONNECTIONS, ...(warm ? {} : { warmUpSeconds: WARM_UP_SECONDS }) };
        warm = true;
        // Both within moments: what else goes on falls on both.
        const plain = await readRequests(lab, { ...load, proxy: without });
        const checked = await readRequests(lab, { ...load, proxy: checking });
        const before = [without, checking].map((proxy) => proxy.usage().cpuMs);
        await delay(IDLE_MS, undefined, { signal: lab.signal });
        const [idle = 0, busy = 0] = [without, checking].map(
          (proxy, index) => ((proxy.usage().cpuMs - (before[index] ?? 0)) * 1_000) / IDLE_MS,
        );
        return [
          { measure: 'checks-without', value: plain.microsecondsPerRequest },
          { measure: 'checks-with', value: checked.microsecondsPerRequest },
          { measure: 'checks-cpu', value: busy - idle },
        ];
      },
    };
  },
};

/** Servers that say what Redis says to `PING`. @returns their ports */
async function startOthers(lab: Lab, count: number): Promise<readonly number[]> {
  const servers: Server[] = [];
  lab.signal.addEventListener('abort', () => servers.forEach((server) => server.close()));
  while (servers.length < count) {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', () => socket.write('+PONG\r\n'));
    });
    // They end with the bench.
    server.listen(0, '127.0.0.1').unref();
    await once(server, 'listening', { signal: lab.signal });
    servers.push(server);
  }
  return servers.map((server) => (server.address() as AddressInfo).port);
}
