import { randomFillSync } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { bulkOf, CheckedConnection, command, Cut, OK, WrongBytes } from './checked-connection.ts';
import { Ledger } from './ledger.ts';
import type { Stay } from './absences.ts';

/** How one client behaves. */
export interface Habits {
  readonly name: string;
  readonly port: number;
  /** Most questions on one connection. */
  readonly mostQuestions: number;
  /** Longest pause between two questions, and between two connections. */
  readonly thinkMs: number;
  /** Size of the large texts that it sends now and then. */
  readonly largeBytes: number;
  readonly largeShare: number;
  /** Does not read for a while after each large question. */
  readonly isSlow: boolean;
  readonly random: () => number;
}

/** What the clients count together. */
export interface Tally {
  connections: number;
  answers: number;
  cuts: number;
  bytesIn: number;
  bytesOut: number;
  largestBytes: number;
  /** Longest from wanting an answer to having one, over as many connections as it took. */
  longestPauseMs: number;
  pausesOverSecond: number;
}

/** An app that does not have much patience, and one that outlasts `HOLD_TIMEOUT`. */
const [IMPATIENT_MS, PATIENT_MS] = [500, 20_000];
const IMPATIENT_SHARE = 0.2;
/** After a connection that came to nothing, so that a refused client does not spin. */
const AGAIN_MS = 25;
const SMALL_BYTES = 512;
const MOST_AT_ONCE = 20;
const SLOW_MS = 600;
const POOL = randomFillSync(Buffer.alloc(8 * 1024 * 1024));

/** One client: it connects, asks, compares, leaves in one way or another, and connects anew. */
export class Visitor {
  /** `Date.now()` of the last answer. */
  lastAnswerAt = 0;
  readonly #habits: Habits;
  readonly #tally: Tally;
  readonly #onStay: (stay: Stay) => void;
  readonly #ledger = new Ledger();
  #connection: CheckedConnection | undefined;
  #wantedSince: number | undefined;
  #serial = 0;

  constructor(habits: Habits, tally: Tally, onStay: (stay: Stay) => void) {
    this.#habits = habits;
    this.#tally = tally;
    this.#onStay = onStay;
  }

  /** Until aborted. @throws WrongBytes */
  async run(signal: AbortSignal): Promise<void> {
    const leave = () => this.#connection?.socket.destroy();
    signal.addEventListener('abort', leave);
    const isOver = () => signal.aborted;
    this.#wantedSince = undefined;
    while (!isOver()) {
      try {
        await this.#visit(signal);
        await this.#think(signal);
      } catch (error) {
        if (!(error instanceof Cut)) throw error;
        // Those that end because everybody leaves are no news.
        this.#tally.cuts += Number(!isOver());
        await pause(AGAIN_MS);
      }
    }
    signal.removeEventListener('abort', leave);
  }

  async #visit(signal: AbortSignal): Promise<void> {
    const { port, name, mostQuestions } = this.#habits;
    this.#tally.connections += 1;
    this.#serial += 1;
    const limitMs = this.#draw() < IMPATIENT_SHARE ? IMPATIENT_MS : PATIENT_MS;
    const connection = new CheckedConnection({ port, limitMs });
    this.#connection = connection;
    let member: string | undefined;
    try {
      this.#want();
      const server = serverOf(await connection.bulk(command('INFO', 'server')));
      this.#got();
      member = `127.0.0.1:${server.port}`;
      await this.#across(connection, server.runId);
      const questions = 1 + Math.floor(this.#draw() * mostQuestions);
      for (let n = 0; n < questions && !signal.aborted; n += 1) {
        await this.#question(connection, n);
        await this.#think(signal);
      }
      await this.#leave(connection);
    } finally {
      connection.socket.destroy();
      await connection.closed();
      this.#tally.bytesIn += connection.bytesIn;
      this.#tally.bytesOut += connection.bytesOut;
      const { firstAnsweredAt: from, lastAskedAt: to } = connection;
      if (member !== undefined && from !== undefined) this.#onStay({ member, from, to, who: `client ${name}` });
    }
    if (connection.wrong !== undefined) throw connection.wrong;
  }

  /** What this client has written to a server over earlier connections is there, unless the server has been restarted. */
  async #across(connection: CheckedConnection, runId: string): Promise<void> {
    const key = `across:${this.#habits.name}`;
    const found = await connection.bulk(command('GET', key));
    if (!this.#ledger.allows(runId, found)) {
      throw new WrongBytes(`${key} is ${found ?? 'nothing'}, which was not written there`);
    }
    const value = `${this.#habits.name}-${this.#serial}`;
    this.#ledger.sent(runId, value);
    await connection.exact(command('SET', key, value), OK);
    this.#ledger.confirmed(runId, value);
  }

  async #question(connection: CheckedConnection, n: number): Promise<void> {
    const { name, largeBytes, largeShare, isSlow } = this.#habits;
    this.#want();
    if (this.#draw() < largeShare) {
      const text = this.#text(largeBytes);
      const answer = connection.exact(command('ECHO', text), bulkOf(text));
      if (isSlow) setTimeout(() => connection.socket.resume(), this.#draw() * SLOW_MS);
      if (isSlow) connection.socket.pause();
      await answer;
      this.#tally.largestBytes = Math.max(this.#tally.largestBytes, text.length);
    } else if (this.#draw() < 0.5) {
      const key = `own:${name}:${this.#serial}:${n % 3}`;
      const text = this.#text(SMALL_BYTES);
      await connection.exact(command('SET', key, text, 'EX', '60'), OK);
      await connection.exact(command('GET', key), bulkOf(text));
    } else {
      const texts = Array.from({ length: 1 + Math.floor(this.#draw() * MOST_AT_ONCE) }, () => this.#text(SMALL_BYTES));
      await connection.exact(
        Buffer.concat(texts.map((text) => command('ECHO', text))),
        Buffer.concat(texts.map(bulkOf)),
      );
    }
    this.#got();
  }

  /** As apps do: with a word, by finishing behind the last question, by closing, by RST. */
  async #leave(connection: CheckedConnection): Promise<void> {
    const way = this.#draw();
    if (way < 0.25) await connection.exact(command('QUIT'), OK);
    else if (way < 0.5) {
      const text = this.#text(SMALL_BYTES);
      const answer = connection.exact(command('ECHO', text), bulkOf(text));
      connection.socket.end();
      await answer;
    } else if (way < 0.75) connection.socket.resetAndDestroy();
  }

  async #think(signal: AbortSignal): Promise<void> {
    await pause(this.#draw() * this.#habits.thinkMs, undefined, { signal }).catch(() => undefined);
  }

  #want(): void {
    this.#wantedSince ??= Date.now();
  }

  #got(): void {
    this.lastAnswerAt = Date.now();
    const pauseMs = this.lastAnswerAt - (this.#wantedSince ?? this.lastAnswerAt);
    this.#wantedSince = undefined;
    this.#tally.answers += 1;
    this.#tally.longestPauseMs = Math.max(this.#tally.longestPauseMs, pauseMs);
    if (pauseMs > 1_000) this.#tally.pausesOverSecond += 1;
  }

  /** Random bytes, the first in the clear, so that a fault shows whose they are. */
  #text(most: number): Buffer {
    const length = Math.floor(this.#draw() * most);
    const from = Math.floor(this.#draw() * (POOL.length - length));
    return Buffer.concat([Buffer.from(`${this.#habits.name}/${this.#serial}:`), POOL.subarray(from, from + length)]);
  }

  #draw(): number {
    return this.#habits.random();
  }
}

function serverOf(info: string | undefined): { readonly port: number; readonly runId: string } {
  const field = (name: string) => new RegExp(`^${name}:(\\S+)`, 'm').exec(info ?? '')?.[1];
  const [port, runId] = [field('tcp_port'), field('run_id')];
  if (port === undefined || runId === undefined) throw new WrongBytes(`not what INFO answers: ${info ?? 'nothing'}`);
  return { port: Number(port), runId };
}
