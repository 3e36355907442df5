import { setTimeout as delay } from 'node:timers/promises';
import type { ServiceConfig } from '../config/config.ts';
import type { ServiceTraffic } from '../core/open-connection.ts';
import { differenceOf, type ServiceChange } from '../config/difference.ts';
import { clash } from '../config/resolve/listeners.ts';
import type { Service } from '../proxy/service.ts';
import { tickInterval } from '../proxy/tracker.ts';
import { buildService, renewableSettings, type Running, type SharedParts } from './build-service.ts';
import type { Updated } from './updated.ts';

/** Fields that a service takes over while it runs; another one makes a service anew. */
const RENEWABLE: ReadonlySet<keyof ServiceConfig> = new Set<keyof ServiceConfig>([
  'candidates',
  'balance',
  'connectTimeoutMs',
  'retries',
  'maxFails',
  'failTimeoutMs',
  'holdTimeoutMs',
  'onChange',
  'onChangeTimeoutMs',
  'resetJitterMs',
  'idleTimeoutMs',
  'halfCloseTimeoutMs',
  'maxLifetimeMs',
  'maxConnections',
  'register',
]);

/** The services of an ambassador, and those that have left it and still have connections. */
export class ServiceSet {
  readonly #parts: SharedParts;
  readonly #hurry: AbortSignal;
  #running: readonly Running[];
  readonly #retired = new Set<Running>();

  constructor(configs: readonly ServiceConfig[], hurry: AbortSignal, parts: SharedParts) {
    this.#parts = parts;
    this.#hurry = hurry;
    this.#running = configs.map((config) => this.#build(config));
  }

  /** Those of the configuration in force, in its order. */
  get running(): readonly Running[] {
    return this.#running;
  }

  /** These, and those that have left with connections open. */
  get all(): readonly Running[] {
    return [...this.#running, ...this.#retired];
  }

  /** What the open connections of each have moved; of several of one name the sum. */
  get traffic(): readonly ServiceTraffic[] {
    return mergeTraffic(this.all.map(({ service }) => service.traffic));
  }

  /** Connections of services by this name that have left. */
  elders(name: string): number {
    return [...this.#retired].reduce((sum, { service }) => sum + (service.name === name ? service.connections : 0), 0);
  }

  /**
   * Goes over to other services by the difference: one that did not change keeps its listeners and connections.
   *
   * @throws AttacheError when TLS material of a new one is no good; nothing has changed then
   */
  async become(configs: readonly ServiceConfig[]): Promise<Updated> {
    const { added, changed, removed } = differenceOf(
      this.#running.map(({ config }) => config),
      configs,
    );
    const anew = changed.filter((change) => !isRenewable(change));
    const coming = [...added, ...anew.map(({ after }) => after)].map((config) => this.#build(config));
    const ready = await this.#prepare(coming);
    const leaving = [...removed, ...anew.map(({ before }) => before)].flatMap(
      (config) => this.#find(config.name) ?? [],
    );
    // The port of one that leaves may be wanted by one that comes. Otherwise the new one listens before the old one stops.
    for (const one of leaving)
      if (coming.some((other) => wantsPlaceOf(other, one))) one.service.stopListening('changed');
    const renewed = new Map(
      changed.filter(isRenewable).flatMap((change) => {
        const one = this.#find(change.after.name);
        return one === undefined ? [] : [[change.after.name, this.#renew(one, change)] as const];
      }),
    );
    const fresh = new Map(coming.map((one) => [one.service.name, one]));
    this.#running = configs.flatMap(({ name }) => fresh.get(name) ?? renewed.get(name) ?? this.#find(name) ?? []);
    await Promise.all(ready.map((start) => start()));
    for (const one of leaving) {
      const successor = fresh.get(one.service.name);
      this.#retire(one, successor?.config);
    }
    return { added: names(added), changed: names(changed.map(({ after }) => after)), removed: names(removed) };
  }

  /** Ends all of them. */
  async close(): Promise<void> {
    await Promise.all(this.all.map(end));
  }

  #find(name: string): Running | undefined {
    return this.#running.find(({ service }) => service.name === name);
  }

  #build(config: ServiceConfig): Running {
    return buildService(config, this.#parts, () => this.elders(config.name));
  }

  /** Reads their TLS material. @returns what starts each; trouble that can pass keeps nobody waiting */
  async #prepare(coming: readonly Running[]): Promise<readonly (() => Promise<void>)[]> {
    try {
      return await Promise.all(
        coming.map(async ({ identity, service }) => {
          if (identity === undefined) return () => service.start();
          const loading = identity.load();
          loading.catch(() => undefined);
          await Promise.race([loading, identity.troubled]);
          return async () => {
            const started = loading.then(() => service.start());
            started.catch(() => undefined);
            await Promise.race([started, identity.troubled]);
          };
        }),
      );
    } catch (error) {
      await Promise.all(coming.map(end));
      throw error;
    }
  }

  #renew(one: Running, { after, fields }: ServiceChange): Running {
    one.service.renew(renewableSettings(after, this.#parts, one.identity));
    if (fields.includes('candidates')) void one.service.follow(this.#parts.sourceFor(after));
    return { ...one, config: after };
  }

  /** Its connections go on: those of a service that was removed for `ON_CHANGE_TIMEOUT`, others as long as they like. */
  #retire(one: Running, successor: ServiceConfig | undefined): void {
    const { service, config } = one;
    service.stopListening('changed');
    if (
      successor !== undefined &&
      differenceOf([config], [successor]).changed[0]?.fields.includes('candidates') === true
    )
      void service.follow(this.#parts.sourceFor(successor));
    const limitMs = successor === undefined ? config.onChangeTimeoutMs : 0;
    this.#retired.add(one);
    void this.#outlive(service, limitMs).then(async () => {
      service.cut(this.#hurry.aborted ? 'shutdown' : 'drain_timeout');
      await end(one);
      this.#retired.delete(one);
    });
  }

  /** @param limitMs 0: no limit */
  async #outlive(service: Service, limitMs: number): Promise<void> {
    const { signal, done } = linked(this.#hurry);
    const limit = limitMs > 0 ? delay(limitMs, undefined, { signal, ref: false }) : aborted(signal);
    await Promise.race([service.idle(), limit.catch(() => undefined)]);
    done();
  }
}

/** Whether a service can take a change over without being made anew. */
function isRenewable({ before, after, fields }: ServiceChange): boolean {
  if (!fields.every((field) => RENEWABLE.has(field))) return false;
  // A listener that reads something of its clients has this time-out in it.
  const reads = after.tls.mode === 'server' || after.acceptProxyProtocol;
  if (reads && fields.includes('connectTimeoutMs')) return false;
  // What a static service may dial a registry may not name.
  if (before.candidates.kind !== after.candidates.kind || isRestricted(before) !== isRestricted(after)) return false;
  return tickOf(after) >= tickOf(before);
}

function isRestricted({ candidates }: ServiceConfig): boolean {
  return candidates.kind === 'static' && candidates.isRestricted === true;
}

function tickOf({ idleTimeoutMs, halfCloseTimeoutMs, maxLifetimeMs }: ServiceConfig): number {
  return tickInterval([idleTimeoutMs, halfCloseTimeoutMs, maxLifetimeMs]);
}

function wantsPlaceOf(coming: Running, leaving: Running): boolean {
  return coming.config.listeners.some((address) =>
    leaving.config.listeners.some((other) =>
      clash({ address, net: coming.config.net }, { address: other, net: leaving.config.net }),
    ),
  );
}

async function end({ service, identity }: Running): Promise<void> {
  await service.close();
  await identity?.stop();
}

function names(configs: readonly ServiceConfig[]): readonly string[] {
  return configs.map(({ name }) => name);
}

/** A signal that follows another one until it is done with. */
function linked(signal: AbortSignal): { readonly signal: AbortSignal; readonly done: () => void } {
  const own = new AbortController();
  const follow = () => own.abort();
  if (signal.aborted) follow();
  else signal.addEventListener('abort', follow, { once: true });
  return {
    signal: own.signal,
    done: () => {
      signal.removeEventListener('abort', follow);
      own.abort();
    },
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

function mergeTraffic(all: readonly ServiceTraffic[]): readonly ServiceTraffic[] {
  const merged = new Map<string, ServiceTraffic>();
  for (const one of all) {
    const known = merged.get(one.service);
    if (known === undefined) {
      merged.set(one.service, one);
      continue;
    }
    const open = new Map(known.open);
    for (const [key, count] of one.open) open.set(key, (open.get(key) ?? 0) + count);
    merged.set(one.service, {
      ...known,
      open,
      bytesToCandidate: known.bytesToCandidate + one.bytesToCandidate,
      bytesToClient: known.bytesToClient + one.bytesToClient,
    });
  }
  return [...merged.values()];
}
