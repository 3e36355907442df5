import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { startRedis } from '../backends/redis.ts';
import { scratchFile, type Lab } from '../lab.ts';
import type { Peer } from '../peers/peer.ts';
import { privateKbOf, usageOf } from '../process-usage.ts';
import { startOne } from '../proxy.ts';
import { summarize } from '../statistics.ts';
import type { Workload } from './workload.ts';

const STARTS = 3;
const TRY_EVERY_MS = 1;
const ACCEPT_WITHIN_MS = 10_000;
/** What a start leaves to do afterwards is done by then. */
const SETTLE_MS = 300;

/** From the start of the process until a client's connection is accepted, and the memory it has soon after. */
export const start: Workload = {
  name: 'start',
  needs: ['redis-server'],
  rounds: 3,
  open: async (peer, lab) => {
    const redis = await startRedis(lab, lab.processes);
    const cache = peer.compileCache?.(scratchFile(lab, 'compile-cache'));
    // What this one compiles is what the others find.
    if (cache !== undefined) await startOnce(lab, { peer, to: redis.port, env: cache });
    return {
      read: async () => {
        const plain = await startSome(lab, { peer, to: redis.port, env: {} });
        const cached = cache && (await startSome(lab, { peer, to: redis.port, env: cache }));
        return [
          { measure: 'start-time', value: plain.ms },
          ...(cached === undefined ? [] : [{ measure: 'start-cached-time', value: cached.ms } as const]),
          { measure: 'start-memory', value: plain.megabytes },
          { measure: 'start-private', value: plain.privateMegabytes },
        ];
      },
    };
  },
};

interface Start {
  readonly peer: Peer;
  readonly to: number;
  readonly env: Readonly<Record<string, string>>;
}

interface Started {
  readonly ms: number;
  readonly megabytes: number;
  readonly privateMegabytes: number;
}

async function startSome(lab: Lab, start: Start): Promise<Started> {
  const starts = [];
  for (let count = 0; count < STARTS; count++) starts.push(await startOnce(lab, start));
  const median = (values: readonly number[]): number => summarize(values)?.median ?? NaN;
  return {
    ms: median(starts.map(({ ms }) => ms)),
    megabytes: median(starts.map(({ megabytes }) => megabytes)),
    privateMegabytes: median(starts.map(({ privateMegabytes }) => privateMegabytes)),
  };
}

async function startOnce(lab: Lab, { peer, to, env }: Start): Promise<Started> {
  const processes = lab.processes.part();
  try {
    const { port, started, beganAt } = await startOne(lab, {
      peer,
      processes,
      to,
      env,
      connections: 500,
      task: { kind: 'plain' },
    });
    const acceptedAt = await Promise.race([accepted(port, lab.signal), started.died]);
    await delay(SETTLE_MS, undefined, { signal: lab.signal });
    return {
      ms: acceptedAt - beganAt,
      megabytes: inMegabytes(usageOf([started.pid]).residentKb),
      privateMegabytes: inMegabytes(privateKbOf([started.pid])),
    };
  } finally {
    await processes.stop();
  }
}

function inMegabytes(kilobytes: number): number {
  return (kilobytes * 1024) / 1e6;
}

async function accepted(port: number, signal: AbortSignal): Promise<number> {
  const until = performance.now() + ACCEPT_WITHIN_MS;
  while (performance.now() < until) {
    if (await canConnect(port)) return performance.now();
    await delay(TRY_EVERY_MS, undefined, { signal });
  }
  throw new Error(`no connection was accepted within ${ACCEPT_WITHIN_MS} ms`);
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
