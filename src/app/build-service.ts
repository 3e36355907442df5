import type { LookupFunction } from 'node:net';
import { policyOf, type Policy } from '../balancing/policies.ts';
import type { ServiceConfig } from '../config/config.ts';
import { permitAll, type DialPolicy } from '../core/dial-policy.ts';
import type { Observer } from '../core/observer.ts';
import type { OwnDials } from '../core/own-dials.ts';
import type { OwnListeners } from '../core/own-listeners.ts';
import type { Resolver } from '../core/resolver.ts';
import type { CandidateSource } from '../discovery/source.ts';
import type { Admission } from '../proxy/admission.ts';
import type { RenewableSettings } from '../proxy/service-parts.ts';
import { Service } from '../proxy/service.ts';
import type { Engine } from '../transport/engine.ts';
import { healthOptions } from './health-dialing.ts';
import { ServiceIdentity } from './service-identity.ts';

/** What all services of an ambassador have in common. */
export interface SharedParts {
  readonly observer: Observer;
  readonly admission: Admission;
  readonly engine: Engine;
  /** Of what a registry may name. */
  readonly policy: DialPolicy;
  readonly own: OwnListeners;
  readonly ownDials: OwnDials;
  readonly resolver: Resolver;
  readonly lookup: LookupFunction;
  readonly nextId: () => number;
  readonly sourceFor: (service: ServiceConfig) => CandidateSource;
  /** Undefined: as the configuration says. */
  readonly policyFor: ((service: ServiceConfig) => Policy | undefined) | undefined;
}

/** One service that runs, with what it was made from. */
export interface Running {
  readonly config: ServiceConfig;
  readonly service: Service;
  /** Where it speaks TLS. */
  readonly identity: ServiceIdentity | undefined;
}

/** @param elders open connections of services of this name that have left */
export function buildService(config: ServiceConfig, shared: SharedParts, elders: () => number): Running {
  const { observer, lookup, admission, engine, ownDials, nextId } = shared;
  const identity =
    config.tls.mode === 'off' ? undefined : new ServiceIdentity(config, config.tls, { observer, lookup });
  const settings = renewableSettings(config, shared, identity);
  const service = new Service({
    ...config,
    ...settings,
    health: healthOptions(config, settings.dialing),
    accepting: identity?.accepting,
    source: shared.sourceFor(config),
    admission,
    ownDials,
    engine,
    observer,
    nextId,
    elders,
  });
  return { config, service, identity };
}

/** What may change while a service runs. */
export function renewableSettings(
  config: ServiceConfig,
  shared: SharedParts,
  identity: ServiceIdentity | undefined,
): RenewableSettings {
  const { candidates, balance, retries, net } = config;
  return {
    ...config,
    policy: () => shared.policyFor?.(config) ?? policyOf(balance, retries),
    dialing: {
      connectTimeoutMs: config.connectTimeoutMs,
      keepAliveMs: config.keepAliveMs,
      family: net === 'tcp' ? 0 : net === 'tcp4' ? 4 : 6,
      policy: candidates.kind === 'static' && candidates.isRestricted !== true ? permitAll : shared.policy,
      resolver: shared.resolver,
      own: shared.own,
      tls: identity?.dialing,
    },
  };
}
