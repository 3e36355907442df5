import { setTimeout as delay } from 'node:timers/promises';
import { policyOf } from './balancing/policies.ts';
import type { Config, ServiceConfig } from './config/config.ts';
import { resolveOptions, type AmbassadorOptions } from './config/options.ts';
import { formatAddress, type Address } from './core/address.ts';
import { dialPolicy, permitAll } from './core/dial-policy.ts';
import { AttacheError } from './core/errors.ts';
import { broadcast, type AttacheEvent, type LifecycleEvent, type Observer } from './core/observer.ts';
import type { OpenConnection, ServiceTraffic } from './core/open-connection.ts';
import type { CandidateSource } from './discovery/source.ts';
import { ProcessAdmission } from './process-admission.ts';
import { Service, type ServiceStatus } from './proxy/service.ts';
import { ServiceIdentity, type ReloadResult, type TlsStatus } from './service-identity.ts';
import { sourcesOf } from './source-for.ts';
import { systemResolver, type Resolver } from './transport/resolver.ts';

/** What may be put in place of the usual parts, and what may be added. */
export interface AmbassadorParts {
  /** Hears every event, from the first on. */
  readonly observer?: Observer;
  /** Aborting it is `close()`. */
  readonly signal?: AbortSignal;
  /** Looks names up; default: the system's resolver. */
  readonly resolver?: Resolver;
  /** Where a service's candidates come from; default: what its configuration says. */
  readonly sourceFor?: (service: ServiceConfig, config: Config) => CandidateSource;
  /** File descriptors that may be open; default: what the system says of this process. */
  readonly descriptorLimit?: number;
  /** HTTP servers and the like: started with the services, closed last. */
  readonly endpoints?: (ambassador: Ambassador) => Promise<readonly Endpoint[]>;
}

/** Something that serves as long as the ambassador does. Its own trouble is its own: neither call rejects. */
export interface Endpoint {
  start(): Promise<void>;
  close(): Promise<void>;
}

export interface AmbassadorStatus {
  /** Sticky: once it is draining, nothing makes it serve again. */
  readonly phase: 'new' | 'serving' | 'draining' | 'closed';
  readonly services: readonly (ServiceStatus & { readonly tls?: TlsStatus })[];
}

/** Which of the open connections are wanted. */
export interface ConnectionsOptions {
  /** Only those with a lower id, which are older. */
  readonly before?: number;
  /** At most this many. */
  readonly limit?: number;
  readonly service?: string | undefined;
}

export interface DrainOptions {
  readonly service?: string | undefined;
  /** Default true. */
  readonly drained?: boolean;
}

/** How a close went. */
export interface Closed {
  /** Connections that were open at the deadline and were cut. */
  readonly cut: number;
}

/** All declared services of one process, from start to close. */
export class Ambassador {
  readonly #config: Config;
  readonly #parts: AmbassadorParts;
  readonly #observers = new Set<Observer>();
  readonly #emit: Observer;
  readonly #services: readonly Service[];
  readonly #admission: ProcessAdmission;
  /** Of the services that speak TLS. */
  readonly #identities = new Map<Service, ServiceIdentity>();
  readonly #hurry = new AbortController();
  #endpoints: readonly Endpoint[] = [];
  #phase: AmbassadorStatus['phase'] = 'new';
  #starting: Promise<void> | undefined;
  #closing: Promise<Closed> | undefined;
  #onClosed: (closed: Closed) => void = () => undefined;

  /** Resolves when it has been closed, whoever asked for it. */
  readonly closed = new Promise<Closed>((resolve) => {
    this.#onClosed = resolve;
  });

  constructor(config: Config, parts: AmbassadorParts = {}) {
    this.#config = config;
    this.#parts = parts;
    if (parts.observer !== undefined) this.#observers.add(parts.observer);
    this.#emit = broadcast(this.#observers);
    const { services } = config;
    this.#admission = new ProcessAdmission({ services, observer: this.#emit, limit: parts.descriptorLimit });
    const resolver = parts.resolver ?? systemResolver();
    let id = 0;
    const nextId = () => (id += 1);
    const sourceFor = parts.sourceFor ?? sourcesOf(config, this.#emit);
    this.#services = config.services.map((service) => this.#build(service, { resolver, nextId, sourceFor }));
    if (parts.signal?.aborted === true) void this.close();
    else parts.signal?.addEventListener('abort', () => void this.close(), { once: true });
  }

  get status(): AmbassadorStatus {
    const services = this.#services.map((service) => {
      const tls = this.#identities.get(service)?.status;
      return tls === undefined ? service.status : { ...service.status, tls };
    });
    return { phase: this.#phase, services };
  }

  /**
   * Begins to listen and to look for candidates.
   *
   * Resolves when every listener has listened or failed once; a service that failed goes on trying by itself.
   *
   * @throws AttacheError `nothing_listening` when no service could listen, `tls_material_invalid` or
   *   `tls_material_unavailable` when certificates or keys are no good (everything is closed again);
   *   `closed` when it was closed before or meanwhile
   */
  start(): Promise<void> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  /**
   * Stops as an operator expects: not ready, `drainDelayMs` of accepting, listeners closed, open connections finish or
   * are cut at `shutdownTimeoutMs`, then everything else. Calling it again joins the close that is under way.
   */
  close(): Promise<Closed> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /**
   * Reads the TLS material of every service again. Never rejects.
   *
   * @returns what came of it, for each service that speaks TLS
   */
  reload(): Promise<readonly ReloadResult[]> {
    return Promise.all([...this.#identities.values()].map((identity) => identity.reload()));
  }

  /** The open connections of all services, the newest first. */
  connections(options: ConnectionsOptions = {}): readonly OpenConnection[] {
    const { before = Number.POSITIVE_INFINITY, limit = Number.POSITIVE_INFINITY, service } = options;
    const wanted = this.#services.filter(({ name }) => service === undefined || name === service);
    const found = wanted.flatMap(({ open }) => [...open].filter(({ id }) => id < before));
    return found
      .sort((a, b) => b.id - a.id)
      .slice(0, limit)
      .map(({ facts }) => facts);
  }

  /** What the open connections of each service have moved so far. */
  traffic(): readonly ServiceTraffic[] {
    return this.#services.map(({ traffic }) => traffic);
  }

  /**
   * Gives a candidate no new connections as long as it stays a member, or (`false`) some again. Open ones go on.
   *
   * @param candidate `host:port`
   * @param options.service default: every service that has it
   * @returns the services that have it
   */
  drain(candidate: string, options: DrainOptions = {}): readonly string[] {
    const { service, drained = true } = options;
    const asked = this.#services.filter(({ name }) => service === undefined || name === service);
    return asked.filter((one) => one.drain(candidate, drained)).map(({ name }) => name);
  }

  /** Closes without waiting for connections, or cuts short the waiting of a close that is under way. */
  closeNow(): Promise<Closed> {
    this.#hurry.abort();
    return this.close();
  }

  /**
   * Where a service's listener really listens: the port the system picked when 0 was asked for.
   *
   * @param service name; default: the only or first one
   * @param listener position in cluster mode, from 0
   * @returns undefined while it does not listen
   */
  address(service?: string, listener = 0): Address | undefined {
    const found = service === undefined ? this.#services[0] : this.#services.find(({ name }) => name === service);
    const status = found?.status.listeners[listener]?.status;
    return status?.phase === 'listening' ? status.address : undefined;
  }

  /**
   * Calls `listener` for every event of one type.
   *
   * @returns a function that ends it
   */
  on<T extends AttacheEvent['type']>(
    type: T,
    listener: (event: Extract<AttacheEvent, { readonly type: T }>) => void,
  ): () => void {
    const observer: Observer = (event) => {
      if (isOfType(event, type)) listener(event);
    };
    this.#observers.add(observer);
    return () => {
      this.#observers.delete(observer);
    };
  }

  /** Passes an event of somebody else's to every observer, e.g. an error that only the process has seen. */
  report(event: AttacheEvent): void {
    this.#emit(event);
  }

  async #start(): Promise<void> {
    this.#refuseWhenClosing();
    this.#phase = 'serving';
    this.#admission.check();
    const listening = Promise.all(this.#services.map((service) => this.#startService(service)));
    // Heard below; until then it must not count as unheard.
    listening.catch(() => undefined);
    this.#endpoints = (await this.#parts.endpoints?.(this)) ?? [];
    // A close that came meanwhile may have been through with the endpoints before there were any.
    if (this.#closing !== undefined) await this.#closeEndpoints();
    this.#refuseWhenClosing();
    try {
      await Promise.all([listening, ...this.#endpoints.map((endpoint) => endpoint.start())]);
    } catch (error) {
      this.#refuseWhenClosing();
      await this.closeNow();
      throw error;
    }
    this.#refuseWhenClosing();
    const failures = this.#listenFailures();
    if (failures !== undefined) {
      await this.closeNow();
      throw new AttacheError('nothing_listening', `no service could listen: ${failures}`);
    }
    this.#lifecycle('started');
  }

  /** One that needs TLS material listens once it is there; trouble that can pass keeps nobody else waiting. */
  async #startService(service: Service): Promise<void> {
    const identity = this.#identities.get(service);
    if (identity === undefined) return service.start();
    const started = identity.load().then(() => service.start());
    // Its reason has been reported; after a start there is nobody to tell it to.
    started.catch(() => undefined);
    await Promise.race([started, identity.troubled]);
  }

  /** What went wrong, when nothing listens and nothing will without a change outside. */
  #listenFailures(): string | undefined {
    const listeners = this.#services.flatMap(({ status }) => status.listeners);
    const failures = listeners.flatMap(({ asked, status }) =>
      status.phase === 'failed' ? [`${formatAddress(asked)} (${status.errno})`] : [],
    );
    const isHopeless = failures.length > 0 && listeners.every(({ status }) => status.phase === 'failed');
    return isHopeless ? failures.join(', ') : undefined;
  }

  #refuseWhenClosing(): void {
    if (this.#closing !== undefined) throw new AttacheError('closed', 'the ambassador has been closed');
  }

  async #close(): Promise<Closed> {
    const { drainDelayMs, shutdownTimeoutMs } = this.#config;
    this.#phase = 'draining';
    this.#lifecycle('draining');
    // A new client may still come until whoever routes to us has seen that we are not ready.
    if (drainDelayMs > 0) await this.#pause(drainDelayMs);
    for (const service of this.#services) service.stopListening();
    this.#lifecycle('listeners-closed');
    const drained = Promise.all(this.#services.map((service) => service.drained()));
    // 0 is off: connections get all the time they need.
    await Promise.race([drained, shutdownTimeoutMs > 0 ? this.#pause(shutdownTimeoutMs) : this.#hurried()]);
    const cut = this.#openConnections();
    if (cut > 0) this.#lifecycle('cutting');
    for (const service of this.#services) service.cut('shutdown');
    await Promise.all(this.#services.map((service) => service.close()));
    await Promise.all([...this.#identities.values()].map((identity) => identity.stop()));
    this.#admission.admission.close();
    this.#phase = 'closed';
    this.#lifecycle('stopped');
    await this.#closeEndpoints();
    this.#onClosed({ cut });
    return { cut };
  }

  async #closeEndpoints(): Promise<void> {
    await Promise.all(this.#endpoints.map((endpoint) => endpoint.close()));
  }

  /** Resolves after `ms`, or as soon as there is a hurry. */
  async #pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#hurry.signal, ref: false }).catch(() => undefined);
  }

  #hurried(): Promise<void> {
    const { signal } = this.#hurry;
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  }

  #openConnections(): number {
    return this.#services.reduce((sum, service) => sum + service.connections, 0);
  }

  #lifecycle(phase: LifecycleEvent['phase']): void {
    this.#emit({ type: 'lifecycle', phase, connections: this.#openConnections() });
  }

  #build(service: ServiceConfig, shared: SharedParts): Service {
    const { candidates, balance, retries, net } = service;
    const discovered = candidates.kind === 'discovered';
    const identity = service.tls.mode === 'off' ? undefined : new ServiceIdentity(service, service.tls, this.#emit);
    const built = new Service({
      ...service,
      accepting: identity?.accepting,
      source: shared.sourceFor(service, this.#config),
      policy: () => policyOf(balance, retries),
      dialing: {
        connectTimeoutMs: service.connectTimeoutMs,
        keepAliveMs: service.keepAliveMs,
        family: net === 'tcp' ? 0 : net === 'tcp4' ? 4 : 6,
        policy: discovered ? dialPolicy(this.#config.discovery.allow) : permitAll,
        resolver: shared.resolver,
        tls: identity?.dialing,
      },
      admission: this.#admission.admission,
      directIo: this.#config.directIo,
      observer: this.#emit,
      nextId: shared.nextId,
    });
    if (identity !== undefined) this.#identities.set(built, identity);
    return built;
  }
}

/**
 * An ambassador from options: the words of the environment in camel case, durations as text or in ms.
 *
 * @throws ConfigError with every fault of the options at once
 */
export function createAmbassador(options: AmbassadorOptions, parts: AmbassadorParts = {}): Ambassador {
  return new Ambassador(resolveOptions(options), parts);
}

/** What all services of an ambassador have in common. */
interface SharedParts {
  readonly resolver: Resolver;
  readonly nextId: () => number;
  readonly sourceFor: NonNullable<AmbassadorParts['sourceFor']>;
}

function isOfType<T extends AttacheEvent['type']>(
  event: AttacheEvent,
  type: T,
): event is Extract<AttacheEvent, { readonly type: T }> {
  return event.type === type;
}
