import type { Candidate } from '../balancing/candidate.ts';
import type { EjectionSettings, EjectionChange } from '../balancing/ejection.ts';
import { sameDetails, toEndpoint, type Endpoint } from '../core/endpoint.ts';
import type { CloseReason } from '../core/close-reason.ts';
import { containing } from '../core/contained.ts';
import type { AttacheEvent, Observer } from '../core/observer.ts';
import type { ServiceTraffic } from '../core/open-connection.ts';
import type { CandidateStatus, ServiceStatus, SourceState } from '../core/status.ts';
import type { CandidateSource } from '../discovery/source.ts';
import { OwnDials } from '../core/own-dials.ts';
import { Semaphore } from '../core/semaphore.ts';
import { tickInterval, Tracker } from './tracker.ts';
import { RecoveryProbes } from './recovery-probes.ts';
import type { Connection } from './connection.ts';
import { EmptyWatch } from './empty-watch.ts';
import { MembershipResets } from './membership-resets.ts';
import { ListenerBinding, type ClosedForGood, type SharedContext } from './listener-binding.ts';
import { ServiceHealth, type HealthOptions } from './service-health.ts';
import type { RenewableSettings, ServiceParts } from './service-parts.ts';
type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Most dials of one service at once: candidates that do not answer must not take every descriptor and port. */
const MAX_DIALS = 512;

/** One declared service: its listeners, its candidates, its connections. */
export class Service {
  readonly name: string;
  #options: ServiceParts;
  #source: CandidateSource;
  readonly #ejection: Mutable<EjectionSettings>;
  readonly #bindings: readonly ListenerBinding[];
  readonly #connections: Tracker<Connection>;
  readonly #resets: MembershipResets;
  readonly #drained = new Set<string>();
  readonly #probes: RecoveryProbes;
  readonly #health: ServiceHealth | undefined;
  /** Turned away, and not closed yet. */
  readonly #refused = new Set<Connection>();
  readonly #dials = new Semaphore(MAX_DIALS);
  readonly #empty: EmptyWatch;
  #members: ReadonlyMap<string, Endpoint> | undefined;
  #discovery: SourceState = { status: 'starting' };
  #phase: 'new' | 'open' | 'stopping' | 'closed' = 'new';

  constructor(options: ServiceParts) {
    const { name, observer, listeners, policy } = options;
    this.name = name;
    this.#options = options;
    this.#source = options.source;
    this.#ejection = { maxFails: options.maxFails, failTimeoutMs: options.failTimeoutMs };
    const { idleTimeoutMs, halfCloseTimeoutMs, maxLifetimeMs = 0 } = options;
    this.#connections = new Tracker(tickInterval([idleTimeoutMs, halfCloseTimeoutMs, maxLifetimeMs]));
    this.#resets = new MembershipResets({
      onChange: options.onChange,
      onChangeTimeoutMs: options.onChangeTimeoutMs,
      jitterMs: options.resetJitterMs,
      connections: this.#connections,
      isMember: (candidate) => this.#members?.has(candidate.key) ?? false,
      onReset: (connections, mode) => observer({ type: 'connections-reset', service: name, connections, mode }),
    });
    this.#probes = new RecoveryProbes({
      engine: options.engine,
      dialing: options.dialing,
      proxyProtocol: options.proxyProtocol,
      timing: options.recoveryTiming,
      isWaitedFor: () => this.#held > 0,
      onFault: (error) => observer({ type: 'internal-error', service: name, where: 'recovery probe', error }),
    });
    this.#health = options.health && this.#checks(options.health);
    this.#empty = new EmptyWatch({
      source: { survey: () => this.#source.survey?.() ?? Promise.resolve(undefined) },
      report: (survey) => observer({ type: 'no-candidates', service: name, ...survey }),
    });
    const shared = this.#shared();
    this.#bindings = listeners.map((address, index) => {
      const { nextId, socketMode } = options;
      const ours = { drained: this.#drained, ejection: this.#ejection, health: this.#health, socketMode, nextId };
      const callbacks = { onHealth: this.#judged, onConnection: this.#admit };
      return new ListenerBinding({ index, address, policy: policy(), shared, ...ours, ...callbacks });
    });
  }

  get connections(): number {
    return this.#connections.size;
  }

  get status(): ServiceStatus {
    return {
      name: this.name,
      listeners: this.#bindings.map((binding) => ({ asked: binding.address, status: binding.status })),
      candidates: [...(this.#members?.keys() ?? [])],
      candidateStates: this.#states.map((one) => this.#health?.with(one) ?? one),
      known: this.#members !== undefined,
      discovery: this.#discovery,
      connections: this.#connections.size,
      drained: [...new Set([...this.#drained, ...this.#weightless])],
      held: this.#held,
      ...(this.#health && { checks: this.#health.status }),
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
    if (isDrained) {
      this.#drained.add(candidate);
      this.#probes.changed();
    } else if (this.#drained.delete(candidate)) for (const binding of this.#bindings) binding.hold?.changed();
    return true;
  }

  /**
   * Opens the listeners and begins discovery. Resolves when every listener has listened, failed once, or has nothing to
   * wait for.
   */
  async start(): Promise<void> {
    if (this.#phase !== 'new') return;
    this.#phase = 'open';
    for (const binding of this.#bindings) {
      // In cluster mode a listener without a candidate of its own does not listen.
      if (this.#isCluster) binding.close('no-candidate');
      else binding.open();
    }
    this.#look(this.#source);
    await Promise.all(this.#bindings.map((binding) => binding.settled()));
  }

  /** New connections follow these settings; open ones keep those they came with. Health and listeners stay. */
  renew(settings: RenewableSettings): void {
    this.#options = { ...this.#options, ...settings };
    const { maxFails, failTimeoutMs, onChange, onChangeTimeoutMs, resetJitterMs: jitterMs, policy } = this.#options;
    Object.assign(this.#ejection, { maxFails, failTimeoutMs });
    this.#resets.renew({ onChange, onChangeTimeoutMs, jitterMs });
    const shared = this.#shared();
    for (const binding of this.#bindings) binding.renew(shared, policy());
  }

  /** Takes candidates from another source. The set stays until that has one, which is then a change of the set. */
  async follow(source: CandidateSource): Promise<void> {
    const before = this.#source;
    this.#source = source;
    if (this.#phase === 'open' || this.#phase === 'stopping') this.#look(source);
    await before.stop();
  }

  /** Closes the listeners: new clients are refused, open connections go on. */
  stopListening(reason: ClosedForGood = 'shutdown'): void {
    if (this.#phase === 'closed') return;
    this.#phase = 'stopping';
    for (const binding of this.#bindings) binding.close(reason);
  }

  /** Resolves when no connection is open. */
  idle(): Promise<void> {
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
    this.#probes.stop();
    this.#health?.stop();
    this.#empty.stop();
    this.cut('shutdown');
    await Promise.all([this.#source.stop(), this.idle()]);
  }

  #look(source: CandidateSource): void {
    const { observer } = this.#options;
    const service = this.name;
    source.start({
      candidates: (set) => this.#swap(set.map(toEndpoint)),
      state: (state) => this.#discovered(state),
      ignored: (key, reason) => observer({ type: 'candidate-ignored', service, key, reason }),
      detailIgnored: (key, reason) => observer({ type: 'candidate-detail-ignored', service, key, reason }),
    });
  }

  /** Of those that only checks know, where nobody listens. */
  get #states(): readonly CandidateStatus[] {
    if (this.#bindings.length > 0) return this.#bindings.flatMap(({ pool }) => pool.statuses);
    return [...(this.#members?.keys() ?? [])].map((key) => ({ key, state: 'available', fails: 0, open: 0 }));
  }

  get #held(): number {
    return this.#bindings.reduce((sum, binding) => sum + (binding.hold?.size ?? 0), 0);
  }

  get #weightless(): readonly string[] {
    return [...(this.#members?.values() ?? [])].flatMap(({ key, weight }) => (weight === 0 ? [key] : []));
  }

  get #isCluster(): boolean {
    return this.#bindings.length > 1;
  }

  #swap(set: readonly Endpoint[]): void {
    if (this.#phase === 'closed') return;
    const members = new Map(set.map((endpoint) => [endpoint.key, endpoint]));
    const before = this.#members;
    const removed = [...(before?.keys() ?? [])].filter((key) => !members.has(key));
    const added = [...members.keys()].filter((key) => before?.has(key) !== true);
    this.#members = members;
    this.#empty.changed(members.size === 0);
    for (const key of removed) {
      this.#options.dialing.tls?.sessions.drop(key);
      this.#drained.delete(key);
    }
    const isSame = before !== undefined && added.length === 0 && removed.length === 0;
    // Another weight or priority is no change of membership: new connections follow it, and nobody is reset.
    if (isSame && set.every((endpoint) => isKnown(endpoint, before))) return;
    for (const binding of this.#bindings) this.#fill(binding, set);
    this.#health?.put([...set].sort((a, b) => a.priority - b.priority));
    this.#probes.changed();
    if (isSame) {
      for (const binding of this.#bindings) binding.hold?.changed();
      return;
    }
    const { observer } = this.#options;
    observer({
      type: 'candidates-changed',
      service: this.name,
      candidates: set.map(({ address }) => address),
      added,
      removed,
    });
    // In this order: what is chosen anew here was chosen after the change, and is no connection to be reset.
    if (before !== undefined) this.#resets.changed();
    for (const connection of this.#connections) connection.reconsider();
    for (const binding of this.#bindings) binding.hold?.changed();
  }

  #fill(binding: ListenerBinding, set: readonly Endpoint[]): void {
    if (!this.#isCluster) {
      binding.pool.replace(set);
      return;
    }
    const own = set.slice(binding.index, binding.index + 1);
    binding.pool.replace(own);
    if (own.length === 0) binding.close('no-candidate');
    else if (this.#phase === 'open') binding.open();
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

  /** What the connections of all its listeners need. */
  #shared(): SharedContext {
    const { accepting, acceptProxyProtocol = false, dialing, ...options } = this.#options;
    return {
      service: this.name,
      observer: this.#observer,
      checks: this.#health,
      engine: options.engine,
      dialing,
      dials: this.#dials,
      admission: options.admission,
      ownDials: options.ownDials ?? new OwnDials(),
      holdTimeoutMs: options.holdTimeoutMs,
      idleTimeoutMs: options.idleTimeoutMs,
      halfCloseTimeoutMs: options.halfCloseTimeoutMs,
      maxLifetimeMs: options.maxLifetimeMs,
      random: options.random,
      proxyProtocol: options.proxyProtocol,
      handshake: { proxyHeader: acceptProxyProtocol, tls: accepting, timeoutMs: dialing.connectTimeoutMs },
      watch: this.#watch,
      closed: this.#closed,
    };
  }

  #checks(health: HealthOptions): ServiceHealth {
    const { observer, proxyProtocol = 'off', onChangeTimeoutMs, resetJitterMs } = this.#options;
    return new ServiceHealth({
      service: this.name,
      health,
      proxyProtocol,
      observer,
      connections: this.#connections,
      onChangeTimeoutMs,
      jitterMs: resetJitterMs,
      onChange: () => {
        for (const connection of this.#connections) connection.reconsider();
        for (const binding of this.#bindings) binding.hold?.changed();
      },
    });
  }

  /** What its connections tell is heard by its checks, too. */
  get #observer(): Observer {
    const { observer } = this.#options;
    const health = this.#health;
    if (health === undefined) return observer;
    return (event: AttacheEvent) => {
      observer(event);
      health.heard(event);
    };
  }

  readonly #admit = (connection: Connection): void => {
    const { maxConnections, admission, observer, elders } = this.#options;
    const { id, client } = connection;
    this.#probes.used();
    const full = maxConnections > 0 && this.#connections.size + (elders?.() ?? 0) >= maxConnections;
    const entry = full ? 'max_connections' : admission.enter();
    if (entry !== 'in') this.#refused.add(connection);
    this.#connections.add(connection);
    observer({ type: 'connection-opened', service: this.name, id, client });
    containing(connection, () => {
      if (entry === 'in') connection.start();
      else connection.refuse(entry);
    });
  };

  readonly #judged = (candidate: Candidate, change: EjectionChange, { pool }: ListenerBinding): void => {
    if (change.kind === 'ejected') this.#probes.ejected(candidate, pool);
    else this.#probes.recovered(candidate);
  };

  readonly #watch = (connection: Connection): void => {
    this.#connections.watch(connection);
  };

  readonly #closed = (connection: Connection): void => {
    if (!this.#refused.delete(connection)) this.#options.admission.leave();
    this.#connections.remove(connection);
  };
}

/** Whether what is said of a member has been said before. */
function isKnown(endpoint: Endpoint, before: ReadonlyMap<string, Endpoint>): boolean {
  const known = before.get(endpoint.key);
  return known !== undefined && sameDetails(known, endpoint);
}
