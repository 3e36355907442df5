import { startRedis } from '../backends/redis.ts';
import { readRequests } from '../load/requests.ts';
import { startProxy } from '../proxy.ts';
import type { Workload } from './workload.ts';

/** At a time; each is closed after one request, and the next is opened. */
export const CONNECTING = 50;

/** A new connection for every request. */
export const connect: Workload = {
  name: 'connect',
  needs: ['redis-server', 'redis-benchmark'],
  rounds: 3,
  open: async (peer, lab) => {
    const redis = await startRedis(lab, lab.processes);
    const proxy = await startProxy(lab, { peer, processes: lab.processes, to: redis.port, connections: 500 });
    const load = { proxy, redis, connections: CONNECTING, reconnect: true };
    let warm = false;
    return {
      read: async () => {
        const reading = await readRequests(lab, { ...load, ...(warm ? {} : { warmUpSeconds: 1 }) });
        warm = true;
        return [
          { measure: 'connect', value: reading.microsecondsPerRequest },
          { measure: 'connect-rate', value: reading.requestsPerSecond },
        ];
      },
    };
  },
};
