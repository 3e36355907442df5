import { startRedis } from '../backends/redis.ts';
import { readRequests } from '../load/requests.ts';
import { startProxy } from '../proxy.ts';
import type { Workload } from './workload.ts';

const counts = [1, 50, 500] as const;
/** An interpreted proxy is measured as it is after its first second in use. */
const FIRST_WARM_UP_SECONDS = 1;

/** GET of 64 bytes over connections that stay. */
export const small: Workload = {
  name: 'small',
  needs: ['redis-server', 'redis-benchmark'],
  rounds: 3,
  open: async (peer, lab) => {
    const redis = await startRedis(lab, lab.processes);
    const proxy = await startProxy(lab, { peer, processes: lab.processes, to: redis.port, connections: 500 });
    let warm = false;
    return {
      read: async () => {
        const readings = [];
        for (const connections of counts) {
          if (connections > (peer.mostConnections ?? Infinity)) continue;
          const warmUp = warm ? {} : { warmUpSeconds: FIRST_WARM_UP_SECONDS };
          const reading = await readRequests(lab, { proxy, redis, connections, ...warmUp });
          warm = true;
          readings.push(
            { measure: `small-${connections}`, value: reading.microsecondsPerRequest } as const,
            { measure: `small-${connections}-rate`, value: reading.requestsPerSecond } as const,
          );
        }
        return readings;
      },
    };
  },
};
