import { formatAddress } from '../../core/address.ts';
import { isPickedBySystem } from '../table/address-kinds.ts';
import type { DiscoveryBackend, RegisterConfig } from '../config.ts';
import { registryOf } from '../../discovery/registries.ts';
import type { Draft, ServiceDraft } from '../gather/draft.ts';
import type { Settings } from '../gather/setting.ts';
import { oneOf } from '../table/kind.ts';
import type { Report } from '../report.ts';
import type { ServiceValues } from '../table/service-settings.ts';

/** What is of no use without REGISTER. */
const companions = ['REGISTER_ADDRESS', 'REGISTER_TTL', 'REGISTER_WEIGHT', 'REGISTER_PRIORITY', 'REGISTER_ZONE'];
const all = [...companions, 'REGISTER_DELAY'];
const SHORTEST_TTL_MS = 1_000;

export interface RegisterDraft {
  readonly draft: ServiceDraft;
  readonly values: ServiceValues;
  /** The one that the service would be found in. */
  readonly registry: DiscoveryBackend;
  /** It is that of the service alone. */
  readonly isOwn: boolean;
  readonly defaultSettings: Settings;
}

/** How a service registers itself; undefined: it does not. Settings that contradict each other are faults. */
export function registerOf(
  { draft, values, registry, isOwn, defaultSettings }: RegisterDraft,
  report: Report,
): RegisterConfig | undefined {
  const { settings, spell } = draft;
  if (!settings.has('REGISTER')) {
    for (const name of all.filter((each) => settings.has(each))) {
      report.fault(settings.origin(name), `expected ${spell('REGISTER')} beside it, got none`);
    }
    return undefined;
  }
  const { REGISTER: directories, REGISTER_ADDRESS: address, REGISTER_TTL: ttlMs } = values;
  if (directories === undefined) return undefined;
  const origin = settings.origin('REGISTER');
  const at = (name: string) => (settings.has(name) ? settings : defaultSettings).origin(name);
  if (registry.kind !== 'etcd' && registry.kind !== 'directory') {
    const wanted = 'etcd (DSC=http://host:port) or a directory (DSC=file:///path) as the registry';
    report.fault(origin, `expected ${wanted}, got ${registryOf(registry).title}`);
  }
  // There is no route to a directory that would tell the own address.
  if (registry.kind === 'directory' && (address?.host ?? '') === '' && !settings.isRefused('REGISTER_ADDRESS')) {
    const got = address === undefined ? 'none' : settings.origin('REGISTER_ADDRESS');
    report.fault(
      origin,
      `expected ${spell('REGISTER_ADDRESS')} with a host beside it, as the registry is a directory, got ${got}`,
    );
  }
  if (!settings.has('DST') && settings.has('SRV')) {
    report.fault(origin, `expected ${spell('DST')} beside it, got ${settings.origin('SRV')}`);
  }
  if (ttlMs < SHORTEST_TTL_MS || ttlMs % 1_000 !== 0) {
    report.fault(at('REGISTER_TTL'), `expected whole seconds, 1s or more, got ${ttlMs}ms`);
  }
  if (portOf(values) === undefined && settings.has('DST') && !settings.isRefused('DST')) {
    report.fault(origin, `expected ${spell('REGISTER_ADDRESS')} beside it, as neither SRC nor DST has a port of TCP`);
  }
  const isOff = values.HEALTH_CHECK === 'off' && [settings, defaultSettings].some((some) => some.has('HEALTH_CHECK'));
  if (!settings.has('SRC') && isOff && !settings.isRefused('HEALTH_CHECK')) {
    const why = 'a check, as nothing else would take the service out of the registry';
    report.fault(at('HEALTH_CHECK'), `expected ${why}, got off`);
  }
  if (settings.has('SRC') && (values.SRC?.length ?? 0) > 1) {
    report.fault(origin, `expected one address in ${settings.origin('SRC')}, got ${values.SRC?.length} (cluster mode)`);
  }
  return {
    directories,
    registry: isOwn ? registry : undefined,
    address,
    ttlMs,
    weight: values.REGISTER_WEIGHT,
    priority: values.REGISTER_PRIORITY,
    zone: values.REGISTER_ZONE,
    delayMs: values.REGISTER_DELAY,
  };
}

/** The port under which others find it; 0: the system picks it. */
function portOf({ REGISTER_ADDRESS: address, SRC, DST }: ServiceValues): number | undefined {
  if (address !== undefined) return address.port;
  const own = SRC?.[0] ?? DST?.[0];
  return own?.kind === 'tcp' ? own.port : undefined;
}

interface Registering {
  readonly draft: ServiceDraft;
  readonly values: ServiceValues;
  readonly register: RegisterConfig | undefined;
}

/** Two services of one process under one key, and defaults that no service uses, are faults. */
export function checkRegistrations(
  services: readonly Registering[],
  { defaults, isOpen: areMoreToCome = false }: Pick<Draft, 'defaults' | 'isOpen'>,
  report: Report,
): void {
  const keys = new Map<string, string>();
  for (const { draft, values, register } of services) {
    const port = portOf(values);
    const isOpen = values.SRC?.[0] !== undefined && isPickedBySystem(values.SRC[0]) && register?.address === undefined;
    if (register === undefined || port === undefined || isOpen) continue;
    const origin = draft.settings.origin('REGISTER');
    const host = register.address?.host ?? '';
    const urls = values.DSC.urls.join();
    for (const directory of register.directories) {
      const place = `${directory}/${formatAddress({ kind: 'tcp', host, port })}`;
      const first = keys.get(`${urls} ${place}`);
      if (first === undefined) keys.set(`${urls} ${place}`, origin);
      else report.fault(origin, `expected a key of its own, got "${place}", which ${first} has`);
    }
  }
  if (areMoreToCome || services.some(({ register }) => register !== undefined)) return;
  const given = all.filter((name) => defaults.has(name));
  for (const name of given) {
    report.fault(defaults.origin(name), `expected ${oneOf(['REGISTER', 'REGISTER_<NAME>'])} with it, got none`);
  }
}
