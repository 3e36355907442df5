import { startRedis } from '../backends/redis.ts';
import type { Lab } from '../lab.ts';
import { readRequests } from '../load/requests.ts';
import { mostConnections } from '../most-connections.ts';
import type { Peer } from '../peers/peer.ts';
import { startProxy } from '../proxy.ts';
import type { Reading, Workload } from './workload.ts';

const wanted = [1, 10, 100, 1_000, 10_000] as const;
/** Below it a share of the process's own ups and downs is larger than a connection. */
const LEAST_FOR_MEMORY = 100;
const WARM_UP_CONNECTIONS = 50;

/** The same requests over ever more connections, all of them busy. */
export const scale: Workload = {
  name: 'scale',
  needs: ['redis-server', 'redis-benchmark'],
  rounds: 1,
  open: (peer, lab) => {
    const points = wanted.map((count) => mostConnections(count, lab.openFiles));
    const last = points.at(-1);
    if (last !== 10_000) lab.note(`scale: up to ${last ?? 0} connections (open files: ${lab.openFiles})`);
    return Promise.resolve({
      read: async () => {
        const readings: Reading[] = [];
        for (const connections of new Set(points)) readings.push(...(await readPoint(lab, peer, connections)));
        return readings;
      },
    });
  },
};

async function readPoint(lab: Lab, peer: Peer, connections: number): Promise<readonly Reading[]> {
  const processes = lab.processes.part();
  try {
    const redis = await startRedis(lab, processes);
    const proxy = await startProxy(lab, { peer, processes, to: redis.port, connections });
    await readRequests(
      { ...lab, settings: { ...lab.settings, seconds: 0.5 } },
      { proxy, redis, connections: WARM_UP_CONNECTIONS },
    );
    const before = proxy.usage();
    const reading = await readRequests(lab, { proxy, redis, connections });
    const memory = (reading.residentKb - before.residentKb) / connections;
    return [
      { measure: 'scale-cpu', at: connections, value: reading.microsecondsPerRequest },
      ...(connections < LEAST_FOR_MEMORY ? [] : [{ measure: 'scale-memory', at: connections, value: memory } as const]),
    ];
  } finally {
    await processes.stop();
  }
}
