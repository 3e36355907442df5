import type { Address } from '../../core/address.ts';
import { registryOf } from '../../discovery/registries.ts';
import { unlessOff } from '../table/address-kinds.ts';
import { balanceAt } from '../table/balance.ts';
import { cleanSettings, omit } from '../gather/clean.ts';
import type { Balance, CandidatesConfig, Config, RegisterConfig, ServiceConfig, TlsConfig } from '../config.ts';
import { backendOf, discoveryOf, type UsedRegistry } from './discovery.ts';
import type { Draft, ServiceDraft } from '../gather/draft.ts';
import { checkHealthDefaults, healthOf } from './health.ts';
import type { HealthSettings } from '../../core/health-check.ts';
import { deepFreeze } from './freeze.ts';
import { checkLoops } from './loops.ts';
import { checkListeners, type DeclaredListener } from './listeners.ts';
import { checkRegistrations, registerOf } from './register.ts';
import { fieldsOf } from '../table/fields.ts';
import { expected } from '../table/kind.ts';
import { processSettings, type ProcessValues } from '../table/process-settings.ts';
import type { Report } from '../report.ts';
import type { SettingRow } from '../table/setting-spec.ts';
import { checkService } from './service-checks.ts';
import { declaringSettings, serviceSettings, type ServiceValues } from '../table/service-settings.ts';
import type { Settings } from '../gather/setting.ts';
import { checkTlsDefaults, tlsOf } from './tls.ts';
import { checkServicesKey, runTimeOf } from './run-time.ts';

const defaultSpecs = omit(serviceSettings, declaringSettings);

/**
 * Validates every value of a draft, and what the values say together.
 *
 * @throws ConfigError with all faults
 */
export function resolve(draft: Draft, report: Report): Config {
  const process = cleanSettings(processSettings, draft.process, { report });
  tellOfRetired(draft.process, report);
  const defaults = cleanSettings(defaultSpecs, draft.defaults, { report });
  const usual = balanceOf(draft.defaults, defaults, report);
  const services = draft.services.map((service) => {
    const { settings } = service;
    const values = cleanSettings(serviceSettings, settings, { fallback: defaults, report });
    const family = settings.has('NET') ? settings : draft.defaults;
    const net = family.isRefused('NET') ? undefined : family.get('NET');
    checkService({ draft: service, values, net }, report);
    const tls = tlsOf({ draft: service, values, defaults, defaultSettings: draft.defaults }, report);
    const candidates = candidatesOf({ draft: service, values, process }, report);
    const balance = balanceOf(settings, values, report) ?? usual ?? 'ordered';
    const health = healthOf({ draft: service, values, defaultSettings: draft.defaults, tls: tls.mode }, report);
    const registry = backendOf(values.DSC, process);
    const isOwn = settings.has('DSC');
    const register = registerOf({ draft: service, values, registry, isOwn, defaultSettings: draft.defaults }, report);
    return { draft: service, values, candidates, tls, health, balance, register };
  });
  checkRegistrations(services, draft, report);
  const used = services.flatMap((service) => usedRegistry(service, draft));
  const discovery = discoveryOf({ values: process, defaults, used }, draft, report);
  const said = [draft.defaults, ...draft.services.map(({ settings }) => settings)];
  if (draft.isOpen !== true && !said.some((each) => each.isRefused('TLS_MODE'))) {
    checkTlsDefaults(
      draft.defaults,
      services.map(({ tls }) => tls.mode),
      report,
    );
  }
  if (draft.isOpen !== true && !said.some((each) => each.isRefused('HEALTH_CHECK'))) {
    checkHealthDefaults(
      draft.defaults,
      services.map(({ health }) => health?.check.kind ?? 'off'),
      report,
    );
  }
  checkServicesKey({ values: process, discovery }, draft, report);
  const httpAddress = unlessOff(process.HTTP_ADDR);
  const adminAddress = unlessOff(process.ADMIN_ADDR);
  const probeAddress = unlessOff(process.PROBE_ADDR);
  checkListeners(
    [
      ...listener(httpAddress, draft, 'HTTP_ADDR'),
      ...listener(adminAddress, draft, 'ADMIN_ADDR'),
      ...listener(probeAddress, draft, 'PROBE_ADDR'),
      ...services.flatMap(({ draft: { settings }, values }) =>
        (values.SRC ?? []).map((address) => ({ address, net: values.NET, origin: settings.origin('SRC') })),
      ),
    ],
    report,
  );
  checkLoops(
    services.flatMap(({ draft: { settings }, values: { NET, SRC = [], DST = [] } }) => {
      const origins = { listeners: settings.origin('SRC'), candidates: settings.origin('DST') };
      return settings.has('SRC') && settings.has('DST') ? [{ net: NET, listeners: SRC, candidates: DST, origins }] : [];
    }),
    report,
  );
  report.throwIfFaulty();
  return deepFreeze({
    ...fieldsOf(processSettings, process),
    httpAddress,
    adminAddress,
    probeAddress,
    services: services.map(serviceConfig),
    discovery,
    socketMode: defaults.SOCKET_MODE,
    runTime: runTimeOf(process, defaults),
    log: fieldsOf(processSettings, process, 'log.'),
    warnings: [...report.warnings],
  });
}

function tellOfRetired(settings: Settings, report: Report): void {
  for (const [name, { retired }] of Object.entries<SettingRow>(processSettings)) {
    if (retired !== undefined && settings.has(name)) report.warn(settings.origin(name), retired);
  }
}

interface ResolvedService {
  readonly draft: ServiceDraft;
  readonly values: ServiceValues;
  readonly candidates: CandidatesConfig;
  readonly tls: TlsConfig;
  readonly health: HealthSettings | undefined;
  readonly balance: Balance;
  readonly register: RegisterConfig | undefined;
}

function serviceConfig({ draft, values, ...made }: ResolvedService): ServiceConfig {
  return {
    name: draft.name,
    origin: draft.origin,
    ...fieldsOf(serviceSettings, values),
    ...made,
  };
}

interface CandidatesParts {
  readonly draft: ServiceDraft;
  readonly values: ServiceValues;
  readonly process: ProcessValues;
}

function candidatesOf({ draft, values, process }: CandidatesParts, report: Report): CandidatesConfig {
  if (values.SRV === undefined) return { kind: 'static', addresses: values.DST ?? [] };
  const { settings } = draft;
  const { readService, hasRoles = false } = registryOf(values.DSC);
  const read = readService(values.SRV);
  if (!read.ok) report.fault(settings.origin('SRV'), expected(read.reason, values.SRV));
  return {
    kind: 'discovered',
    directory: read.ok ? read.value : values.SRV,
    registry: settings.has('DSC') ? backendOf(values.DSC, process) : undefined,
    role: hasRoles ? values.SENTINEL_ROLE : undefined,
  };
}

function usedRegistry(
  { draft: { settings }, values, candidates, register }: ResolvedService,
  draft: Draft,
): readonly UsedRegistry[] {
  if (candidates.kind === 'static' && register === undefined) return [];
  const own = settings.get('DSC') ?? draft.defaults.get('DSC');
  return [{ said: values.DSC, origin: own?.origin ?? draft.spell('DSC'), settings }];
}

function balanceOf(
  settings: Settings,
  values: Pick<ServiceValues, 'LB' | 'BALANCE'>,
  report: Report,
): Balance | undefined {
  return balanceAt({ settings, lb: values.LB, balance: values.BALANCE }, report);
}

/** The admin side listens on whatever families its host has, so both count. */
function listener(address: Address | undefined, draft: Draft, name: string): readonly DeclaredListener[] {
  if (address === undefined || draft.process.isRefused(name)) return [];
  return [{ address, net: 'tcp', origin: draft.process.get(name)?.origin ?? draft.spell(name) }];
}
