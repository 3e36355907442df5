import { startRedis } from '../backends/redis.ts';
import { readIdle } from '../load/idle.ts';
import { mostConnections } from '../most-connections.ts';
import { startProxy } from '../proxy.ts';
import type { Workload } from './workload.ts';

/** Connections that have asked once and then keep silent. */
export const idle: Workload = {
  name: 'idle',
  needs: ['redis-server'],
  rounds: 1,
  open: (peer, lab) => {
    const connections = mostConnections(lab.settings.connections, lab.openFiles);
    lab.note(
      `idle: ${connections} connections${connections < lab.settings.connections ? ` (open files: ${lab.openFiles})` : ''}`,
    );
    return Promise.resolve({
      read: async () => {
        // A process that has held thousands keeps some of that memory: each reading has a fresh one.
        const processes = lab.processes.part();
        try {
          const redis = await startRedis(lab, processes);
          const proxy = await startProxy(lab, { peer, processes, to: redis.port, connections });
          const reading = await readIdle(lab, { proxy, redis, connections });
          return [
            { measure: 'idle-memory', value: reading.kilobytesPerConnection },
            { measure: 'idle-cpu', value: reading.cpuMsPerSecond },
          ];
        } finally {
          await processes.stop();
        }
      },
    });
  },
};
