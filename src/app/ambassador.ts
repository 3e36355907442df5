import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Policy } from '../balancing/policies.ts';
import type { Config, ServiceConfig } from '../config/config.ts';
import { requirePackages } from '../config/missing-packages.ts';
import { resolveOptions, resolveServices, type AmbassadorOptions, type ServiceOptions } from '../config/options.ts';
import type { Address } from '../core/address.ts';
import { dialPolicy } from '../core/dial-policy.ts';
import { AttacheError } from '../core/errors.ts';
import type { Resolver } from '../core/resolver.ts';
import type { ConfigurationSource } from '../core/configuration-source.ts';
import { broadcast, type AttacheEvent, type LifecycleEvent, type Observer } from '../core/observer.ts';
import type { FollowedKeyStatus, ProcessStatus } from '../core/status.ts';
import type { OpenConnection, ServiceTraffic } from '../core/open-connection.ts';
import { natMapOf, type NatMap } from '../core/nat-map.ts';
import { OwnDials } from '../core/own-dials.ts';
import { ownListeners, type OwnListeners } from '../core/own-listeners.ts';
import type { CandidateSource } from '../discovery/source.ts';
import type { Closed, ConnectionsOptions, DrainOptions } from './ambassador-calls.ts';
import { EventListeners, type EventCallback } from './event-listeners.ts';
import { DRAINING_LIMIT_MS, type Extension } from './extension.ts';
import { listenFailures } from './listen-failures.ts';
import { localIps } from './local-ips.ts';
import { lookupBy } from '../names/lookup.ts';
import { systemResolver, type SystemResolver } from '../names/system-resolver.ts';
import { ProcessAdmission } from './process-admission.ts';
import type { Service } from '../proxy/service.ts';
import type { ReloadResult } from './reload-result.ts';
import type { Running } from './build-service.ts';
import { Registrations } from './registrations.ts';
import { ServicesInForce } from './services-in-force.ts';
import { ServiceSet } from './service-set.ts';
import { sourcesOf } from './sources.ts';
import type { Updated } from './updated.ts';
import { chooseEngine, type ChosenEngine } from '../transport/choose-engine.ts';

/** Parts that replace the usual ones, and parts to add. */
export interface AmbassadorParts {
  /** Is called with every event, from the first on. */
  readonly observer?: Observer;
  /**
   * Aborting the signal calls `close()`, which lets open connections finish for at most `shutdownTimeout`. For an end
   * at once call `closeNow()`.
   */
  readonly signal?: AbortSignal;
  /** Looks up every name: candidates, listeners, etcd, S3. Default: hosts file and DNS, as the system's files say. */
  readonly resolver?: Resolver;
  /** Returns the source of a service's candidates; undefined: the source that the configuration names. */
  readonly sourceFor?: (service: ServiceConfig, config: Config) => CandidateSource | undefined;
  /**
   * Returns the policy of a service, called once for each listener; undefined: the policy that the configuration names.
   */
  readonly policyFor?: (service: ServiceConfig) => Policy | undefined;
  /** File descriptors that may be open; default: what the system says of this process. */
  readonly descriptorLimit?: number;
  /** HTTP servers, registrars and the like: started with the services, closed last. */
  readonly extensions?: (ambassador: Ambassador) => Promise<readonly Extension[]>;
  /** Old name of `extensions`. */
  readonly endpoints?: (ambassador: Ambassador) => Promise<readonly Extension[]>;
}

/** The state of an ambassador. */
export type AmbassadorStatus = ProcessStatus;

/** All declared services of one process, from start to close. */
export class Ambassador {
  readonly #config: Config;
  readonly #parts: AmbassadorParts;
  readonly #observers = new Set<Observer>();
  readonly #emit: Observer;
  readonly #set: ServiceSet;
  readonly #registrations: Registrations;
  readonly #inForce: ServicesInForce;
  readonly #engine: ChosenEngine;
  readonly #admission: ProcessAdmission;
  readonly #hurry = new AbortController();
  #ownResolver: SystemResolver | undefined;
  #extensions: readonly Extension[] = [];
  /** Where services listen now. */
  readonly #bound = new Map<string, readonly Address[]>();
  readonly #listeners = new EventListeners(this.#observers);
  #phase: AmbassadorStatus['phase'] = 'new';
  #starting: Promise<void> | undefined;
  #closing: Promise<Closed> | undefined;
  /** Whether services have been replaced. */
  #hasChanged = false;
  /** Updates come one after the other. */
  #updating: Promise<unknown> = Promise.resolve();
  #onClosed: (closed: Closed) => void = () => undefined;

  /** Resolves when the ambassador has been closed: by a call, by the signal, or by a start that failed. */
  readonly closed = new Promise<Closed>((resolve) => {
    this.#onClosed = resolve;
  });

  /** From a whole configuration, as `resolveOptions` or `loadConfig` make it; `createAmbassador` takes options. */
  constructor(config: Config, parts: AmbassadorParts = {}) {
    this.#config = config;
    this.#parts = parts;
    this.#requirePackages(config.services);
    this.#inForce = new ServicesInForce((event) => this.#emit(event), config.servicesKey);
    if (parts.observer !== undefined) this.#observers.add(parts.observer);
    this.#emit = broadcast(this.#observers);
    const { services, maxMemory } = config;
    const limit = parts.descriptorLimit;
    this.#admission = new ProcessAdmission({ services, observer: this.#emit, limit, maxMemory });
    const resolver = parts.resolver ?? (this.#ownResolver = systemResolver());
    let id = 0;
    const nextId = () => (id += 1);
    const lookup = lookupBy(resolver);
    const own = this.#ownListeners();
    const policy = dialPolicy(config.discovery.allow, own);
    const usualSource = sourcesOf(config, { observer: this.#emit, lookup, policy });
    const sourceFor = (service: ServiceConfig) => parts.sourceFor?.(service, config) ?? usualSource(service);
    this.#registrations = new Registrations({ config, observer: this.#emit, resolver, lookup });
    this.#observers.add(this.#registrations.observer);
    this.#engine = chooseEngine(config.engine);
    const { engine } = this.#engine;
    const usual = { observer: this.#emit, admission: this.#admission.admission, policyFor: parts.policyFor };
    const shared = { ...usual, engine, resolver, lookup, nextId, sourceFor, policy, own, ownDials: new OwnDials() };
    this.#set = new ServiceSet(config.services, this.#hurry.signal, shared);
    if (parts.signal?.aborted === true) void this.close();
    else parts.signal?.addEventListener('abort', () => void this.close(), { once: true });
  }

  /** The state at this moment: phase, and each service's listeners, candidates and TLS. */
  get status(): AmbassadorStatus {
    const services = this.#set.running.map(({ service, identity }) => {
      const { status } = service;
      const registrations = this.#registrations.status(service.name);
      const connections = status.connections + this.#set.elders(service.name);
      const own = { ...status, connections, ...(registrations && { registrations }) };
      return identity === undefined ? own : { ...own, tls: identity.status };
    });
    const { status: engine } = this.#engine;
    return { phase: this.#phase, memory: this.#admission.memory, ...this.#inForce.shown, engine, services };
  }

  /**
   * Opens the listeners and begins discovery.
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
   * @returns the result for each service that speaks TLS
   */
  reload(): Promise<readonly ReloadResult[]> {
    return Promise.all(this.#set.running.flatMap(({ identity }) => identity?.reload() ?? []));
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

  /** Bytes that the open connections of each service have moved so far. */
  traffic(): readonly ServiceTraffic[] {
    return this.#set.traffic;
  }

  /**
   * Drains a candidate: no new connections while it stays a member; `drained: false` gives it new connections again.
   * Open ones go on.
   *
   * @param candidate `host:port`
   * @param options.service default: every service that has it
   * @returns the services that have it
   */
  drain(candidate: string, options: DrainOptions = {}): readonly string[] {
    const { service, drained = true } = options;
    const asked = this.#services.filter(({ name }) => service === undefined || name === service);
    const having = asked.filter((one) => one.drain(candidate, drained));
    this.#registrations.reconsider();
    return [...new Set(having.map(({ name }) => name))];
  }

  /**
   * Goes over to another list of services. Services that did not change keep listeners and connections; changed time-outs,
   * limits and policies are those of new connections; changed candidates are a change of the set (`onChange`); a service
   * that is gone lets its connections go on for `onChangeTimeout`. An empty list means no service.
   *
   * @throws ConfigError with every fault of the options, or each package that is missing, AttacheError `tls_material_invalid` or `closed`; nothing has
   *   changed then
   */
  async update(services: readonly ServiceOptions[]): Promise<Updated> {
    return this.replaceServices(resolveServices(services, this.#config));
  }

  /**
   * {@link Ambassador.update} with services of a whole configuration, as `loadConfig` makes it.
   *
   * @param source what the status calls the place they come from
   * @param revision of the list in that place
   */
  replaceServices(
    services: readonly ServiceConfig[],
    source: ConfigurationSource = 'update',
    revision?: string,
  ): Promise<Updated> {
    const updated = this.#updating.then(async () => {
      if (this.#starting === undefined)
        throw new AttacheError('closed', 'the ambassador has not started: call start() first');
      await this.#starting;
      this.#refuseWhenClosing();
      this.#requirePackages(services);
      this.#hasChanged = true;
      try {
        // Nobody is to be sent to a listener that closes.
        await this.#registrations.leave((before) => {
          const after = services.find(({ name }) => name === before.name);
          if (after?.register === undefined || before.register === undefined) return false;
          const { ttlMs, registry } = before.register;
          // Another registrar keeps it then: it has to be free.
          const isKept = ttlMs === after.register.ttlMs && isDeepStrictEqual(registry, after.register.registry);
          return isKept && isDeepStrictEqual(before.listeners, after.listeners);
        });
        const done = await this.#set.become(services);
        // A close that came meanwhile has not seen those that came.
        if (this.#closing !== undefined) await this.#set.close();
        this.#inForce.applied({ source, revision }, done);
        return done;
      } finally {
        this.#registrations.follow(this.#set.running);
      }
    });
    this.#updating = updated.catch(() => undefined);
    return updated;
  }

  /** Notes, for status and log, that a list of services was refused; the services in force stay. */
  rejectServices(source: ConfigurationSource, faults: readonly string[]): void {
    this.#inForce.rejected(source, faults);
  }

  /** Notes, for status, readiness and log, how the key of `SERVICES_KEY` stands. */
  followServices(now: Pick<FollowedKeyStatus, 'phase' | 'error'>): void {
    this.#inForce.followed(now);
  }

  /** The services in force. */
  get services(): readonly ServiceConfig[] {
    return this.#set.running.map(({ config }) => config);
  }

  /** Closes without waiting for connections; it also ends the waiting of a close that is under way. */
  closeNow(): Promise<Closed> {
    this.#hurry.abort();
    return this.close();
  }

  /**
   * The address on which a service's listener listens: for port 0, with the port that the system picked.
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
   * Where this process carries to each candidate, as clients of Redis Cluster take it (`natMap` of ioredis): in cluster mode
   * listener n carries to candidate n.
   *
   * @param service name; default: the only or first one
   * @returns undefined when no service has the name
   */
  natMap(service?: string): NatMap | undefined {
    const { services } = this.status;
    const found = service === undefined ? services[0] : services.find(({ name }) => name === service);
    return found && natMapOf(found);
  }

  /**
   * Calls `listener` for every event of one type. Given again, the same listener is called once.
   *
   * @returns a function that ends it
   */
  on<T extends AttacheEvent['type']>(type: T, listener: EventCallback<T>): () => void {
    return this.#listeners.on(type, listener);
  }

  /**
   * Calls `listener` for the next event of one type, and not again.
   *
   * @returns a function that ends it before
   */
  once<T extends AttacheEvent['type']>(type: T, listener: EventCallback<T>): () => void {
    return this.#listeners.once(type, listener);
  }

  /** Removes the listener that {@link Ambassador.on} added with the same two arguments. */
  off<T extends AttacheEvent['type']>(type: T, listener: EventCallback<T>): void {
    this.#listeners.off(type, listener);
  }

  /** What `await using` does at the end of its block: {@link Ambassador.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Passes an event from outside the ambassador to every observer, e.g. an error that only the process has seen. */
  report(event: AttacheEvent): void {
    this.#emit(event);
  }

  /** Also those that have left with connections open. */
  get #services(): readonly Service[] {
    return this.#set.all.map(({ service }) => service);
  }

  async #start(): Promise<void> {
    this.#refuseWhenClosing();
    this.#phase = 'serving';
    this.#admission.check();
    const listening = Promise.all(this.#set.running.map((one) => this.#startService(one)));
    // Heard below; until then it must not count as unheard.
    listening.catch(() => undefined);
    const { extensions, endpoints } = this.#parts;
    this.#extensions = (await Promise.all([extensions?.(this), endpoints?.(this)])).flatMap((some) => some ?? []);
    // A close that came meanwhile may have been through with the extensions before there were any.
    if (this.#closing !== undefined) await this.#closeExtensions();
    this.#refuseWhenClosing();
    try {
      await Promise.all([listening, ...this.#extensions.map((extension) => extension.start())]);
    } catch (error) {
      this.#refuseWhenClosing();
      await this.closeNow();
      throw error;
    }
    this.#refuseWhenClosing();
    const failures = listenFailures(this.#services);
    if (failures !== undefined) {
      await this.closeNow();
      throw new AttacheError('nothing_listening', `no service could listen: ${failures}`);
    }
    this.#lifecycle('started');
    this.#registrations.follow(this.#set.running);
  }

  /** One that needs TLS material listens once it is there; trouble that can pass keeps nobody else waiting. */
  async #startService({ service, identity }: Running): Promise<void> {
    if (identity === undefined) return service.start();
    const started = identity.load().then(() => service.start());
    // Its reason has been reported; after a start there is nobody to tell it to.
    started.catch(() => undefined);
    await Promise.race([started, identity.troubled]);
  }

  #requirePackages(services: readonly ServiceConfig[]): void {
    requirePackages(this.#config, { services, hasOwnSources: this.#parts.sourceFor !== undefined });
  }

  #refuseWhenClosing(): void {
    if (this.#closing !== undefined)
      throw new AttacheError('closed', 'the ambassador has been closed: create another one');
  }

  async #close(): Promise<Closed> {
    const { drainDelayMs, shutdownTimeoutMs } = this.#config;
    this.#phase = 'draining';
    this.#lifecycle('draining');
    await this.#withdraw();
    // A new client may still come until those who route to us have seen that we are not ready.
    if (drainDelayMs > 0) await this.#pause(drainDelayMs);
    for (const service of this.#services) service.stopListening();
    this.#lifecycle('listeners-closed');
    const drained = Promise.all(this.#services.map((service) => service.idle()));
    // 0 is off: connections get all the time they need.
    await Promise.race([drained, shutdownTimeoutMs > 0 ? this.#pause(shutdownTimeoutMs) : this.#hurried()]);
    const cut = this.#openConnections();
    if (cut > 0) this.#lifecycle('cutting');
    for (const service of this.#services) service.cut('shutdown');
    await Promise.all(this.#services.map((service) => service.close()));
    await Promise.all(this.#set.all.flatMap(({ identity }) => identity?.stop() ?? []));
    this.#admission.admission.close();
    this.#ownResolver?.close();
    this.#phase = 'closed';
    this.#lifecycle('stopped');
    await this.#closeExtensions();
    this.#onClosed({ cut });
    return { cut };
  }

  /** Takes the services out of the registry, and tells the extensions that listeners are about to close. */
  async #withdraw(): Promise<void> {
    const told = this.#extensions.flatMap((extension) => extension.draining?.() ?? []);
    if (this.#set.running.some(({ config }) => config.register !== undefined)) told.push(this.#registrations.close());
    if (told.length > 0) await Promise.race([Promise.all(told), this.#pause(DRAINING_LIMIT_MS)]);
  }

  async #closeExtensions(): Promise<void> {
    await Promise.all(this.#extensions.map((extension) => extension.close()));
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

  #ownListeners(): OwnListeners {
    this.#observers.add((event) => {
      if (event.type === 'listening')
        this.#bound.set(`${event.service}/${event.listener}`, event.addresses ?? [event.address]);
      else if (event.type === 'listener-closed') this.#bound.delete(`${event.service}/${event.listener}`);
    });
    const { services, httpAddress, adminAddress, probeAddress } = this.#config;
    const http = [httpAddress, adminAddress, probeAddress].filter((address) => address !== undefined);
    return ownListeners({
      localIps,
      hasChanged: () => this.#hasChanged,
      configured: [...http, ...services.flatMap(({ listeners }) => listeners)],
      bound: () => [
        ...[...this.#bound.values()].flat(),
        ...this.#extensions.flatMap((extension) => extension.address?.() ?? []),
      ],
    });
  }
}

/**
 * Creates an ambassador from options: the settings of the environment in camel case, durations as text or in ms.
 *
 * @throws ConfigError with every fault of the options at once, or each package that is missing
 */
export function createAmbassador(options: AmbassadorOptions, parts: AmbassadorParts = {}): Ambassador {
  return new Ambassador(resolveOptions(options), parts);
}
