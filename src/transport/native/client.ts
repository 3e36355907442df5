import { formatAddress } from '../../core/address.ts';
import type { ProxyEndpoint, ProxyEnds } from '../../core/proxy-header.ts';
import type { Client, ClientOwner, Handshake, HandshakeOwner, HandshakeSettings } from '../engine.ts';
import { NativeHandshake, type LendingClient } from './client-handshake.ts';
import { failureCode } from './failure-code.ts';
import { RECORD, type Records } from './records.ts';
import type { NativeEnd, NativeThread } from './thread.ts';

export interface NativeClientOptions {
  readonly thread: NativeThread;
  /** At the record of the client. */
  readonly records: Records;
  readonly isUnix: boolean;
  readonly settings: HandshakeSettings;
  /** The listener's address, unless the record has the client's own. */
  readonly local: ProxyEndpoint | undefined;
}

const nobody: ClientOwner = {
  faulted: (error) => {
    throw error;
  },
  clientEnded: () => undefined,
  clientFailed: () => undefined,
  clientClosed: () => undefined,
};

/** A relay that carries a client and hears its events. */
export interface ClientCarrier {
  needsToBeWatched(): void;
  over(records: Records): void;
  /** It had gone before the thread heard of the relay. @param code an errno; 0: none */
  clientGone(code: number): void;
}

/** Who hears of the client: its owner, or what has it on loan. */
type Phase =
  | { readonly of: 'owner' }
  | { readonly of: 'handshake'; readonly handshake: NativeHandshake }
  | { readonly of: 'relay'; readonly relay: ClientCarrier }
  | { readonly of: 'nobody' };

/** A client of the thread. */
export class NativeClient implements Client, NativeEnd, LendingClient {
  owner: ClientOwner = nobody;
  readonly slot: number;
  readonly generation: number;
  readonly name: string;
  readonly ends: ProxyEnds | undefined;
  readonly thread: NativeThread;
  readonly #settings: HandshakeSettings;
  #phase: Phase = { of: 'owner' };
  #isClosing = false;

  constructor({ thread, records, isUnix, settings, local }: NativeClientOptions) {
    const { remote: source, local: destination = local } = records;
    this.thread = thread;
    this.slot = records.slot;
    this.generation = records.generation;
    this.#settings = settings;
    this.ends = source === undefined || destination === undefined ? undefined : { source, destination };
    this.name = source === undefined ? (isUnix ? 'unix' : 'unknown') : nameOf(source);
    thread.add(this);
  }

  get closed(): boolean {
    return this.#phase.of === 'nobody';
  }

  get earlyBytes(): number {
    return this.closed ? 0 : this.thread.live.early(this.slot);
  }

  handshake(owner: HandshakeOwner): Handshake {
    return new NativeHandshake({ client: this, settings: this.#settings, owner });
  }

  collect(): void {
    if (!this.closed) this.thread.commands.collect(this);
  }

  probe(): void {
    if (!this.closed) this.thread.commands.probe(this);
  }

  reset(): void {
    this.#close(true);
  }

  destroy(): void {
    this.#close(false);
  }

  /** A handshake has it from now on, or gives it back. */
  lend(handshake: NativeHandshake | undefined): void {
    if (this.closed) return;
    this.#phase = handshake === undefined ? { of: 'owner' } : { of: 'handshake', handshake };
  }

  /** A relay has it from now on. @returns false: it has gone */
  carriedBy(relay: ClientCarrier): boolean {
    if (this.closed) return false;
    this.#phase = { of: 'relay', relay };
    return true;
  }

  faulted(error: unknown): void {
    this.owner.faulted(error);
  }

  told(records: Records): void {
    const phase = this.#phase;
    switch (records.kind) {
      case RECORD.lent:
        if (phase.of === 'handshake') phase.handshake.told(records);
        else this.thread.commands.take(this, 0);
        break;
      case RECORD.hello:
      case RECORD.secured:
      case RECORD.refused:
        if (phase.of === 'handshake') phase.handshake.told(records);
        break;
      case RECORD.ended:
        if (phase.of === 'handshake') phase.handshake.told(records);
        else if (phase.of === 'owner' && !this.#isClosing) this.owner.clientEnded(this);
        break;
      case RECORD.watch:
        if (phase.of === 'relay') phase.relay.needsToBeWatched();
        break;
      case RECORD.closed:
        this.#closed(phase, records);
        break;
      case RECORD.over:
        this.#gone();
        if (phase.of === 'relay') phase.relay.over(records);
        break;
    }
  }

  #closed(phase: Phase, records: Records): void {
    const { code } = records;
    this.#gone();
    if (phase.of === 'relay') {
      phase.relay.clientGone(code);
    } else if (phase.of === 'handshake') {
      phase.handshake.told(records);
    } else {
      if (code !== 0 && !this.#isClosing) this.owner.clientFailed(this, failureCode(this, code));
      this.owner.clientClosed(this);
    }
  }

  #gone(): void {
    this.#phase = { of: 'nobody' };
    this.thread.gone(this);
  }

  #close(reset: boolean): void {
    if (this.closed || this.#isClosing || this.#phase.of === 'relay') return;
    this.#isClosing = true;
    this.thread.commands.close(this, reset);
  }
}

function nameOf({ ip, port }: ProxyEndpoint): string {
  return formatAddress({ kind: 'tcp', host: ip, port });
}
