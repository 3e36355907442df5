import type { Socket } from 'node:net';
import type { Candidate } from '../balancing/candidate.ts';
import type { EjectionSettings, HealthChange } from '../balancing/ejection.ts';
import { Pool } from '../balancing/pool.ts';
import type { Policy } from '../balancing/policies.ts';
import type { Address } from '../core/address.ts';
import { isShortage, type Admission } from '../core/admission.ts';
import type { Observer } from '../core/observer.ts';
import { HoldQueue } from './hold.ts';
import { Listener, type ListenerOptions } from '../transport/listener.ts';

/** Most clients of one listener that are held at once. */
const MAX_HELD = 1_024;

/** How far a listener has come. */
export type SlotStatus =
  | { readonly phase: 'opening' | 'closed' }
  | { readonly phase: 'listening'; readonly address: Address }
  | { readonly phase: 'failed'; readonly errno: string }
  /** Cluster mode: there is no candidate for this listener, so it does not listen. */
  | { readonly phase: 'waiting' };

export interface SlotOptions extends Pick<ListenerOptions, 'family' | 'resolver' | 'keepAliveMs' | 'directIo'> {
  readonly service: string;
  /** Position among the service's listeners, from 0. */
  readonly index: number;
  readonly address: Address;
  readonly policy: Policy;
  /** Keys of candidates that get no new connections, shared by all listeners of the service. */
  readonly drained: ReadonlySet<string>;
  readonly ejection: EjectionSettings;
  /** Whether clients are held while no candidate answers. */
  readonly holds: boolean;
  readonly observer: Observer;
  readonly admission: Admission;
  readonly onConnection: (socket: Socket, slot: Slot) => void;
}

/** A listener with the candidates its clients are carried to: all of the service's, or in cluster mode its own one. */
export class Slot {
  readonly pool: Pool;
  readonly hold: HoldQueue | undefined;
  readonly #options: SlotOptions;
  readonly #listener: Listener;
  #status: SlotStatus = { phase: 'closed' };
  #onSettled: (() => void)[] = [];

  constructor(options: SlotOptions) {
    this.#options = options;
    this.pool = new Pool(options.policy, {
      ejection: options.ejection,
      drained: options.drained,
      onHealth: (candidate, change, errno) => this.#judged(candidate, change, errno),
    });
    this.hold = options.holds ? this.#holdQueue() : undefined;
    this.#listener = new Listener({
      ...options,
      onConnection: (socket) => options.onConnection(socket, this),
      onListening: (address) => this.#listening(address),
      onFailed: (errno, retryInMs) => this.#failed(errno, retryInMs),
      onAcceptError: (errno) => this.#notAccepted(errno),
    });
  }

  get index(): number {
    return this.#options.index;
  }

  /** The address asked for. */
  get address(): Address {
    return this.#options.address;
  }

  get status(): SlotStatus {
    return this.#status;
  }

  open(): void {
    if (this.#status.phase !== 'closed' && this.#status.phase !== 'waiting') return;
    this.#status = { phase: 'opening' };
    this.#listener.open();
  }

  /** @param reason `no-candidate`: it opens again when there is one; `drain`: it is closed for good */
  close(reason: 'no-candidate' | 'drain'): void {
    const was = this.#status.phase;
    this.#listener.close();
    this.#settle({ phase: reason === 'drain' ? 'closed' : 'waiting' });
    if (was !== 'listening') return;
    const { service, index, observer } = this.#options;
    observer({ type: 'listener-closed', service, listener: index, reason });
  }

  /** Resolves when the first attempt to listen has succeeded or failed, or when there is nothing to listen for. */
  settled(): Promise<void> {
    if (this.#status.phase !== 'opening') return Promise.resolve();
    return new Promise((resolve) => this.#onSettled.push(resolve));
  }

  #judged({ key }: Candidate, change: HealthChange, errno = 'UNKNOWN'): void {
    const { service, observer } = this.#options;
    if (change.kind === 'recovered') {
      observer({ type: 'candidate-recovered', service, candidate: key });
      return;
    }
    const { fails, forMs, again } = change;
    observer({ type: 'candidate-ejected', service, candidate: key, errno, fails, forMs, again });
  }

  #holdQueue(): HoldQueue {
    const { service, index, observer } = this.#options;
    return new HoldQueue({
      places: MAX_HELD,
      hasCandidates: () => this.pool.undrained.length > 0,
      onChange: (change) => observer({ type: 'hold', service, listener: index, ...change }),
    });
  }

  #listening(address: Address): void {
    const { service, index, observer } = this.#options;
    this.#settle({ phase: 'listening', address });
    observer({ type: 'listening', service, listener: index, address });
  }

  #failed(errno: string, retryInMs: number): void {
    const { service, index, observer, address } = this.#options;
    this.#settle({ phase: 'failed', errno });
    observer({ type: 'listen-failed', service, listener: index, address, errno, retryInMs });
  }

  #notAccepted(errno: string): void {
    const { service, observer, admission } = this.#options;
    observer({ type: 'accept-failed', service, errno });
    if (isShortage(errno)) admission.failed(errno);
  }

  #settle(status: SlotStatus): void {
    this.#status = status;
    const waiting = this.#onSettled;
    this.#onSettled = [];
    for (const resolve of waiting) resolve();
  }
}
