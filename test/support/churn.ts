import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { ChurnOrder, ChurnReport } from './churn-client.ts';
import type { Scope } from './scope.ts';

export interface Churn {
  readonly begun: number;
  readonly answered: number;
  readonly perSecond: number;
  readonly failures: readonly string[];
  /** CPU time of the clients for one connection, µs. */
  readonly clientMicros: number;
}

/** One process alone cannot connect as often as the program accepts. */
const PROCESSES = 2;
const ADDRESSES_EACH = 4;

/** New connections at a steady rate from processes of their own; resolves when the last is closed. */
export async function churn(
  t: Scope,
  load: { readonly port: number; readonly perSecond: number; readonly seconds: number },
): Promise<Churn> {
  const reports = await Promise.all(
    Array.from({ length: PROCESSES }, async (_, index) => {
      const child = fork(new URL('./churn-client.js', import.meta.url));
      t.after(() => child.kill('SIGKILL'));
      const addresses = Array.from({ length: ADDRESSES_EACH }, (_unused, n) => `127.0.${2 + index}.${1 + n}`);
      child.send({ ...load, perSecond: load.perSecond / PROCESSES, addresses } satisfies ChurnOrder);
      const died = once(child, 'exit').then(() => Promise.reject(new Error('a client process died')));
      const [report] = (await Promise.race([once(child, 'message'), died])) as [ChurnReport];
      died.catch(() => undefined);
      return report;
    }),
  );
  const sum = (of: (report: ChurnReport) => number) => reports.reduce((total, report) => total + of(report), 0);
  const begun = sum((report) => report.begun);
  return {
    begun,
    answered: sum((report) => report.answered),
    perSecond: begun / (Math.max(...reports.map(({ ms }) => ms)) / 1_000),
    failures: reports.flatMap(({ failures }) => failures),
    clientMicros: (1_000 * sum((report) => report.cpuMs)) / begun,
  };
}
