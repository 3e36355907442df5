import { isIP } from 'node:net';
import { dirname, resolve, sep } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { formatAddress, type Address } from '../core/address.ts';
import type { MaterialOrigin } from '../core/material-origin.ts';
import { refusedAddress } from '../core/refused-addresses.ts';
import { registryOf } from '../discovery/registries.ts';
import type { Config, DiscoveryBackend, ServiceConfig } from './config.ts';
import type { Report } from './report.ts';
import { placeOf } from './resolve/run-time.ts';
import { listenRules, type ListenRule } from './table/run-time-kinds.ts';

/** Ports below it need rights that an attache may have for other reasons. */
const FIRST_FREE_PORT = 1_024;
/** What stands for a secret in a list of services that was shown. */
const HIDDEN = '(hidden)';

export interface Within {
  /** The configuration of the start: what it does may be done. */
  readonly start: Config;
  /** Where a path leads when every link is followed. @throws the system's error */
  readonly realPath: (path: string) => string;
}

/**
 * Refuses what services from outside may not do, unless the configuration of the start allows it or does the same: listen on
 * privileged ports or Unix sockets, dial Unix sockets or link-local addresses, read other files, ask other registries.
 */
export function refuseBeyond(services: readonly ServiceConfig[], within: Within, report: Report): void {
  const limits = limitsOf(within);
  for (const service of services) new Check(service, limits, report).run();
}

/** What a service names as candidates is dialed as what a registry names, unless it names what it did at the start. */
export function confined(service: ServiceConfig, start: Config): ServiceConfig {
  const { candidates } = service;
  if (candidates.kind !== 'static') return service;
  const known = start.services.find(({ name }) => name === service.name);
  const isKnown = isDeepStrictEqual(known?.candidates, candidates);
  // A check may ask another host.
  if (isKnown && (checkHostOf(service) === undefined || isDeepStrictEqual(known?.health, service.health)))
    return service;
  return { ...service, candidates: { ...candidates, isRestricted: true } };
}

interface Limits {
  /** Canonical texts of addresses. */
  readonly listeners: ReadonlySet<string>;
  readonly candidates: ReadonlySet<string>;
  readonly listenRules: readonly ListenRule[];
  /** Folders of files, with nothing in them that is a link, and `s3://bucket/prefix/`. */
  readonly places: readonly string[];
  readonly realPath: Within['realPath'];
  readonly registries: ReadonlySet<string>;
  readonly checkHosts: ReadonlySet<string>;
}

function limitsOf({ start, realPath }: Within): Limits {
  const { services, discovery, runTime } = start;
  const registries = services.flatMap(({ candidates, register }) => [
    ...(candidates.kind === 'discovered' ? [candidates.registry] : []),
    register?.registry,
  ]);
  return {
    listeners: new Set(services.flatMap(({ listeners }) => listeners.map(formatAddress))),
    candidates: new Set(services.flatMap((one) => staticOf(one).map(formatAddress))),
    listenRules: runTime.allowListen,
    places: [...new Set([...runTime.allowPaths, ...services.flatMap((one) => originsOf(one).map(placeOf))])].map(
      (place) => (place.startsWith('s3://') ? place : attempt(realPath, place)),
    ),
    realPath,
    registries: new Set([discovery.backend, ...registries].flatMap((one) => (one === undefined ? [] : [urlsOf(one)]))),
    checkHosts: new Set(services.flatMap((one) => checkHostOf(one) ?? [])),
  };
}

class Check {
  readonly #service: ServiceConfig;
  readonly #limits: Limits;
  readonly #report: Report;

  constructor(service: ServiceConfig, limits: Limits, report: Report) {
    this.#service = service;
    this.#limits = limits;
    this.#report = report;
  }

  run(): void {
    const { listeners, candidates, register, health } = this.#service;
    for (const address of listeners) this.#listener(address);
    for (const address of staticOf(this.#service)) this.#candidate(address);
    const host = checkHostOf(this.#service);
    if (host !== undefined && !this.#limits.checkHosts.has(host)) this.#host(host, 'health_check');
    for (const origin of originsOf(this.#service)) this.#place(origin);
    const own = [candidates.kind === 'discovered' ? candidates.registry : undefined, register?.registry];
    for (const registry of own) {
      if (registry === undefined || this.#limits.registries.has(urlsOf(registry))) continue;
      this.#fault('dsc', `expected a registry that the settings of the start name, got "${urlsOf(registry)}"`);
    }
    const login = health?.check;
    if (login !== undefined && 'password' in login && login.password === HIDDEN)
      this.#fault(
        'health_password',
        `expected the secret, got ${HIDDEN}, which stands for it in a list that was shown`,
      );
  }

  #listener(address: Address): void {
    const text = formatAddress(address);
    const { listeners, listenRules: rules } = this.#limits;
    if (listeners.has(text)) return;
    if (rules.length > 0) {
      if (rules.some((rule) => allows(rule, address))) return;
      const wanted = `an address of the start, or one that CONFIG_ALLOW_LISTEN allows (${String(listenRules.format(rules))})`;
      this.#fault('src', `expected ${wanted}, got "${text}"`);
    } else if (address.kind === 'unix')
      this.#fault('src', `expected a port, or a Unix socket that the settings of the start name, got "${text}"`);
    else if (address.port !== 0 && address.port < FIRST_FREE_PORT)
      this.#fault('src', `expected a port from ${FIRST_FREE_PORT} on, or an address of the start, got "${text}"`);
  }

  #candidate(address: Address): void {
    if (this.#limits.candidates.has(formatAddress(address))) return;
    if (address.kind === 'tcp') this.#host(address.host, 'dst');
    else this.#fault('dst', `expected host:port, or a Unix socket of the start, got "${formatAddress(address)}"`);
  }

  #host(host: string, key: string): void {
    const refused = isIP(host) === 0 ? undefined : refusedAddress(host);
    if (refused !== undefined)
      this.#fault(key, `expected an address that may be dialed, got "${host}" (${refused.what})`);
  }

  #place(origin: MaterialOrigin): void {
    const { places, realPath } = this.#limits;
    const place = placeOf(origin);
    const lead = origin.kind === 'file' ? dirname(attempt(realPath, resolve(origin.path))) : place;
    if (places.some((allowed) => isWithin(lead, allowed))) return;
    const wanted = 'files in a folder of CONFIG_ALLOW_PATHS, or of the TLS settings of the start';
    const led = lead === place ? '' : ` (a link to "${lead}")`;
    this.#fault('tls_certpath', `expected ${wanted}, got "${place}"${led}`);
  }

  #fault(key: string, message: string): void {
    this.#report.fault(`${this.#service.origin}.${key}`, message);
  }
}

function staticOf({ candidates }: ServiceConfig): readonly Address[] {
  return candidates.kind === 'static' ? candidates.addresses : [];
}

function originsOf({ tls }: ServiceConfig): readonly MaterialOrigin[] {
  return tls.mode === 'off' ? [] : Object.values(tls.origins);
}

function checkHostOf({ health }: ServiceConfig): string | undefined {
  return health?.check.kind === 'http' ? health.check.host : undefined;
}

/** A folder that cannot be looked into is what it is called. */
function attempt(realPath: Within['realPath'], path: string): string {
  try {
    return realPath(path);
  } catch {
    return path;
  }
}

function isWithin(place: string, allowed: string): boolean {
  if (place === allowed) return true;
  return place.startsWith(allowed.endsWith('/') ? allowed : `${allowed}${sep}`);
}

function allows(rule: ListenRule, address: Address): boolean {
  if (rule.kind === 'unix') {
    if (address.kind === 'tcp') return false;
    const path = resolve(address.path);
    return rule.path.endsWith('/') ? `${dirname(path)}/` === rule.path : path === rule.path;
  }
  if (address.kind === 'unix' || address.port < rule.from || address.port > rule.to) return false;
  return rule.host === '' || rule.host === address.host;
}

function urlsOf(registry: DiscoveryBackend): string {
  return registryOf(registry).urls(registry).join();
}
