import { formatMaterialOrigin, type MaterialOrigin } from '../core/material-origin.ts';
import { ConfigError, type ConfigFault } from '../core/errors.ts';
import { missingFor } from '../core/optional-packages.ts';
import type { DiscoveryBackend } from '../discovery/backends.ts';
import { registryOf } from '../discovery/registries.ts';
import type { Config, ServiceConfig } from './config.ts';
import { optionOf } from './table/settings.ts';

export interface MissingOptions {
  /** Default: those of the configuration. */
  readonly services?: readonly ServiceConfig[];
  /** The sources of candidates are not the registry's. */
  readonly hasOwnSources?: boolean;
}

/** @throws ConfigError when a setting of a service asks for a package that is not installed */
export function requirePackages(config: Config, options: MissingOptions = {}): void {
  const { services = config.services, hasOwnSources = false } = options;
  const faults = services.flatMap((service) => {
    const etcd = etcdOf(service, config, hasOwnSources);
    const object = objectOf(service);
    return [
      ...(etcd === undefined ? [] : faultOf(service, `${spell(service, 'DSC')} ${urlsOf(etcd)}`, missingFor('etcd'))),
      ...(object === undefined
        ? []
        : faultOf(service, `${spell(service, 'TLS_CERTPATH')} ${object}`, missingFor('s3'))),
    ];
  });
  if (faults.length > 0) throw new ConfigError(faults, config.warnings);
}

function faultOf({ origin }: ServiceConfig, setting: string, missing: string | undefined): readonly ConfigFault[] {
  return missing === undefined ? [] : [{ setting: origin, message: `${setting} ${missing}` }];
}

/** The etcd that a service looks members up in, or registers in. */
function etcdOf(
  { candidates, register }: ServiceConfig,
  { discovery }: Config,
  hasOwnSources: boolean,
): DiscoveryBackend | undefined {
  const asked = [
    ...(candidates.kind === 'discovered' && !hasOwnSources ? [candidates.registry ?? discovery.backend] : []),
    ...(register === undefined ? [] : [register.registry ?? discovery.backend]),
  ];
  return asked.find(({ kind }) => kind === 'etcd');
}

/** A part of a service's certificates that is in S3. */
function objectOf({ tls }: ServiceConfig): string | undefined {
  if (tls.mode === 'off') return undefined;
  const found = Object.values<MaterialOrigin | undefined>(tls.origins).find((one) => one?.kind === 's3');
  return found && formatMaterialOrigin(found);
}

function urlsOf(backend: DiscoveryBackend): string {
  return registryOf(backend).urls(backend).join(',');
}

/** The setting as the service was declared: the library has options in its place. */
function spell({ origin }: ServiceConfig, name: string): string {
  return origin.startsWith('services[') ? optionOf(name) : name;
}
