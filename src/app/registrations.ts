import { isDeepStrictEqual } from 'node:util';
import type { LookupFunction } from 'node:net';
import type { Config, RegisterConfig, ServiceConfig } from '../config/config.ts';
import { formatAddress } from '../core/address.ts';
import type { AttacheEvent, Observer } from '../core/observer.ts';
import type { Resolver } from '../core/resolver.ts';
import type { RegistrationStatus } from '../core/status.ts';
import type { Registration } from '../registrar/registration.ts';
import type { Running } from './build-service.ts';
import { Registrars } from './registrars.ts';
import { fitness, registrationPlace } from './registration-place.ts';

export interface RegistrationsOptions {
  readonly config: Config;
  readonly observer: Observer;
  readonly resolver: Resolver;
  readonly lookup: LookupFunction;
}

/** What is known of one service that registers. */
interface Registering {
  readonly register: RegisterConfig;
  /** Monotonic, ms, since when its first candidate has been healthy; undefined: it is not. */
  wellSince: number | undefined;
  host:
    | { readonly kind: 'unknown' }
    | { readonly kind: 'asked' }
    | { readonly kind: 'known'; readonly host: string }
    | { readonly kind: 'failed'; readonly error: string; readonly retryAt: number };
}

/** One key of one registry. */
interface Entry {
  readonly registration: Registration;
  readonly key: string;
  service: string;
  sinceMs: number;
}

const ADDRESS_RETRY_MS = 1_000;
/** A service that was removed is gone from the registry before its listeners close, or this long after. */
const LEAVE_MS = 1_000;

/** Events after which a service may have to be registered, or not any more. */
const TELLING: ReadonlySet<AttacheEvent['type']> = new Set([
  'candidate-health',
  'candidates-changed',
  'listening',
  'listen-failed',
  'listener-closed',
]);

/**
 * Keeps those services of an ambassador registered that say so (`REGISTER`), each exactly while it listens and its first
 * candidate is healthy. Each change makes it decide everything anew, and the registrar hears the result.
 */
export class Registrations {
  readonly #options: RegistrationsOptions;
  #running: readonly Running[] = [];
  readonly #services = new Map<string, Registering>();
  /** By registrar and key. */
  readonly #entries = new Map<string, Entry>();
  readonly #registrars: Registrars;
  #timer: NodeJS.Timeout | undefined;
  #isDue = false;
  /** Listeners that close now open again. */
  #isUpdating = false;
  /** A process that only registers has nothing else that keeps it. */
  #alive: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: RegistrationsOptions) {
    this.#options = options;
    this.#registrars = new Registrars({
      backend: options.config.discovery.backend,
      lookup: options.lookup,
      loaded: () => this.#judgeSoon(),
      failed: (error) => options.observer({ type: 'internal-error', where: 'registrar', error }),
    });
  }

  /** For the `observer` of an ambassador. */
  readonly observer: Observer = ({ type }) => {
    if (this.#services.size > 0 && TELLING.has(type)) this.#judgeSoon();
  };

  /** Something has changed of which no event tells. */
  reconsider(): void {
    if (this.#services.size > 0) this.#judgeSoon();
  }

  /** The services that run now. */
  follow(running: readonly Running[]): void {
    if (this.#closing !== undefined) return;
    this.#isUpdating = false;
    this.#running = running;
    const registering = new Map(
      running.flatMap(({ config: { name, register } }) => (register ? [[name, register]] : [])),
    );
    for (const name of this.#services.keys()) if (!registering.has(name)) this.#services.delete(name);
    for (const [name, register] of registering) {
      if (isDeepStrictEqual(this.#services.get(name)?.register, register)) continue;
      this.#services.set(name, { register, wellSince: undefined, host: { kind: 'unknown' } });
    }
    const isIdle = this.#services.size === 0;
    if (isIdle) clearInterval(this.#alive);
    else this.#alive ??= setInterval(() => undefined, 3_600_000);
    if (isIdle) this.#alive = undefined;
    this.#judge();
  }

  /**
   * An update begins: takes out what does not stay. Resolves when it is gone, or cannot be taken out in time; until
   * {@link Registrations.follow} nothing else changes.
   */
  async leave(stays: (service: ServiceConfig) => boolean): Promise<void> {
    const staying = this.#running.filter(({ config }) => stays(config));
    const names = new Set(staying.map(({ config }) => config.name));
    const going = [...this.#entries.values()].filter(({ service }) => !names.has(service));
    this.follow(staying);
    this.#isUpdating = true;
    if (going.length > 0) await soon(Promise.all(going.map(({ registration }) => registration.released())), LEAVE_MS);
  }

  /** How the registrations of a service stand; undefined: it registers nowhere. */
  status(name: string): readonly RegistrationStatus[] | undefined {
    const one = this.#services.get(name);
    if (one === undefined) return undefined;
    const keys = this.#keysOf(name, one);
    return one.register.directories.map((directory, index): RegistrationStatus => {
      const entry = this.#entries.get(keys?.[index]?.id ?? '');
      if (entry !== undefined) {
        const { registration, key, sinceMs } = entry;
        return { directory, key, ...registration.state, sinceMs };
      }
      const error = one.host.kind === 'failed' ? one.host.error : undefined;
      return error === undefined ? { directory, phase: 'withdrawn' } : { directory, phase: 'waiting', error };
    });
  }

  /** Takes everything out, for good. Resolves when it is gone, or cannot be taken out in time. May be called twice. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    clearTimeout(this.#timer);
    clearInterval(this.#alive);
    await this.#registrars.close();
  }

  /** An event may be sent in the middle of the change that it reports. */
  #judgeSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      this.#judge();
    });
  }

  #judge(): void {
    if (this.#closing !== undefined || this.#isUpdating) return;
    clearTimeout(this.#timer);
    const now = performance.now();
    const wanted = new Map<string, () => void>();
    let next = Infinity;
    for (const running of this.#running) {
      const one = this.#services.get(running.config.name);
      if (one === undefined) continue;
      const fit = fitness(running);
      if (fit === 'unfit') one.wellSince = undefined;
      // One that was made anew stays registered until its first check says otherwise.
      else if (fit === 'fit') one.wellSince ??= now;
      if (one.wellSince === undefined) continue;
      const readyAt = one.wellSince + one.register.delayMs;
      if (readyAt > now) next = Math.min(next, readyAt);
      next = Math.min(next, this.#findHost(running, one, now));
      if (readyAt > now) continue;
      for (const { id, key } of this.#keysOf(running.config.name, one) ?? []) {
        wanted.set(id, () => this.#want(id, { key, service: running.config.name, register: one.register }));
      }
    }
    // Those that go, go first: a key may go to another service.
    for (const [id, { registration }] of this.#entries) if (!wanted.has(id)) registration.want(false);
    for (const want of wanted.values()) want();
    // While it waits, listeners or the timer above keep the process.
    if (next < Infinity) this.#timer = setTimeout(() => this.#judge(), Math.max(1, next - now)).unref();
  }

  /** @returns when it is tried again */
  #findHost(running: Running, one: Registering, now: number): number {
    const { address } = one.register;
    if (address !== undefined && address.host !== '') {
      one.host = { kind: 'known', host: address.host };
      return Infinity;
    }
    if (one.host.kind === 'failed' && one.host.retryAt > now) return one.host.retryAt;
    if (one.host.kind === 'asked' || one.host.kind === 'known') return Infinity;
    const before = one.host;
    one.host = { kind: 'asked' };
    void this.#ask(running, one).then((host) => {
      const isNews = host.kind === 'failed' && (before.kind !== 'failed' || before.error !== host.error);
      one.host = host;
      if (isNews && this.#services.get(running.config.name) === one)
        this.#tellNoAddress(running.config.name, host.error);
      this.#judgeSoon();
    });
    return Infinity;
  }

  async #ask({ config: { net } }: Running, { register }: Registering): Promise<Registering['host']> {
    const { resolver } = this.#options;
    const backend = this.#registrars.backendOf(register);
    const urls = backend.kind === 'etcd' ? backend.endpoints : [];
    try {
      const { ownAddress } = await import('../registrar/own-address.ts');
      const host = await ownAddress({ urls, resolver, family: net === 'tcp' ? 0 : net === 'tcp4' ? 4 : 6 });
      return { kind: 'known', host };
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      return { kind: 'failed', error: text, retryAt: performance.now() + ADDRESS_RETRY_MS };
    }
  }

  #tellNoAddress(service: string, error: string): void {
    this.#options.observer({ type: 'registration', service, key: undefined, phase: 'waiting', error });
  }

  /** One for each directory; undefined while the address is not known. */
  #keysOf(name: string, { register, host }: Registering): readonly { id: string; key: string }[] | undefined {
    const running = this.#running.find(({ config }) => config.name === name);
    const place = running && host.kind === 'known' ? registrationPlace(running, host.host) : undefined;
    if (place === undefined) return undefined;
    return register.directories.map((directory) => {
      const key = `${directory}/${formatAddress(place)}`;
      return { key, id: `${this.#registrars.idOf(register)} ${key}` };
    });
  }

  #want(id: string, { key, service, register }: Pick<Entry, 'key' | 'service'> & { register: RegisterConfig }): void {
    const value = valueOf(register);
    const known = this.#entries.get(id);
    if (known !== undefined) {
      known.service = service;
      known.registration.write(value);
      known.registration.want(true);
      return;
    }
    const registrar = this.#registrars.get(register);
    if (registrar === undefined) return;
    const registration = registrar.register({ key, value }, ({ state }) => this.#changed(entry, state));
    const entry: Entry = { registration, key, service, sinceMs: Date.now() };
    this.#entries.set(id, entry);
    registration.want(true);
  }

  #changed(entry: Entry, state: Registration['state']): void {
    const { service, key } = entry;
    entry.sinceMs = Date.now();
    const error = state.phase === 'waiting' ? state.error : undefined;
    this.#options.observer({ type: 'registration', service, key, phase: state.phase, ...(error && { error }) });
  }
}

/** What readers of the registry take: empty where nothing is said. */
function valueOf({ weight, priority, zone }: RegisterConfig): string {
  const said = { weight, priority, zone };
  return Object.values(said).every((value) => value === undefined) ? '' : JSON.stringify(said);
}

async function soon(promise: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([promise, limit]);
  clearTimeout(timer);
}
