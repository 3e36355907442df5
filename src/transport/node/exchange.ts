import type { Contained } from '../../core/contained.ts';
import type { FailureCode } from '../../core/dial-failure.ts';
import { errnoOf } from '../../core/errors.ts';
import type { ExchangeOptions, ExchangeOwner } from '../engine.ts';
import type { Leg, LegOwner } from './leg.ts';

/** One question to a candidate, and its answer as far as it is read. */
export class Exchange implements LegOwner, Contained {
  readonly #leg: Leg;
  readonly #send: Buffer;
  readonly #mostBytes: number;
  #owner: ExchangeOwner | undefined;
  #answer: Buffer = Buffer.alloc(0);

  constructor(leg: Leg, { send, mostBytes, owner }: ExchangeOptions) {
    this.#leg = leg;
    this.#send = send;
    this.#mostBytes = mostBytes;
    this.#owner = owner;
  }

  start(): void {
    const leg = this.#leg;
    leg.owner = this;
    leg.connection = this;
    leg.keeper = (chunk) => this.#read(chunk);
    if (leg.closed) {
      this.legClosed();
      return;
    }
    if (this.#send.length > 0) leg.socket.write(this.#send);
    leg.collect();
  }

  /** The owner hears no more events. */
  stop(): void {
    this.#owner = undefined;
  }

  faulted(error: unknown): void {
    if (this.#owner === undefined) throw error;
    this.#owner.faulted(error);
  }

  legEnded(): void {
    this.#over('end');
  }

  legFailed(_leg: Leg, error: NodeJS.ErrnoException): void {
    this.#over(errnoOf(error));
  }

  legClosed(): void {
    this.#over('end');
  }

  #read(chunk: Buffer): boolean {
    if (this.#owner === undefined) return false;
    this.#answer = Buffer.concat([this.#answer, chunk.subarray(0, this.#mostBytes - this.#answer.length)]);
    this.#owner.answered(this.#answer);
    if (this.#answer.length < this.#mostBytes) return this.#isHeard;
    this.#over('most');
    return false;
  }

  /** Who hears of an answer may end the exchange before the call returns. */
  get #isHeard(): boolean {
    return this.#owner !== undefined;
  }

  #over(why: 'end' | 'most' | FailureCode): void {
    const owner = this.#owner;
    this.#owner = undefined;
    owner?.exchangeOver(why);
  }
}
