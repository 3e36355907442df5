import { startRedis } from '../backends/redis.ts';
import { readRequests } from '../load/requests.ts';
import { readStream } from '../load/stream.ts';
import { freePort } from '../ports.ts';
import { startPair } from '../proxy.ts';
import { WARM_UP_GIGABYTES } from './bulk.ts';
import { CONNECTING } from './connect.ts';
import type { Reading, Workload } from './workload.ts';

/** TLS costs three times as much a byte, so half of them are as good a reading. */
const SHARE_OF_GIGABYTES = 0.5;
const directions = ['up', 'down'] as const;

/** Two of the same proxy with mutual TLS between them; what is read is the CPU of both together. */
export const tls: Workload = {
  name: 'tls',
  needs: ['openssl', 'redis-server', 'redis-benchmark', 'iperf3'],
  rounds: 2,
  open: async (peer, lab) => {
    const redis = await startRedis(lab, lab.processes);
    const streamTo = await freePort();
    const pair = (to: number, resumption: boolean) =>
      startPair(lab, { peer, processes: lab.processes, to, connections: 500, resumption });
    const [resuming, full, streaming] = [
      await pair(redis.port, true),
      await pair(redis.port, false),
      await pair(streamTo, true),
    ];
    for (const direction of directions) {
      await readStream(lab, { proxy: streaming, to: streamTo, gigabytes: WARM_UP_GIGABYTES, direction, streams: 1 });
    }
    let warmUpSeconds = 1;
    return {
      read: async () => {
        const readings: Reading[] = [];
        const requests = { redis, connections: CONNECTING, warmUpSeconds };
        const small = await readRequests(lab, { ...requests, proxy: resuming });
        readings.push(
          { measure: 'tls-small', value: small.microsecondsPerRequest },
          { measure: 'tls-small-rate', value: small.requestsPerSecond },
        );
        for (const direction of directions) {
          const load = {
            proxy: streaming,
            to: streamTo,
            gigabytes: lab.settings.gigabytes * SHARE_OF_GIGABYTES,
            direction,
            streams: 1,
          };
          const stream = await readStream(lab, load);
          readings.push(
            { measure: `tls-${direction}`, value: stream.cpuSecondsPerGigabyte },
            { measure: `tls-${direction}-rate`, value: stream.gigabitsPerSecond },
          );
        }
        for (const [measure, proxy] of [
          ['tls-connect-resumed', resuming],
          ['tls-connect-full', full],
        ] as const) {
          const connect = await readRequests(lab, { ...requests, proxy, reconnect: true });
          readings.push(
            { measure, value: connect.microsecondsPerRequest },
            { measure: `${measure}-rate`, value: connect.requestsPerSecond },
          );
        }
        warmUpSeconds = 0.3;
        return readings;
      },
    };
  },
};
