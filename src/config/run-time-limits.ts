import { dirname, resolve } from 'node:path';
import { isIP } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import { formatAddress, type Address } from '../core/address.ts';
import type { MaterialOrigin } from '../core/material-origin.ts';
import { refusedAddress } from '../core/refused-addresses.ts';
import { registryOf } from '../discovery/registries.ts';
import type { Config, DiscoveryBackend, ServiceConfig } from './config.ts';
import type { Report } from './report.ts';

/** Ports below it need rights that an attache may have for other reasons. */
const FIRST_FREE_PORT = 1_024;
/** What stands for a secret in a list of services that was shown. */
const HIDDEN = '(hidden)';

/**
 * Refuses what services from outside may not do, unless the configuration of the start does the same: listen on privileged ports
 * or Unix sockets, dial Unix sockets or link-local addresses, read other files, ask other registries.
 */
export function refuseBeyond(services: readonly ServiceConfig[], start: Config, report: Report): void {
  const limits = limitsOf(start);
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
  /** Folders of files, and `s3://bucket/prefix`. */
  readonly places: ReadonlySet<string>;
  readonly registries: ReadonlySet<string>;
  readonly checkHosts: ReadonlySet<string>;
}

function limitsOf({ services, discovery }: Config): Limits {
  const registries = services.flatMap(({ candidates, register }) => [
    ...(candidates.kind === 'discovered' ? [candidates.registry] : []),
    register?.registry,
  ]);
  return {
    listeners: new Set(services.flatMap(({ listeners }) => listeners.map(formatAddress))),
    candidates: new Set(services.flatMap((one) => staticOf(one).map(formatAddress))),
    places: new Set(services.flatMap((one) => originsOf(one).map(placeOf))),
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
    if (this.#limits.listeners.has(text)) return;
    if (address.kind === 'unix')
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
    if (this.#limits.places.has(placeOf(origin))) return;
    const wanted = 'files in a folder that the TLS settings of the start name';
    this.#fault('tls_certpath', `expected ${wanted}, got "${placeOf(origin)}"`);
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

/** The folder of a file, in its one spelling; the prefix of an object. */
function placeOf(origin: MaterialOrigin): string {
  if (origin.kind === 'file') return dirname(resolve(origin.path));
  return `s3://${origin.bucket}/${origin.key.slice(0, origin.key.lastIndexOf('/') + 1)}`;
}

function urlsOf(registry: DiscoveryBackend): string {
  return registryOf(registry).urls(registry).join();
}
