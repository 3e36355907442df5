import { renameSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Scope } from '../support/scope.ts';
import { freePort, startEcho, startNamed, type TestServer } from '../support/tcp.ts';
import { eventually } from '../support/wait.ts';
import { editPlan, GUESTS, type EditStep } from './plan.ts';

/** What came of the edits. */
export interface EditsFindings {
  readonly done: number;
  /** Edits that were not in force in time, and what they touched that they did not name. */
  readonly failures: readonly string[];
}

export interface EditsOptions {
  readonly seed: number;
  readonly onStep: (target: string, step: EditStep) => void;
  /** Services that no edit names, in the shape of `SERVICES`. */
  readonly lasting: readonly object[];
}

interface Guest {
  readonly name: string;
  readonly port: number;
  /** Which server it leads to; undefined: there is no such service. */
  to: 'a' | 'b' | undefined;
  timeoutS: number;
}

const IN_FORCE_MS = 10_000;
const TALK_EVERY_MS = 200;

/** The file of the services, which is edited again and again, and a connection that no edit may touch. */
export class Edits {
  readonly file: string;
  readonly counts = new Map<string, number>();
  readonly #options: EditsOptions;
  readonly #plan: Generator<EditStep, never>;
  readonly #guests: readonly Guest[];
  readonly #servers: Readonly<Record<'a' | 'b', TestServer>>;
  readonly #still: object;
  readonly #stillPort: number;
  readonly #failures: string[] = [];
  #done = 0;

  private constructor(options: EditsOptions, parts: EditsParts) {
    this.#options = options;
    this.#plan = editPlan(options.seed);
    this.file = parts.file;
    this.#guests = parts.guests;
    this.#servers = parts.servers;
    this.#stillPort = parts.stillPort;
    this.#still = { name: 'still', src: `127.0.0.1:${parts.stillPort}`, dst: `127.0.0.1:${parts.echo.port}` };
    this.#write();
  }

  /** Writes the first list. */
  static async prepare(scope: Scope, options: EditsOptions): Promise<Edits> {
    const folder = await mkdtemp(join(tmpdir(), 'attache-soak-'));
    scope.after(() => rm(folder, { recursive: true, force: true }));
    const guests: Guest[] = [];
    for (let n = 0; n < GUESTS; n += 1)
      guests.push({ name: `guest-${n}`, port: await freePort(), to: 'a', timeoutS: 60 });
    const servers = { a: await startNamed(scope, 'a'), b: await startNamed(scope, 'b') };
    const echo = await startEcho(scope);
    return new Edits(options, {
      file: join(folder, 'services.json'),
      guests,
      servers,
      echo,
      stillPort: await freePort(),
    });
  }

  get findings(): EditsFindings {
    return { done: this.#done, failures: this.#failures };
  }

  /** Goes on with the edits until aborted; when it resolves all services are there, as they were at first. */
  async run(signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const talking = this.#talk(AbortSignal.any([signal, over.signal]));
    for (;;) {
      const step = this.#plan.next().value;
      try {
        await pause(step.afterMs, undefined, { signal });
      } catch {
        break;
      }
      this.counts.set(step.kind, (this.counts.get(step.kind) ?? 0) + 1);
      this.#options.onStep('services', step);
      this.#done += 1;
      await this.#edit(step);
    }
    over.abort();
    await talking;
    for (const guest of this.#guests) [guest.to, guest.timeoutS] = ['a', 60];
    this.#write();
    for (const guest of this.#guests) await this.#inForce(guest, 'the list at the end');
  }

  async #edit(step: EditStep): Promise<void> {
    if (step.kind === 'list with a fault') {
      writeWhole(this.file, '[{"name":"x","src":"127.0.0.1:1"}]');
      // The list of before is in force: what follows it is told apart from it by no answer.
      await pause(1_500);
      for (const guest of this.#guests) await this.#inForce(guest, step.kind);
      this.#write();
      return;
    }
    const guest = this.#guests[step.guest];
    if (guest === undefined) return;
    if (step.kind === 'service removed') guest.to = undefined;
    else if (step.kind === 'time-out changed') guest.timeoutS += 1;
    else guest.to = guest.to === 'a' ? 'b' : 'a';
    this.#write();
    await this.#inForce(guest, step.kind);
  }

  async #inForce(guest: Guest, after: string): Promise<void> {
    const wanted = guest.to ?? 'nobody';
    let got = '';
    await eventually(async () => (got = await nameAt(guest.port)) === wanted, '', IN_FORCE_MS).catch(() => {
      this.#failures.push(`${after}: ${guest.name} is ${got}, not ${wanted}`);
    });
  }

  /** One connection all the time. */
  async #talk(signal: AbortSignal): Promise<void> {
    const socket = connect(this.#stillPort, '127.0.0.1');
    let ended: string | undefined;
    socket.on('error', (error) => (ended = String(error))).on('close', () => (ended ??= 'closed'));
    socket.resume();
    while (!signal.aborted && ended === undefined) {
      socket.write('x');
      await pause(TALK_EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
    if (ended !== undefined) this.#failures.push(`a connection of a service that no edit names: ${ended}`);
    socket.destroy();
  }

  #write(): void {
    const guests = this.#guests.flatMap(({ name, port, to, timeoutS }) =>
      to === undefined
        ? []
        : [
            {
              name,
              src: `127.0.0.1:${port}`,
              dst: `127.0.0.1:${this.#servers[to].port}`,
              idle_timeout: `${timeoutS}s`,
            },
          ],
    );
    writeWhole(this.file, JSON.stringify([...this.#options.lasting, this.#still, ...guests]));
  }
}

interface EditsParts {
  readonly file: string;
  readonly guests: readonly Guest[];
  readonly servers: Readonly<Record<'a' | 'b', TestServer>>;
  readonly echo: TestServer;
  readonly stillPort: number;
}

function writeWhole(file: string, text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

/** Who answers; `nobody` where nobody listens, or the connection ends without a word. */
function nameAt(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket: Socket = connect(port, '127.0.0.1');
    socket.setTimeout(2_000, () => socket.destroy());
    let said = '';
    socket
      .on('data', (chunk: Buffer) => (said += chunk.toString()))
      .on('error', () => undefined)
      .on('close', () => resolve(said === '' ? 'nobody' : said));
  });
}
