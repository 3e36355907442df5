import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { psql, psqlArguments, psqlEnvironment, psqlFile } from './patroni.ts';
import type { Scope } from './scope.ts';
import { spoken } from './spoken.ts';

/** An app that inserts one number after the other, each on a connection of its own. */
export interface PostgresWriter {
  /** Those that the server has confirmed. */
  readonly confirmed: readonly number[];
  /** When it was confirmed, for each of them, `Date.now()`. */
  readonly confirmedAt: readonly number[];
  /** What servers said that take no writes, and when the app began to connect. */
  readonly refusals: readonly { readonly text: string; readonly begunAt: number }[];
  stop(): Promise<void>;
}

const PAUSE_MS = 100;

/** The table that writers write to. */
export async function createTable(place: { readonly host: string; readonly port: number }): Promise<void> {
  await psql(place, 'CREATE TABLE written (app text, n int)');
}

/** @param app tells its rows from those of other writers */
export function startPostgresWriter(t: Scope, app: string, port: number): PostgresWriter {
  const confirmed: number[] = [];
  const confirmedAt: number[] = [];
  const refusals: { text: string; begunAt: number }[] = [];
  const over = new AbortController();
  const run = async () => {
    for (let n = 1; !over.signal.aborted; n += 1) {
      const begunAt = Date.now();
      try {
        await psql({ port }, `INSERT INTO written VALUES ('${app}', ${n})`);
        confirmed.push(n);
        confirmedAt.push(Date.now());
      } catch (error) {
        const text = String(error);
        if (text.includes('read-only transaction')) refusals.push({ text, begunAt });
      }
      await pause(PAUSE_MS);
    }
  };
  const running = run();
  const stop = async () => {
    over.abort();
    await running;
  };
  t.after(stop);
  return { confirmed, confirmedAt, refusals, stop };
}

/** Those of the numbers that a server does not have. */
export async function missing(
  place: { readonly host: string; readonly port: number },
  app: string,
  numbers: readonly number[],
): Promise<readonly number[]> {
  const rows = new Set((await psql(place, `SELECT n FROM written WHERE app = '${app}'`)).split('\n').map(Number));
  return numbers.filter((n) => !rows.has(n));
}

/** A connection with a query that would last for ten minutes. */
export interface HeldQuery {
  /** Resolves with what the client printed, when its connection has ended. */
  readonly ended: Promise<string>;
  readonly hasEnded: () => boolean;
}

export function holdQuery(t: Scope, port: number): HeldQuery {
  const child = spawn(psqlFile(), psqlArguments({ host: '127.0.0.1', port }, 'SELECT pg_sleep(600)'), {
    env: { ...psqlEnvironment(), PGAPPNAME: 'held' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const { output } = spoken(t, child);
  let hasEnded = false;
  const ended = once(child, 'close').then(() => {
    hasEnded = true;
    return output();
  });
  return { ended, hasEnded: () => hasEnded };
}
