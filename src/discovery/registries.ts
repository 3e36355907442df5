import type { DiscoveryBackend } from './backends.ts';
import { directoryRegistry } from './directory/registry.ts';
import { dnsRegistry, type DnsSettings } from './dns/registry.ts';
import { etcdRegistry, type EtcdSettings } from './etcd/registry.ts';
import type { Registry } from './registry.ts';
import { sentinelRegistry, type SentinelSettings } from './sentinel/registry.ts';

/** Values of the settings that registries have for themselves. */
export type RegistrySettings = EtcdSettings & DnsSettings & SentinelSettings;

/** A row of the table. */
export type RegistryRow = Registry<DiscoveryBackend, RegistrySettings>;

const rows = {
  etcd: etcdRegistry,
  directory: directoryRegistry,
  dns: dnsRegistry,
  sentinel: sentinelRegistry,
} satisfies { [K in DiscoveryBackend['kind']]: Registry<Extract<DiscoveryBackend, { kind: K }>, RegistrySettings> };

// A row is only ever given what it has made itself: `registryOf` chooses it by that value's kind.
const registries = Object.values(rows) as unknown as readonly RegistryRow[];
const byKind = new Map(registries.map((row) => [row.kind, row]));
const byScheme = new Map(registries.flatMap((row) => row.schemes.map((scheme) => [scheme, row])));

/** What the URLs of all registries look like, for messages. */
export const registryForms: readonly string[] = registries.flatMap(({ forms }) => forms);

/** The settings that only some registries have. */
export const registrySettings = registries.flatMap((row) => row.settings.map((setting) => ({ row, setting })));

/** The row of a backend. */
export function registryOf({ kind }: Pick<DiscoveryBackend, 'kind'>): RegistryRow {
  const row = byKind.get(kind);
  if (row === undefined) throw new TypeError(`no registry ${kind}`);
  return row;
}

/** The row of a URL; undefined when no registry has its scheme, or it has none. */
export function registryOfUrl(url: string): RegistryRow | undefined {
  const [, scheme = ''] = /^([a-z][a-z0-9+.-]*):\/\//i.exec(url) ?? [];
  return byScheme.get(scheme.toLowerCase());
}
