import { isStrict, type HealthCheck, type HealthSettings } from '../../core/health-check.ts';
import type { TlsConfig } from '../config.ts';
import type { ServiceDraft } from '../gather/draft.ts';
import type { Settings } from '../gather/setting.ts';
import type { Report } from '../report.ts';
import type { CheckName } from '../table/health-kinds.ts';
import type { ServiceValues } from '../table/service-settings.ts';

type CheckKind = 'off' | HealthCheck['kind'];

/** The checks with which a setting means something. */
const kindsOf: Readonly<Record<string, readonly CheckKind[]>> = {
  HEALTH_SEND: ['tcp', 'tls'],
  HEALTH_EXPECT: ['tcp', 'tls'],
  HEALTH_USERNAME: ['redis', 'redis-primary', 'redis-replica', 'http'],
  HEALTH_PASSWORD: ['redis', 'redis-primary', 'redis-replica', 'http'],
};
/** The same of any check. */
const anyCheck = ['HEALTH_INTERVAL', 'HEALTH_TIMEOUT', 'HEALTH_FALL', 'HEALTH_RISE', 'ON_UNHEALTHY'] as const;
const SHORTEST_MS = 10;

export interface HealthDraft {
  readonly draft: ServiceDraft;
  /** The service's own settings over the defaults. */
  readonly values: ServiceValues;
  readonly defaultSettings: Settings;
  readonly tls: TlsConfig['mode'];
}

/** The health check that a service's settings configure; undefined without one. Settings that contradict each other are faults. */
export function healthOf(
  { draft, values, defaultSettings, tls }: HealthDraft,
  report: Report,
): HealthSettings | undefined {
  const { settings } = draft;
  const said = settings.has('HEALTH_CHECK') ? settings : defaultSettings;
  if (said.isRefused('HEALTH_CHECK')) return undefined;
  // What is registered has to answer, unless somebody says that it need not.
  const name = !said.has('HEALTH_CHECK') && settings.has('REGISTER') ? 'tcp' : values.HEALTH_CHECK;
  const kind = typeof name === 'string' ? name : name.kind;
  checkSettings(settings, [kind], report);
  if (name === 'off') return undefined;
  const at = (name: string) => (settings.has(name) ? settings : defaultSettings).origin(name);
  if (kind === 'tls' && tls !== 'client') {
    report.fault(
      at('HEALTH_CHECK'),
      `expected TLS_MODE=client with tls, got TLS_MODE=${tls}; tcp connects without TLS`,
    );
  }
  const username = values.HEALTH_USERNAME;
  if (kind !== 'http' && username !== undefined && values.HEALTH_PASSWORD === undefined) {
    report.fault(at('HEALTH_USERNAME'), 'expected HEALTH_PASSWORD with it, got none');
  }
  for (const name of ['HEALTH_INTERVAL', 'HEALTH_TIMEOUT'] as const) {
    if (values[name] < SHORTEST_MS) report.fault(at(name), `expected at least ${SHORTEST_MS}ms, got ${values[name]}ms`);
  }
  for (const name of ['HEALTH_FALL', 'HEALTH_RISE'] as const) {
    if (values[name] === 0) report.fault(at(name), 'expected 1 or more, got 0');
  }
  const check = checkOf(name, values);
  return {
    check,
    intervalMs: values.HEALTH_INTERVAL,
    timeoutMs: values.HEALTH_TIMEOUT,
    fall: values.HEALTH_FALL,
    rise: values.HEALTH_RISE,
    onUnhealthy: values.ON_UNHEALTHY ?? (isStrict(check) ? 'reset' : 'keep'),
  };
}

/** Bare settings are defaults; one that no service can use is a mistake. */
export function checkHealthDefaults(settings: Settings, kinds: readonly CheckKind[], report: Report): void {
  if (kinds.length > 0) checkSettings(settings, kinds, report);
}

function checkSettings(settings: Settings, kinds: readonly CheckKind[], report: Report): void {
  const got = [...new Set(kinds)].join(' and ');
  for (const [name, wanted] of Object.entries(kindsOf)) {
    if (!settings.has(name) || kinds.some((kind) => wanted.includes(kind))) continue;
    const names = wanted.map((kind) => (kind === 'http' ? 'http://...' : kind)).join(', ');
    report.fault(settings.origin(name), `expected HEALTH_CHECK to be one of ${names} with it, got ${got}`);
  }
  if (kinds.some((kind) => kind !== 'off')) return;
  for (const name of anyCheck) {
    if (settings.has(name)) report.fault(settings.origin(name), `expected HEALTH_CHECK with it, got ${got}`);
  }
}

function checkOf(name: Exclude<CheckName, 'off'>, values: ServiceValues): HealthCheck {
  const login = { username: values.HEALTH_USERNAME, password: values.HEALTH_PASSWORD };
  if (typeof name !== 'string') return { ...name, ...login };
  switch (name) {
    case 'tcp':
    case 'tls':
      return { kind: name, send: values.HEALTH_SEND ?? '', expect: values.HEALTH_EXPECT };
    case 'redis':
    case 'redis-primary':
    case 'redis-replica':
      return { kind: name, ...login };
    case 'postgres':
      return { kind: name };
  }
}
