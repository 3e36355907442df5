import type { Socket } from 'node:net';
import type { CandidateStatus } from '../balancing/candidate.ts';
import type { EjectionSettings } from '../balancing/ejection.ts';
import type { Policy } from '../balancing/policies.ts';
import { formatAddress, type Address } from '../core/address.ts';
import type { Admission } from '../core/admission.ts';
import type { CloseReason } from '../core/close-reason.ts';
import type { Observer } from '../core/observer.ts';
import type { ServiceTraffic } from '../core/open-connection.ts';
import type { CandidateSource, SourceState } from '../discovery/source.ts';
import type { DialSettings } from '../transport/dialer.ts';
import { Gate } from '../transport/gate.ts';
import type { DirectIo } from '../transport/listener.ts';
import type { TlsAcceptSettings } from '../transport/tls-accept.ts';
import { tickInterval, Tracker } from '../transport/tracker.ts';
import { Connection, type ConnectionContext } from './connection.ts';
import type { TimeLimitSettings } from './time-limits.ts';
import { Resets, type OnChange } from './resets.ts';
import { Slot, type SlotStatus } from './slot.ts';

export interface ServiceOptions extends TimeLimitSettings, EjectionSettings {
  readonly name: string;
  /** One; or several, tied one-to-one to the candidates (cluster mode). */
  readonly listeners: readonly Address[];
  readonly source: CandidateSource;
  /** Called once per listener. */
  readonly policy: () => Policy;
  readonly dialing: DialSettings;
  /** Default: clients speak plainly. */
  readonly accepting?: TlsAcceptSettings | undefined;
  /** Clients are expected to send a PROXY protocol header; default: false. */
  readonly acceptProxyProtocol?: boolean | undefined;
  /** The header that candidates are sent; default: `off`. */
  readonly proxyProtocol?: 'off' | 'v1' | 'v2' | undefined;
  /** How long a client is held while no candidate answers, ms; 0: it is closed at once. */
  readonly holdTimeoutMs: number;
  /** 0: no limit. */
  readonly maxConnections: number;
  /** Shared by all services of the process. */
  readonly admission: Admission;
  readonly onChange: OnChange;
  readonly drainTimeoutMs: number;
  readonly resetJitterMs: number;
  /** Whether accepted sockets read into buffers of ours. */
  readonly directIo: DirectIo;
  readonly observer: Observer;
  /** Numbers connections over the whole process. */
  readonly nextId: () => number;
}

/** What a service is doing, for readiness and status. */
export interface ServiceStatus {
  readonly name: string;
  readonly listeners: readonly { readonly asked: Address; readonly status: SlotStatus }[];
  readonly candidates: readonly string[];
  /** How those stand that a listener carries to; in cluster mode a candidate without a listener is not among them. */
  readonly candidateStates: readonly CandidateStatus[];
  /** Whether discovery has ever brought a set. */
  readonly known: boolean;
  readonly discovery: SourceState;
  readonly connections: number;
  /** Those of the candidates that get no new connections, because somebody said so. */
  readonly drained: readonly string[];
  /** Clients that are held because no candidate answers; they count as connections, too. */
  readonly held: number;
}

/** Most dials of one service at once: candidates that do not answer must not take every descriptor and port. */
const MAX_DIALS = 512;

/** One declared service: its listeners, its candidates, its connections. */
export class Service {
  readonly name: string;
  readonly #options: ServiceOptions;
  readonly #slots: readonly Slot[];
  readonly #contexts = new Map<Slot, ConnectionContext>();
  readonly #connections: Tracker<Connection>;
  readonly #resets: Resets;
  readonly #drained = new Set<string>();
  /** Turned away, and not closed yet. */
  readonly #refused = new Set<Connection>();
  readonly #dials = new Gate(MAX_DIALS);
  #members: ReadonlySet<string> | undefined;
  #discovery: SourceState = { status: 'starting' };
  #phase: 'new' | 'open' | 'draining' | 'closed' = 'new';

  constructor(options: ServiceOptions) {
    const { name, dialing, observer, listeners, policy } = options;
    this.name = name;
    this.#options = options;
    const { idleTimeoutMs, halfCloseTimeoutMs, maxLifetimeMs = 0 } = options;
    this.#connections = new Tracker(tickInterval([idleTimeoutMs, halfCloseTimeoutMs, maxLifetimeMs]));
    this.#resets = new Resets({
      onChange: options.onChange,
      drainTimeoutMs: options.drainTimeoutMs,
      jitterMs: options.resetJitterMs,
      connections: this.#connections,
      isMember: (candidate) => this.#members?.has(candidate.key) ?? false,
      onReset: (connections, mode) => observer({ type: 'connections-reset', service: name, connections, mode }),
    });
    this.#slots = listeners.map((address, index) => {
      const { family, resolver, keepAliveMs } = dialing;
      const { admission } = options;
      // TLS and the PROXY header read the socket in their own way.
      const readsByItself = options.accepting !== undefined || options.acceptProxyProtocol === true;
      const directIo = readsByItself ? 'off' : options.directIo;
      const ours = { service: name, observer, admission, ejection: options, drained: this.#drained };
      const shared = { ...ours, family, resolver, keepAliveMs, directIo };
      const holds = options.holdTimeoutMs > 0;
      const slot = new Slot({ ...shared, index, address, policy: policy(), holds, onConnection: this.#accept });
      const unixClients = address.kind === 'unix';
      const callbacks = { watch: this.#watch, closed: this.#closed };
      const contextOf = { ...options, ...callbacks, service: name, unixClients, dials: this.#dials };
      // The slot's own members: in cluster mode a candidate may have moved to another listener.
      this.#contexts.set(slot, {
        ...contextOf,
        hold: slot.hold,
        select: () => slot.pool.select(),
        isMember: (candidate) => slot.pool.has(candidate),
      });
      return slot;
    });
  }

  get connections(): number {
    return this.#connections.size;
  }

  get status(): ServiceStatus {
    return {
      name: this.name,
      listeners: this.#slots.map((slot) => ({ asked: slot.address, status: slot.status })),
      candidates: [...(this.#members ?? [])],
      candidateStates: this.#slots.flatMap(({ pool }) => pool.statuses),
      known: this.#members !== undefined,
      discovery: this.#discovery,
      connections: this.#connections.size,
      drained: [...this.#drained],
      held: this.#slots.reduce((sum, slot) => sum + (slot.hold?.size ?? 0), 0),
    };
  }

  /** The open connections, the oldest first. */
  get open(): Iterable<Connection> {
    return this.#connections;
  }

  /** How many connections each candidate carries now, and what they have moved so far. */
  get traffic(): ServiceTraffic {
    const open = new Map<string, number>();
    let [bytesToCandidate, bytesToClient] = [0, 0];
    for (const { established, moving } of this.#connections) {
      const key = established?.candidate.key ?? '';
      open.set(key, (open.get(key) ?? 0) + 1);
      bytesToCandidate += moving?.bytesToCandidate ?? 0;
      bytesToClient += moving?.bytesToClient ?? 0;
    }
    return { service: this.name, open, bytesToCandidate, bytesToClient };
  }

  /**
   * Gives a candidate no new connections as long as it stays, or gives it some again; open ones go on.
   *
   * @param candidate canonical text of its address
   * @returns false when it is no member
   */
  drain(candidate: string, isDrained: boolean): boolean {
    if (this.#members?.has(candidate) !== true) return false;
    if (isDrained) this.#drained.add(candidate);
    else if (this.#drained.delete(candidate)) for (const slot of this.#slots) slot.hold?.changed();
    return true;
  }

  /** Begins to listen and to look for candidates. Resolves when every listener has listened, failed once, or has nothing to wait for. */
  async start(): Promise<void> {
    if (this.#phase !== 'new') return;
    this.#phase = 'open';
    for (const slot of this.#slots) {
      // In cluster mode a listener without a candidate of its own does not listen.
      if (this.#isCluster) slot.close('no-candidate');
      else slot.open();
    }
    this.#options.source.start({
      candidates: (set) => this.#swap(set),
      state: (state) => this.#discovered(state),
      ignored: (key, reason) => this.#options.observer({ type: 'candidate-ignored', service: this.name, key, reason }),
    });
    await Promise.all(this.#slots.map((slot) => slot.settled()));
  }

  /** Closes the listeners: new clients are refused, open connections go on. */
  stopListening(): void {
    if (this.#phase === 'closed') return;
    this.#phase = 'draining';
    for (const slot of this.#slots) slot.close('drain');
  }

  /** Resolves when no connection is open. */
  drained(): Promise<void> {
    return this.#connections.empty();
  }

  /** Ends every connection at once. @returns how many there were */
  cut(reason: CloseReason): number {
    const open = [...this.#connections];
    for (const connection of open) connection.abort(reason);
    return open.length;
  }

  /** Ends everything. May be called twice, and while it runs. */
  async close(): Promise<void> {
    this.stopListening();
    this.#phase = 'closed';
    this.#resets.stop();
    this.cut('shutdown');
    await Promise.all([this.#options.source.stop(), this.drained()]);
  }

  get #isCluster(): boolean {
    return this.#slots.length > 1;
  }

  #swap(set: readonly Address[]): void {
    if (this.#phase === 'closed') return;
    const keys = new Set(set.map(formatAddress));
    const before = this.#members;
    const removed = [...(before ?? [])].filter((key) => !keys.has(key));
    const added = [...keys].filter((key) => before?.has(key) !== true);
    this.#members = keys;
    for (const key of removed) {
      this.#options.dialing.tls?.sessions.drop(key);
      this.#drained.delete(key);
    }
    if (before !== undefined && added.length === 0 && removed.length === 0) return;
    for (const slot of this.#slots) this.#fill(slot, set);
    const { observer } = this.#options;
    observer({ type: 'candidates-changed', service: this.name, candidates: set, added, removed });
    // In this order: what is chosen anew here was chosen after the change, and is no connection to be reset.
    if (before !== undefined) this.#resets.changed();
    for (const connection of this.#connections) connection.reconsider();
    for (const slot of this.#slots) slot.hold?.changed();
  }

  #fill(slot: Slot, set: readonly Address[]): void {
    if (!this.#isCluster) {
      slot.pool.replace(set);
      return;
    }
    const own = set.slice(slot.index, slot.index + 1);
    slot.pool.replace(own);
    if (own.length === 0) slot.close('no-candidate');
    else if (this.#phase === 'open') slot.open();
  }

  #discovered(state: SourceState): void {
    const before = this.#discovery;
    this.#discovery = state;
    const error = 'error' in state ? state.error : undefined;
    const errorBefore = 'error' in before ? before.error : undefined;
    if (state.status === before.status && error === errorBefore) return;
    const { observer } = this.#options;
    const event = { type: 'discovery-state', service: this.name, status: state.status } as const;
    observer(error === undefined ? event : { ...event, error });
  }

  readonly #accept = (socket: Socket, slot: Slot): void => {
    const { nextId, maxConnections, admission, observer } = this.#options;
    const context = this.#contexts.get(slot);
    if (context === undefined) throw new Error('a slot without a context');
    const id = nextId();
    const connection = new Connection({ id, socket, context });
    const full = maxConnections > 0 && this.#connections.size >= maxConnections;
    const admitted = !full && admission.enter();
    if (!admitted) this.#refused.add(connection);
    this.#connections.add(connection);
    observer({ type: 'connection-opened', service: this.name, id, client: connection.client });
    if (full) connection.refuse('max_connections');
    else if (!admitted) connection.refuse('out_of_resources');
    else connection.start();
  };

  readonly #watch = (connection: Connection): void => {
    this.#connections.watch(connection);
  };

  readonly #closed = (connection: Connection): void => {
    if (!this.#refused.delete(connection)) this.#options.admission.leave();
    this.#connections.remove(connection);
  };
}
