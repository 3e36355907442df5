import type { Candidate } from '../balancing/candidate.ts';
import type { EjectionSettings, EjectionChange } from '../balancing/ejection.ts';
import { Pool, type CheckedHealth } from '../balancing/pool.ts';
import type { Policy } from '../balancing/policies.ts';
import type { Address } from '../core/address.ts';
import { isShortage } from '../core/dial-failure.ts';
import type { ListenerState } from '../core/status.ts';
import type { Client, Listener, ListenerOwner, MissingAddress } from '../transport/engine.ts';
import { Connection, type ConnectionContext } from './connection.ts';
import { HoldQueue } from './hold-queue.ts';

/** Most clients of one listener that are held at once. */
const MAX_HELD = 1_024;

/** `shutdown`: the process ends; `changed`: the service has left the configuration, or listens in another way. */
export type ClosedForGood = 'shutdown' | 'changed';

/** What a listener's connections need that is the service's. */
export type SharedContext = Omit<ConnectionContext, 'hold' | 'select' | 'lost' | 'isUnhealthy' | 'door'>;

export interface ListenerBindingOptions {
  /** Position among the service's listeners, from 0. */
  readonly index: number;
  readonly address: Address;
  readonly policy: Policy;
  readonly shared: SharedContext;
  /** Keys of candidates that get no new connections, shared by all listeners of the service. */
  readonly drained: ReadonlySet<string>;
  readonly ejection: EjectionSettings;
  /** What checks have found of the candidates. */
  readonly health: CheckedHealth | undefined;
  /** Of the file, where the address is a Unix socket. */
  readonly socketMode: number | undefined;
  /** A candidate of the binding's pool was ejected, or is of use again. */
  readonly onHealth: (candidate: Candidate, change: EjectionChange, binding: ListenerBinding) => void;
  /** Numbers connections over the whole process. */
  readonly nextId: () => number;
  /** Somebody has connected: to be started, or refused. */
  readonly onConnection: (connection: Connection) => void;
}

/** A listener with the candidates its clients are carried to: all of the service's, or in cluster mode its own one. */
export class ListenerBinding implements ListenerOwner {
  readonly pool: Pool;
  hold: HoldQueue | undefined;
  readonly #options: ListenerBindingOptions;
  readonly #listener: Listener;
  #context: ConnectionContext;
  #status: ListenerState = { phase: 'closed' };
  #onSettled: (() => void)[] = [];

  constructor(options: ListenerBindingOptions) {
    this.#options = options;
    this.pool = new Pool(options.policy, {
      ejection: options.ejection,
      drained: options.drained,
      checks: options.health,
      onHealth: (candidate, change, errno) => this.#judged(candidate, change, errno),
    });
    const { shared, address, socketMode } = options;
    this.#context = this.#contextOf(shared);
    const { family, resolver, keepAliveMs } = shared.dialing;
    const { handshake } = shared;
    const where = { address, family, resolver, socketMode };
    this.#listener = shared.engine.listener({ ...where, keepAliveMs, handshake, owner: this });
  }

  get index(): number {
    return this.#options.index;
  }

  /** The address asked for. */
  get address(): Address {
    return this.#options.address;
  }

  get status(): ListenerState {
    return this.#status;
  }

  /** Clients that come from now on follow these; those that are there keep what they came with. */
  renew(shared: SharedContext, policy: Policy): void {
    this.pool.follow(policy);
    this.#context = this.#contextOf(shared);
  }

  open(): void {
    if (this.#status.phase !== 'closed' && this.#status.phase !== 'waiting') return;
    this.#status = { phase: 'opening' };
    this.#listener.open();
  }

  /** @param reason `no-candidate`: it opens again when there is one; otherwise it is closed for good */
  close(reason: 'no-candidate' | ClosedForGood): void {
    const was = this.#status.phase;
    this.#listener.close();
    this.#settle({ phase: reason === 'no-candidate' ? 'waiting' : 'closed' });
    if (was !== 'listening') return;
    const { index } = this.#options;
    const { service, observer } = this.#options.shared;
    observer({ type: 'listener-closed', service, listener: index, reason });
  }

  /** Resolves when the first attempt to listen has succeeded or failed, or when there is nothing to listen for. */
  settled(): Promise<void> {
    if (this.#status.phase !== 'opening') return Promise.resolve();
    return new Promise((resolve) => this.#onSettled.push(resolve));
  }

  #judged(candidate: Candidate, change: EjectionChange, errno = 'UNKNOWN'): void {
    const { onHealth } = this.#options;
    const { service, observer } = this.#options.shared;
    const { key } = candidate;
    if (change.kind === 'recovered') {
      observer({ type: 'candidate-recovered', service, candidate: key, by: change.by });
    } else {
      const { fails, forMs, again } = change;
      observer({ type: 'candidate-ejected', service, candidate: key, errno, fails, forMs, again });
    }
    onHealth(candidate, change, this);
    // A connection that was answered lets the held ones go by itself; a probe carries nobody.
    if (change.kind === 'recovered' && change.by === 'probe') this.hold?.changed();
  }

  #contextOf(shared: SharedContext): ConnectionContext {
    // One that has held clients stays, for those that are still in it.
    if (shared.holdTimeoutMs > 0) this.hold ??= this.#holdQueue();
    return {
      ...shared,
      hold: shared.holdTimeoutMs > 0 ? this.hold : undefined,
      door: this,
      // The listener's own members: in cluster mode a candidate may have moved to another listener.
      select: (client) => this.pool.select({ client }),
      lost: (candidate) => {
        if (!this.pool.has(candidate)) return 'REMOVED';
        return this.#options.health?.isEligible(candidate.key) === false ? 'UNHEALTHY' : undefined;
      },
      isUnhealthy: () => this.pool.undrained.length > 0 && this.pool.eligible.length === 0,
    };
  }

  #holdQueue(): HoldQueue {
    const { index } = this.#options;
    const { service, observer } = this.#options.shared;
    return new HoldQueue({
      places: MAX_HELD,
      hasCandidates: () => this.pool.eligible.length > 0,
      onChange: (change) => observer({ type: 'hold', service, listener: index, ...change }),
    });
  }

  client(client: Client): void {
    const { nextId, onConnection } = this.#options;
    onConnection(new Connection({ id: nextId(), client, context: this.#context }));
  }

  listening(all: readonly [Address, ...Address[]], missing: readonly MissingAddress[]): void {
    const { index } = this.#options;
    const { service, observer } = this.#options.shared;
    const listening = all.length > 1 ? { address: all[0], addresses: all } : { address: all[0] };
    this.#settle({ phase: 'listening', ...listening });
    const lacking = missing.length > 0 ? { missing } : {};
    observer({ type: 'listening', service, listener: index, ...listening, ...lacking });
  }

  listenFailed(errno: string, retryInMs: number): void {
    const { index, address } = this.#options;
    const { service, observer } = this.#options.shared;
    this.#settle({ phase: 'failed', errno });
    observer({ type: 'listen-failed', service, listener: index, address, errno, retryInMs });
  }

  acceptFailed(errno: string): void {
    const { service, observer, admission } = this.#options.shared;
    observer({ type: 'accept-failed', service, errno });
    if (isShortage(errno)) admission.failed(errno);
  }

  #settle(status: ListenerState): void {
    this.#status = status;
    const waiting = this.#onSettled;
    this.#onSettled = [];
    for (const resolve of waiting) resolve();
  }
}
