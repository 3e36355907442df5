import { readStream } from '../load/stream.ts';
import { freePort } from '../ports.ts';
import { startProxy } from '../proxy.ts';
import type { Workload } from './workload.ts';

const ways = [
  { measure: 'bulk-up', direction: 'up', streams: 1 },
  { measure: 'bulk-down', direction: 'down', streams: 1 },
  { measure: 'bulk-four', direction: 'up', streams: 4 },
] as const;
export const WARM_UP_GIGABYTES = 0.2;

/** Streams as fast as they go. */
export const bulk: Workload = {
  name: 'bulk',
  needs: ['iperf3'],
  rounds: 2,
  open: async (peer, lab) => {
    const to = await freePort();
    const proxy = await startProxy(lab, { peer, processes: lab.processes, to, connections: 500 });
    for (const direction of ['up', 'down'] as const) {
      await readStream(lab, { proxy, to, gigabytes: WARM_UP_GIGABYTES, direction, streams: 1 });
    }
    return {
      read: async () => {
        const readings = [];
        for (const { measure, ...way } of ways) {
          const reading = await readStream(lab, { proxy, to, gigabytes: lab.settings.gigabytes, ...way });
          readings.push({ measure, value: reading.cpuSecondsPerGigabyte }, {
            measure: `${measure}-rate`,
            value: reading.gigabitsPerSecond,
          } as const);
        }
        return readings;
      },
    };
  },
};
