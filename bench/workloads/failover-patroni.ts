import { readPatroniFailover } from '../load/failover-patroni.ts';
import type { Workload } from './workload.ts';

/** Another PostgreSQL leads, as Patroni decides: how long until an app writes to it, and what the app sees of it. */
export const failoverPatroni: Workload = {
  name: 'failover-patroni',
  needs: ['etcd', 'patroni', 'postgres'],
  rounds: 3,
  open: (peer, lab) =>
    Promise.resolve({
      read: async () => {
        const readings = await readPatroniFailover(lab, peer);
        return readings.flatMap(({ change, firstWriteMs, errors }) => [
          { measure: `failover-patroni-${change}` as const, value: firstWriteMs },
          { measure: `failover-patroni-${change}-errors` as const, value: errors },
        ]);
      },
    }),
};
