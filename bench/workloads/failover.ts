import { readFailover } from '../load/failover.ts';
import type { Reading, Workload } from './workload.ts';

/** Another Redis leads: how long until an app writes to it, and what the app sees of it. */
export const failover: Workload = {
  name: 'failover',
  needs: ['redis-server'],
  rounds: 3,
  open: (peer, lab) =>
    Promise.resolve({
      read: async () => {
        const readings: Reading[] = [];
        for (const change of ['killed', 'switched'] as const) {
          const { firstWriteMs, errors } = await readFailover(lab, { peer, change });
          readings.push(
            { measure: `failover-${change}`, value: firstWriteMs },
            { measure: `failover-${change}-errors`, value: errors },
          );
        }
        return readings;
      },
    }),
};
