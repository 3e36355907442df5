import type { MaterialOrigin, MaterialOrigins, PartName } from '../../core/material-origin.ts';
import type { TlsConfig } from '../config.ts';
import type { ServiceDraft } from '../gather/draft.ts';
import type { Report } from '../report.ts';
import type { ServiceValues } from '../table/service-settings.ts';
import type { Settings } from '../gather/setting.ts';

type Mode = TlsConfig['mode'];
type Defaults = Pick<ServiceValues, 'TLS_CERTPATH' | 'TLS_CACERT' | 'TLS_CERT' | 'TLS_KEY'>;

/** The modes in which a setting means something. */
const modesOf: Readonly<Record<string, readonly Mode[]>> = {
  TLS_CERTPATH: ['client', 'server'],
  TLS_CACERT: ['client', 'server'],
  TLS_CERT: ['client', 'server'],
  TLS_KEY: ['client', 'server'],
  TLS_SERVER_NAME: ['client'],
  TLS_MIN_VERSION: ['client', 'server'],
  TLS_CIPHERS: ['client', 'server'],
  TLS_STRICT_CLOSE: ['client', 'server'],
  TLS_CLIENT_AUTH: ['server'],
  TLS_ALLOW: ['server'],
  TLS_RELOAD: ['client', 'server'],
};

const settingOfPart = { ca: 'TLS_CACERT', cert: 'TLS_CERT', key: 'TLS_KEY' } as const satisfies Record<
  PartName,
  string
>;

export interface TlsDraft {
  readonly draft: ServiceDraft;
  /** The service's own settings over the defaults. */
  readonly values: ServiceValues;
  /** The defaults alone. */
  readonly defaults: Defaults;
  readonly defaultSettings: Settings;
}

/** Makes TLS of a service's settings. Settings that contradict each other are faults. */
export function tlsOf({ draft, values, defaults, defaultSettings }: TlsDraft, report: Report): TlsConfig {
  const mode = values.TLS_MODE;
  const said = draft.settings.has('TLS_MODE') ? draft.settings : defaultSettings;
  if (said.isRefused('TLS_MODE')) return { mode: 'off' };
  checkModes(draft.settings, [mode], report);
  if (mode === 'off') return { mode };
  const origins = originsOf(draft.settings, values, defaults);
  // A place that was typed and refused has its own fault, and is not missing as well.
  const isRefused = (part: PartName) =>
    origins[part] === undefined &&
    [settingOfPart[part], 'TLS_CERTPATH'].some((name) => draft.settings.has(name) || defaultSettings.has(name));
  const shared = {
    minVersion: values.TLS_MIN_VERSION,
    ciphers: values.TLS_CIPHERS ?? [],
    strictClose: values.TLS_STRICT_CLOSE,
    reloadMs: values.TLS_RELOAD,
  };
  if (mode === 'client') {
    if (!isRefused('cert') && !isRefused('key')) requirePair(draft, origins, report);
    return { mode, ...shared, origins, serverName: values.TLS_SERVER_NAME };
  }
  const clientAuth = values.TLS_CLIENT_AUTH;
  const allow = values.TLS_ALLOW ?? [];
  const allowOrigin = draft.settings.origin('TLS_ALLOW');
  if (clientAuth === 'none' && allow.length > 0) {
    report.fault(allowOrigin, 'expected TLS_CLIENT_AUTH=require, as only a certificate names a client, got none');
  }
  const { ca, ...own } = origins;
  // Without clients' certificates there is nothing to verify; the folder's CA is not read then.
  const wanted = clientAuth === 'require' && ca !== undefined ? { ca, ...own } : own;
  const parts: readonly PartName[] = clientAuth === 'require' ? ['ca', 'cert', 'key'] : ['cert', 'key'];
  for (const part of parts) if (!isRefused(part)) requirePart(draft, { part, origins: wanted }, report);
  return { mode, ...shared, origins: wanted, clientAuth, allow };
}

/** Bare TLS settings are defaults; one that no service can use is a mistake. */
export function checkTlsDefaults(settings: Settings, modes: readonly Mode[], report: Report): void {
  if (modes.length > 0) checkModes(settings, modes, report);
}

function checkModes(settings: Settings, modes: readonly Mode[], report: Report): void {
  for (const [name, wanted] of Object.entries(modesOf)) {
    if (!settings.has(name) || modes.some((mode) => wanted.includes(mode))) continue;
    const expected = wanted.map((mode) => `TLS_MODE=${mode}`).join(' or ');
    report.fault(settings.origin(name), `expected ${expected} with it, got ${[...new Set(modes)].join(' and ')}`);
  }
}

/** A service's own settings win over the defaults, and on each of both levels one file wins over the folder. */
function originsOf(settings: Settings, values: ServiceValues, defaults: Defaults): MaterialOrigins {
  const origin = (part: PartName): MaterialOrigin | undefined => {
    const name = settingOfPart[part];
    if (settings.has(name)) return values[name];
    if (settings.has('TLS_CERTPATH')) return values.TLS_CERTPATH?.[part];
    return defaults[name] ?? defaults.TLS_CERTPATH?.[part];
  };
  const found = (['ca', 'cert', 'key'] as const).map((part) => [part, origin(part)] as const);
  return Object.fromEntries(found.filter(([, place]) => place !== undefined));
}

interface Wanted {
  readonly part: PartName;
  readonly origins: MaterialOrigins;
}

function requirePart({ origin, spell }: ServiceDraft, { part, origins }: Wanted, report: Report): void {
  if (origins[part] !== undefined) return;
  const what = part === 'ca' ? 'to verify clients with' : 'to show to clients';
  report.fault(origin, `expected ${spell('TLS_CERTPATH')} or ${spell(settingOfPart[part])} ${what}, got neither`);
}

/** A client may show no certificate, but a certificate needs its key and a key its certificate. */
function requirePair({ origin, spell }: ServiceDraft, { cert, key }: MaterialOrigins, report: Report): void {
  if ((cert === undefined) === (key === undefined)) return;
  const [there, missing] = cert === undefined ? (['TLS_KEY', 'TLS_CERT'] as const) : (['TLS_CERT', 'TLS_KEY'] as const);
  report.fault(origin, `expected ${spell(missing)} with ${spell(there)}, got none`);
}
