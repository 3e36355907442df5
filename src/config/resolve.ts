import type { Address } from '../core/address.ts';
import { balanceAt } from './balance.ts';
import { cleanWords, omit } from './clean.ts';
import type { Balance, CandidatesConfig, Config, ServiceConfig, TlsConfig } from './config.ts';
import { discoveryOf } from './discovery.ts';
import type { Draft, ServiceDraft } from './draft.ts';
import { deepFreeze } from './freeze.ts';
import { checkListeners, type Listener } from './listeners.ts';
import { processWords } from './process-words.ts';
import type { Report } from './report.ts';
import { checkService } from './service-checks.ts';
import { declaringWords, serviceWords, type ServiceValues } from './service-words.ts';
import type { Settings } from './setting.ts';
import { checkTlsDefaults, tlsOf } from './tls.ts';

const defaultWords = omit(serviceWords, declaringWords);

/**
 * Validates every value of a draft, and what the values say together.
 *
 * @throws ConfigError with all faults
 */
export function resolve(draft: Draft, report: Report): Config {
  const process = cleanWords(processWords, draft.process, { report });
  const discovery = discoveryOf(process, draft, report);
  const defaults = cleanWords(defaultWords, draft.defaults, { report });
  const usual = balanceOf(draft.defaults, defaults, report);
  const services = draft.services.map((service) => {
    const { settings } = service;
    const values = cleanWords(serviceWords, settings, { fallback: defaults, report });
    checkService({ draft: service, values, net: settings.get('NET') ?? draft.defaults.get('NET') }, report);
    const tls = tlsOf({ draft: service, values, defaults, defaultSettings: draft.defaults }, report);
    return { draft: service, values, tls, balance: balanceOf(settings, values, report) ?? usual ?? 'ordered' };
  });
  checkTlsDefaults(
    draft.defaults,
    services.map(({ tls }) => tls.mode),
    report,
  );
  const httpAddress = unlessOff(process.HTTP_ADDR);
  const adminAddress = unlessOff(process.ADMIN_ADDR);
  checkListeners(
    [
      ...listener(httpAddress, draft, 'HTTP_ADDR'),
      ...listener(adminAddress, draft, 'ADMIN_ADDR'),
      ...services.flatMap(({ draft: { settings }, values }) =>
        (values.SRC ?? []).map((address) => ({ address, net: values.NET, origin: settings.origin('SRC') })),
      ),
    ],
    report,
  );
  report.throwIfFaulty();
  return deepFreeze({
    services: services.map(serviceConfig),
    discovery,
    httpAddress,
    adminAddress,
    readyMinCandidates: process.READY_MIN_CANDIDATES,
    drainDelayMs: process.DRAIN_DELAY,
    shutdownTimeoutMs: process.SHUTDOWN_TIMEOUT,
    directIo: process.DIRECT_IO,
    log: { level: process.LOG_LEVEL, format: process.LOG_FORMAT, access: process.ACCESS_LOG },
    warnings: [...report.warnings],
  });
}

interface ResolvedService {
  readonly draft: ServiceDraft;
  readonly values: ServiceValues;
  readonly tls: TlsConfig;
  readonly balance: Balance;
}

function serviceConfig({ draft, values, tls, balance }: ResolvedService): ServiceConfig {
  return {
    name: draft.name,
    origin: draft.origin,
    net: values.NET,
    listeners: values.SRC ?? [],
    candidates: candidatesOf(values),
    balance,
    connectTimeoutMs: values.CONNECT_TIMEOUT,
    retries: values.RETRIES,
    maxFails: values.MAX_FAILS,
    failTimeoutMs: values.FAIL_TIMEOUT,
    holdTimeoutMs: values.HOLD_TIMEOUT,
    onChange: values.ON_CHANGE,
    drainTimeoutMs: values.DRAIN_TIMEOUT,
    resetJitterMs: values.RESET_JITTER,
    idleTimeoutMs: values.IDLE_TIMEOUT,
    halfCloseTimeoutMs: values.HALF_CLOSE_TIMEOUT,
    maxLifetimeMs: values.MAX_LIFETIME,
    keepAliveMs: values.KEEPALIVE,
    maxConnections: values.MAX_CONNECTIONS,
    proxyProtocol: values.PROXY_PROTOCOL,
    acceptProxyProtocol: values.ACCEPT_PROXY_PROTOCOL,
    tls,
  };
}

function candidatesOf(values: ServiceValues): CandidatesConfig {
  return values.SRV === undefined
    ? { kind: 'static', addresses: values.DST ?? [] }
    : { kind: 'discovered', directory: values.SRV };
}

function balanceOf(
  settings: Settings,
  values: Pick<ServiceValues, 'LB' | 'BALANCE'>,
  report: Report,
): Balance | undefined {
  return balanceAt({ settings, lb: values.LB, balance: values.BALANCE }, report);
}

function unlessOff(address: Address | 'off'): Address | undefined {
  return address === 'off' ? undefined : address;
}

/** The admin side listens on whatever families its host has, so both count. */
function listener(address: Address | undefined, draft: Draft, word: string): readonly Listener[] {
  if (address === undefined) return [];
  return [{ address, net: 'tcp', origin: draft.process.get(word)?.origin ?? draft.spell(word) }];
}
