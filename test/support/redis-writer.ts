import { setTimeout as pause } from 'node:timers/promises';
import { RedisInline } from './redis-inline.ts';
import type { Scope } from './scope.ts';

/** A write that the server has taken. */
export interface Written {
  readonly n: number;
  /** `performance.now()`. */
  readonly atMs: number;
}

/** An app that writes one number after the other, on one connection for as long as it lasts. */
export interface RedisWriter {
  /** How many replicas have to have a write, too, for it to be acknowledged (`WAIT`). */
  replicas: number;
  readonly written: readonly Written[];
  /** Those of them that enough replicas had as well. */
  readonly acknowledged: readonly Written[];
  /** What it was told by servers that do not take writes, and when. */
  readonly refusals: readonly { readonly text: string; readonly atMs: number }[];
  /** Connections that it has made. */
  readonly connections: () => number;
  stop(): Promise<void>;
}

export interface RedisWriterOptions {
  /** How many replicas have to have a write, too, for it to be acknowledged (`WAIT`). */
  readonly replicas: number;
  /** The first number; default 1. */
  readonly first?: number;
}

/** Writes `n` under the key `w:n`, again and again, with a new connection after each failure. */
export function startRedisWriter(t: Scope, port: number, { replicas, first = 1 }: RedisWriterOptions): RedisWriter {
  const written: Written[] = [];
  const acknowledged: Written[] = [];
  const refusals: { text: string; atMs: number }[] = [];
  let connections = 0;
  let isStopped = false;
  const write = async (redis: RedisInline, n: number): Promise<void> => {
    await redis.words(`SET w:${n} ${n}`);
    written.push({ n, atMs: performance.now() });
    const wanted = writer.replicas;
    const copies = Number(await redis.words(`WAIT ${wanted} 300`));
    if (copies >= wanted) acknowledged.push({ n, atMs: performance.now() });
  };
  const run = async (): Promise<void> => {
    let n = first - 1;
    let redis: RedisInline | undefined;
    while (!isStopped) {
      try {
        if (redis === undefined) {
          connections += 1;
          redis = await RedisInline.connect(port);
        }
        n += 1;
        await write(redis, n);
        await pause(2);
      } catch (error) {
        const text = String(error);
        if (/READONLY|UNBLOCKED|MASTERDOWN|LOADING/.test(text)) refusals.push({ text, atMs: performance.now() });
        redis?.close();
        redis = undefined;
        await pause(10);
      }
    }
    redis?.close();
  };
  const writer = { replicas, written, acknowledged, refusals, connections: () => connections, stop };
  const running = run();
  async function stop(): Promise<void> {
    isStopped = true;
    await running;
  }
  t.after(stop);
  return writer;
}
