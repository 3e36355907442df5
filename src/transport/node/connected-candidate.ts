import type { AskableCandidate, ExchangeOptions, TlsPeer } from '../engine.ts';
import { Exchange } from './exchange.ts';
import type { Leg } from './leg.ts';

/** A candidate that has been reached over one of Node's sockets. */
export class ConnectedCandidate implements AskableCandidate {
  readonly leg: Leg;
  readonly tls: TlsPeer | undefined;
  #exchange: Exchange | undefined;

  constructor(leg: Leg, tls?: TlsPeer) {
    this.leg = leg;
    this.tls = tls;
  }

  exchange(options: ExchangeOptions): void {
    this.#exchange = new Exchange(this.leg, options);
    this.#exchange.start();
  }

  destroy(): void {
    this.#exchange?.stop();
    this.leg.destroy();
  }

  reset(): void {
    this.#exchange?.stop();
    this.leg.reset();
  }
}
