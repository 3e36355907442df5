import { setTimeout as pause } from 'node:timers/promises';
import { startAttache, type Attache } from '../support/attache.ts';
import type { EtcdNode } from '../support/etcd.ts';
import { reservePorts } from '../support/ports.ts';
import type { Scope } from '../support/scope.ts';
import { startNamed, type TestServer } from '../support/tcp.ts';
import { eventually } from '../support/wait.ts';
import { registrarPlan, REGISTRARS, type RegistrarStep } from './plan.ts';

/** What came of ending registrars and their servers. */
export interface RegistrarsFindings {
  readonly done: number;
  /** Keys that stayed, or did not come back. */
  readonly failures: readonly string[];
}

export interface RegistrarsOptions {
  readonly seed: number;
  readonly onStep: (target: string, step: RegistrarStep) => void;
  readonly etcd: EtcdNode;
}

const DIRECTORY = '/srv/soak-registered';
const TTL = '2s';
/** Longest that etcd may keep the key of a lease of 2 s, its own outages included. */
const LIMIT_MS = 30_000;

interface One {
  readonly address: string;
  readonly port: number;
  server: TestServer | undefined;
  attache: Attache;
}

/** Registrars beside their servers: each is ended in some way, again and again, and its key has to follow. */
export class Registrars {
  readonly counts = new Map<string, number>();
  readonly #scope: Scope;
  readonly #options: RegistrarsOptions;
  readonly #plan: Generator<RegistrarStep, never>;
  readonly #all: readonly One[];
  readonly #failures: string[] = [];
  #done = 0;

  private constructor(scope: Scope, options: RegistrarsOptions, all: readonly One[]) {
    this.#scope = scope;
    this.#options = options;
    this.#plan = registrarPlan(options.seed);
    this.#all = all;
  }

  static async start(scope: Scope, options: RegistrarsOptions): Promise<Registrars> {
    const reserved = await reservePorts(REGISTRARS);
    await reserved.release();
    const all: One[] = [];
    for (const port of reserved.ports) {
      const server = await startNamed(scope, `server ${port}`, port);
      const address = `127.0.0.1:${port}`;
      all.push({ address, port, server, attache: begin(scope, address, options.etcd) });
    }
    const registrars = new Registrars(scope, options, all);
    for (const one of all) await registrars.#stands(one, true, 'at the start');
    return registrars;
  }

  get findings(): RegistrarsFindings {
    return { done: this.#done, failures: this.#failures };
  }

  /** Goes on until aborted; when it resolves all are registered. */
  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      const step = this.#plan.next().value;
      try {
        await pause(step.afterMs, undefined, { signal });
      } catch {
        break;
      }
      const one = this.#all[step.registrar];
      if (one === undefined) return;
      this.counts.set(step.kind, (this.counts.get(step.kind) ?? 0) + 1);
      this.#options.onStep(one.address, step);
      this.#done += 1;
      await this.#end(one, step.kind);
    }
    for (const one of this.#all) await this.#stands(one, true, 'at the end');
  }

  async #end(one: One, kind: RegistrarStep['kind']): Promise<void> {
    const { attache } = one;
    if (kind === 'its server dies') {
      await one.server?.stop();
      await this.#stands(one, false, kind);
      one.server = await startNamed(this.#scope, `server ${one.port}`, one.port);
      await this.#stands(one, true, `${kind}, and is back`);
      return;
    }
    attache.child.kill(kind === 'registrar SIGTERM' ? 'SIGTERM' : 'SIGKILL');
    const exit = await attache.exited;
    if (kind === 'registrar SIGTERM' && exit !== 0) this.#failures.push(`${kind}: it exited with ${exit}`);
    if (kind !== 'registrar kill -9, and another at once') await this.#stands(one, false, kind);
    one.attache = begin(this.#scope, one.address, this.#options.etcd);
    // The key may still be that of the one before: what counts is that this one has it.
    const { lines } = one.attache;
    await eventually(() => lines.some(({ msg }) => msg === 'registered'), '', LIMIT_MS).catch(() => {
      this.#failures.push(`${kind}: another one is not registered: ${JSON.stringify(lines.slice(-5))}`);
    });
    await this.#stands(one, true, `${kind}, and another`);
  }

  async #stands(one: One, isThere: boolean, after: string): Promise<void> {
    const { api } = this.#options.etcd;
    const isSo = async () => {
      // Without etcd nothing is known.
      const names = await api.names(`${DIRECTORY}/`).catch(() => undefined);
      return names?.includes(one.address) === isThere;
    };
    await eventually(isSo, '', LIMIT_MS).catch(() => {
      this.#failures.push(`${after}: the key of ${one.address} is ${isThere ? 'not there' : 'still there'}`);
    });
  }
}

function begin(scope: Scope, address: string, etcd: EtcdNode): Attache {
  return startAttache(scope, {
    args: ['register'],
    env: {
      REGISTER: DIRECTORY,
      REGISTER_ADDRESS: address,
      REGISTER_TTL: TTL,
      DST: address,
      DSC: etcd.url,
      HEALTH_INTERVAL: '500ms',
    },
  });
}
