import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Scope } from '../support/scope.ts';
import { eventually } from '../support/wait.ts';
import type { Stay } from './absences.ts';
import type { ClientOrder, ClientReport } from './client-main.ts';

const LEAVE_LIMIT_MS = 20_000;

/** The checking clients: a process of their own, so that neither their load nor the judge's is the other's. */
export class Clients {
  /** Everything that clients have told of where they were carried to. */
  readonly stays: Stay[] = [];
  #last: ClientReport | undefined;
  readonly #child: ChildProcess;

  constructor(scope: Scope) {
    const child = fork(new URL('./client-main.js', import.meta.url), {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child = child;
    child.on('message', (report: ClientReport) => {
      this.#last = report;
      for (const stay of report.stays) this.stays.push(stay);
    });
    const gone = once(child, 'exit');
    scope.after(async () => {
      child.kill('SIGKILL');
      await gone;
    });
  }

  /** What they said last. @throws Error when they are gone */
  get report(): ClientReport {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) throw new Error('the clients have died');
    if (this.#last === undefined) throw new Error('the clients have said nothing yet');
    return this.#last;
  }

  /** @param ports of the services */
  come(ports: readonly number[], seed: number): void {
    this.#tell({ kind: 'come', ports, seed });
  }

  comeAgain(): void {
    this.#tell({ kind: 'come again' });
  }

  /** Resolves when every client has closed its connection. */
  async leave(): Promise<void> {
    this.#tell({ kind: 'leave' });
    await eventually(() => this.report.isResting, 'every client has left', LEAVE_LIMIT_MS);
  }

  #tell(order: ClientOrder): void {
    this.#child.send(order);
  }
}
