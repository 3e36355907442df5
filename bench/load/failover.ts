import { setTimeout as delay } from 'node:timers/promises';
import { RedisLine } from '../backends/redis-line.ts';
import { startRedisPair, type RedisPair } from '../backends/redis-pair.ts';
import type { Lab } from '../lab.ts';
import type { Peer } from '../peers/peer.ts';
import { startProxy } from '../proxy.ts';
import { until } from '../wait.ts';
import {
  readingOf,
  WRITE_EVERY_MS,
  writesAfter,
  WritingApp,
  type FailoverReading,
  type Writer,
} from './writing-app.ts';

/** `killed`: the primary is gone, and another leads a second later. `switched`: both change their roles, and live. */
export type Change = 'killed' | 'switched';

/** As soon as Sentinels may agree on another. */
const PROMOTED_AFTER_MS = 1_000;
/** All candidates have been checked by then. */
const SETTLE_MS = 3_000;
const wait = { withinMs: 30_000, everyMs: WRITE_EVERY_MS, fault: 'no write came through' };

/** An app that writes without a pause sees one change of the primary. */
export async function readFailover(
  lab: Lab,
  { peer, change }: { readonly peer: Peer; readonly change: Change },
): Promise<FailoverReading> {
  const processes = lab.processes.part();
  const over = new AbortController();
  try {
    const pair = await startRedisPair(lab, processes);
    const proxy = await startProxy(lab, {
      ...{ peer, processes, to: pair.primary, connections: 100 },
      replica: pair.replica,
    });
    const app = new WritingApp(() => openRedis(proxy.port), AbortSignal.any([over.signal, lab.signal]));
    const running = app.run();
    await until(lab, () => app.writes.length >= 100, wait);
    await delay(SETTLE_MS, undefined, { signal: lab.signal });
    const begunAt = performance.now();
    const changedAt = await make(lab, pair, change);
    const made = { begunAt, changedAt, server: `${pair.replica}` };
    // Several, as the first may be followed by an error still.
    await until(lab, () => writesAfter(app, made).length >= 100, wait);
    over.abort();
    await running;
    return readingOf(app, made);
  } finally {
    over.abort();
    await processes.stop();
  }
}

/** @returns when it was done, as `performance.now()` */
async function make(lab: Lab, pair: RedisPair, change: Change): Promise<number> {
  if (change === 'killed') {
    await pair.killPrimary();
    await delay(PROMOTED_AFTER_MS, undefined, { signal: lab.signal });
    await pair.promote();
  } else {
    await pair.promote();
    await pair.demote();
  }
  return performance.now();
}

async function openRedis(port: number): Promise<Writer> {
  const line = await RedisLine.connect(port);
  try {
    const server = /^tcp_port:(\d+)/m.exec(await line.ask('INFO server'))?.[1] ?? '';
    return {
      async write(n) {
        const answer = await line.ask(`SET n ${n}`);
        if (!answer.startsWith('+OK')) throw new Error(answer);
        return server;
      },
      close: () => line.close(),
    };
  } catch (error) {
    line.close();
    throw error;
  }
}
