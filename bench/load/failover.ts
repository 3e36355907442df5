import { setTimeout as delay } from 'node:timers/promises';
import { RedisLine } from '../backends/redis-line.ts';
import { startRedisPair, type RedisPair } from '../backends/redis-pair.ts';
import type { Lab } from '../lab.ts';
import type { Peer } from '../peers/peer.ts';
import { startProxy } from '../proxy.ts';

/** `killed`: the primary is gone, and another leads a second later. `switched`: both change their roles, and live. */
export type Change = 'killed' | 'switched';

export interface FailoverReading {
  /** From when the new primary leads, and the old one does not, until an app has written through the proxy, ms. */
  readonly firstWriteMs: number;
  /** Writes that the app was refused or lost the connection with, from the change on. */
  readonly errors: number;
}

const WRITE_EVERY_MS = 2;
const RETRY_MS = 10;
/** As soon as Sentinels may agree on another. */
const PROMOTED_AFTER_MS = 1_000;
/** All candidates have been checked by then. */
const SETTLE_MS = 3_000;
const WITHIN_MS = 30_000;

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
    const app = new App(proxy.port, AbortSignal.any([over.signal, lab.signal]));
    const running = app.run();
    await until(lab, () => app.writes.length >= 100);
    await delay(SETTLE_MS, undefined, { signal: lab.signal });
    const begunAt = performance.now();
    const changedAt = await make(lab, pair, change);
    // Several, as the first may be followed by an error still.
    const after = () => app.writes.filter(({ at, port }) => port === pair.replica && at > changedAt);
    await until(lab, () => after().length >= 100);
    over.abort();
    await running;
    return {
      firstWriteMs: (after()[0]?.at ?? NaN) - changedAt,
      errors: app.errors.filter((at) => at >= begunAt).length,
    };
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

async function until(lab: Lab, isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + WITHIN_MS;
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error(`no write came through within ${WITHIN_MS} ms`);
    await delay(WRITE_EVERY_MS, undefined, { signal: lab.signal });
  }
}

/** Writes, and connects again whenever that fails. */
class App {
  /** When each was confirmed, and the port of the server that did. */
  readonly writes: { readonly at: number; readonly port: number }[] = [];
  /** When each failed. */
  readonly errors: number[] = [];
  readonly #port: number;
  readonly #signal: AbortSignal;

  constructor(port: number, signal: AbortSignal) {
    this.#port = port;
    this.#signal = signal;
  }

  async run(): Promise<void> {
    let line: RedisLine | undefined;
    let port = 0;
    for (let n = 1; !this.#signal.aborted; n += 1) {
      try {
        if (line === undefined) {
          line = await RedisLine.connect(this.#port);
          port = Number(/^tcp_port:(\d+)/m.exec(await line.ask('INFO server'))?.[1]);
        }
        const answer = await line.ask(`SET n ${n}`);
        if (!answer.startsWith('+OK')) throw new Error(answer);
        this.writes.push({ at: performance.now(), port });
        await delay(WRITE_EVERY_MS);
      } catch {
        this.errors.push(performance.now());
        line?.close();
        line = undefined;
        await delay(RETRY_MS);
      }
    }
    line?.close();
  }
}
