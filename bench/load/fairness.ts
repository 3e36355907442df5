import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { scratchFile, type Lab } from '../lab.ts';
import { freePort } from '../ports.ts';
import type { Processes } from '../processes.ts';
import type { Peer } from '../peers/peer.ts';
import { startProxy } from '../proxy.ts';

export interface FairnessReading {
  /** Of small requests through another service, ms. */
  readonly p99Ms: number;
  /** Jain's index of the bytes that the streams have moved: 1 when all moved the same, 1/n when one has moved all. */
  readonly jain: number;
  /** Streams that have moved at all. */
  readonly moved: number;
}

/** From the first connection on: how long fresh streams wait for their first byte is part of it. */
const WINDOW_MS = 3_500;
const WITHIN_MS = 20_000;

/** Bulk streams through one service, small requests through another, of one proxy. */
export async function readFairness(lab: Lab, { peer, streams }: { readonly peer: Peer; readonly streams: number }) {
  const processes = lab.processes.part();
  const part = (role: string, ...numbers: readonly number[]) =>
    startPart(lab, processes, [role, ...numbers.map(String)]);
  try {
    const [bulk, small, also] = await Promise.all([freePort(), freePort(), freePort()]);
    await Promise.all([part('source', bulk), part('echo', small)].map(async (started) => (await started).said));
    const second = { from: also, to: small };
    const proxy = await startProxy(lab, { peer, processes, to: bulk, connections: streams + 10, second });
    const [readers, prober] = await Promise.all([
      part('readers', proxy.port, WINDOW_MS, streams),
      part('prober', also, WINDOW_MS),
    ]);
    const [{ moved = [] }, { took = [] }] = await Promise.all([readers.said, prober.said]);
    return reading(moved, took);
  } finally {
    await processes.stop();
  }
}

export function reading(moved: readonly number[], took: readonly number[]): FairnessReading {
  const sum = moved.reduce((all, one) => all + one, 0);
  const squares = moved.reduce((all, one) => all + one * one, 0);
  const sorted = [...took].sort((a, b) => a - b);
  return {
    p99Ms: sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.99))] ?? WINDOW_MS,
    jain: squares === 0 ? 0 : (sum * sum) / moved.length / squares,
    moved: moved.filter((bytes) => bytes > 0).length,
  };
}

interface Message {
  readonly moved?: readonly number[];
  readonly took?: readonly number[];
}

async function startPart(lab: Lab, processes: Processes, args: readonly string[]) {
  const started = await processes.start({
    program: process.execPath,
    args: [fileURLToPath(new URL('fairness-part.js', import.meta.url)), ...args],
    output: scratchFile(lab, 'fairness.log'),
    channel: true,
  });
  const deadline = AbortSignal.any([AbortSignal.timeout(WITHIN_MS), lab.signal]);
  const message = once(started.child, 'message', { signal: deadline }).then(([first]) => first as Message);
  const said = Promise.race([message, started.died]);
  // Waited for later; a failure until then is not unheard.
  said.catch(() => undefined);
  return { said };
}
