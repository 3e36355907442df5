import { dirname, resolve } from 'node:path';
import { registryOf } from '../../discovery/registries.ts';
import type { MaterialOrigin } from '../../core/material-origin.ts';
import type { DiscoveryConfig, RunTimeConfig } from '../config.ts';
import type { Draft } from '../gather/draft.ts';
import type { ProcessValues } from '../table/process-settings.ts';
import type { ServiceValues } from '../table/service-settings.ts';
import type { Report } from '../report.ts';

type Defaults = Pick<ServiceValues, 'TLS_CERTPATH' | 'TLS_CACERT' | 'TLS_CERT' | 'TLS_KEY'>;

/** Limits for lists of services that come at run time. */
export function runTimeOf(values: ProcessValues, defaults: Defaults): RunTimeConfig {
  const { CONFIG_ALLOW_PATHS: allowPaths, CONFIG_ALLOW_LISTEN: allowListen = [] } = values;
  return { allowPaths: allowPaths ?? placesOf(defaults), allowListen };
}

/** `SERVICES_KEY` needs a registry that keeps texts. */
export function checkServicesKey(
  { values, discovery }: { readonly values: ProcessValues; readonly discovery: DiscoveryConfig },
  { process, defaults }: Draft,
  report: Report,
): void {
  if (values.SERVICES_KEY === undefined || defaults.isRefused('DSC')) return;
  const registry = registryOf(discovery.backend);
  if (registry.loadText !== undefined) return;
  const wanted = 'a registry that keeps texts in DSC: http://host:port (etcd) or file:///directory';
  report.fault(process.origin('SERVICES_KEY'), `expected ${wanted}, got ${registry.title}`);
}

/** The folder of a file; the prefix of an object, with a slash at its end. */
export function placeOf(origin: MaterialOrigin): string {
  if (origin.kind === 'file') return dirname(resolve(origin.path));
  return `s3://${origin.bucket}/${origin.key.slice(0, origin.key.lastIndexOf('/') + 1)}`;
}

function placesOf({ TLS_CERTPATH: folder, TLS_CACERT: ca, TLS_CERT: cert, TLS_KEY: key }: Defaults): readonly string[] {
  const origins = [folder?.cert, ca, cert, key].filter((origin) => origin !== undefined);
  return [...new Set(origins.map(placeOf))];
}
