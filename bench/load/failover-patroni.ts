import { setTimeout as delay } from 'node:timers/promises';
import { startPatroni, type PatroniMember, type PatroniTrio } from '../backends/patroni.ts';
import { PostgresLine, type PostgresPlace } from '../backends/postgres-line.ts';
import type { Lab } from '../lab.ts';
import type { Peer } from '../peers/peer.ts';
import { startProxy } from '../proxy.ts';
import { until } from '../wait.ts';
import {
  readingOf,
  WRITE_EVERY_MS,
  writesAfter,
  WritingApp,
  type ChangeOfLeader,
  type FailoverReading,
  type Writer,
} from './writing-app.ts';

/** `killed`: the leader's Patroni and its PostgreSQL are gone. `switched`: Patroni is told to have another lead. */
export type PatroniChange = 'killed' | 'switched';

/** All candidates have been checked by then, also where a candidate needs two good checks 3 s apart. */
const SETTLE_MS = 8_000;
/** Patroni notices the loss of its leader after 30 s, and elects after that. */
const CHANGE_WITHIN_MS = 90_000;
const WRITES_WITHIN_MS = 60_000;
const ASK_EVERY_MS = 3;
const SOME_WRITES = 100;

/** An app that writes without a pause sees a switchover, and then the loss of the leader. */
export async function readPatroniFailover(
  lab: Lab,
  peer: Peer,
): Promise<readonly (FailoverReading & { readonly change: PatroniChange })[]> {
  const processes = lab.processes.part();
  try {
    const trio = await startPatroni(lab, processes);
    const leader = await trio.settled();
    await makeTable(lab, { host: leader.host, port: trio.port });
    const patroni = { hosts: trio.members.map(({ host }) => host), port: trio.port, restPort: trio.restPort };
    const proxy = await startProxy(lab, { peer, processes, to: trio.port, connections: 100, patroni });
    const switched = await readChange(lab, { trio, port: proxy.port, change: 'switched' });
    const killed = await readChange(lab, { trio, port: proxy.port, change: 'killed' });
    return [
      { change: 'killed', ...killed },
      { change: 'switched', ...switched },
    ];
  } finally {
    await processes.stop();
  }
}

interface Course {
  readonly trio: PatroniTrio;
  /** Of the proxy. */
  readonly port: number;
  readonly change: PatroniChange;
}

async function readChange(lab: Lab, { trio, port, change }: Course): Promise<FailoverReading> {
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, lab.signal]);
  try {
    const old = await trio.settled();
    const app = new WritingApp(() => openPostgres({ host: '127.0.0.1', port }), signal);
    const running = app.run();
    const wait = { withinMs: WRITES_WITHIN_MS, everyMs: WRITE_EVERY_MS, fault: 'no write came through' };
    await until(lab, () => app.writes.length >= SOME_WRITES, wait);
    await delay(SETTLE_MS, undefined, { signal: lab.signal });
    const others = trio.members.filter((member) => member !== old);
    const watch = watchOthers({ lab: { ...lab, signal }, port: trio.port, members: others });
    const begunAt = performance.now();
    const act = change === 'killed' ? old.kill() : old.giveUpLead();
    const [{ at: changedAt, host: server }] = await Promise.all([watch, act]);
    const made: ChangeOfLeader = { begunAt, changedAt, server };
    // Several, as the first may be followed by an error still.
    await until(lab, () => writesAfter(app, made).length >= SOME_WRITES, wait);
    over.abort();
    await running;
    return readingOf(app, made);
  } finally {
    over.abort();
  }
}

interface Watched {
  readonly lab: Pick<Lab, 'signal'>;
  /** Of each PostgreSQL. */
  readonly port: number;
  readonly members: readonly PatroniMember[];
}

/** Asks them directly, each on a connection of its own. @returns who takes writes first, and when it said so */
async function watchOthers({ lab, port, members }: Watched): Promise<{ readonly at: number; readonly host: string }> {
  let first: { readonly at: number; readonly host: string } | undefined;
  const over = new AbortController();
  const watch = async ({ host }: PatroniMember) => {
    let line: PostgresLine | undefined;
    while (!over.signal.aborted) {
      try {
        line ??= await PostgresLine.connect({ host, port });
        const isLeader = (await line.ask('SELECT pg_is_in_recovery()')) === 'f';
        if (isLeader) first ??= { at: performance.now(), host };
      } catch {
        line?.close();
        line = undefined;
      }
      await delay(ASK_EVERY_MS);
    }
    line?.close();
  };
  const watches = members.map(watch);
  try {
    const wait = { withinMs: CHANGE_WITHIN_MS, everyMs: ASK_EVERY_MS, fault: 'no other PostgreSQL takes writes' };
    await until(lab, () => first !== undefined, wait);
  } finally {
    over.abort();
  }
  await Promise.all(watches);
  if (first === undefined) throw new Error('nobody takes writes');
  return first;
}

/** Patroni says that a member leads some moments before its PostgreSQL takes writes. */
async function makeTable(lab: Lab, place: PostgresPlace): Promise<void> {
  const make = async () => {
    const line = await PostgresLine.connect(place);
    try {
      await line.ask('CREATE TABLE written (n int)');
      return true;
    } catch {
      return false;
    } finally {
      line.close();
    }
  };
  await until(lab, make, { withinMs: WRITES_WITHIN_MS, everyMs: 100, fault: 'the leader takes no table' });
}

async function openPostgres(place: PostgresPlace): Promise<Writer> {
  const line = await PostgresLine.connect(place);
  return {
    write: (n) => line.ask(`INSERT INTO written VALUES (${n}) RETURNING host(inet_server_addr())`),
    close: () => line.close(),
  };
}
