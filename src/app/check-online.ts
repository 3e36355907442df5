import type { Config, ServiceConfig } from '../config/config.ts';
import { formatAddress } from '../core/address.ts';
import { dialPolicy, permitAll, type DialPolicy } from '../core/dial-policy.ts';
import type { Endpoint } from '../core/endpoint.ts';
import { ConfigError, type ConfigFault } from '../core/errors.ts';
import { ownListeners } from '../core/own-listeners.ts';
import { lookupBy } from '../names/lookup.ts';
import { systemResolver, type SystemResolver } from '../names/system-resolver.ts';
import { dialOnce } from './dial-once.ts';
import { localIps } from './local-ips.ts';
import { lookOnce, registryText } from './look-once.ts';
import { listOnce, type KeyParts } from './key-once.ts';
import { loadOnce, type LoadedIdentity } from './load-once.ts';

/** What was asked, and what it answered. */
export interface Finding {
  /** Missing: of no service, but of the list that `SERVICES_KEY` names. */
  readonly service?: string;
  /** What was asked: `registry http://etcd0:2379`, `certificates`, `10.0.3.144:6379`. */
  readonly what: string;
  readonly ok: boolean;
  /** What it answered, or why it did not. */
  readonly says: string;
}

/** Candidates of all services that are dialed at the same time. */
const AT_ONCE = 32;

interface Shared {
  readonly config: Config;
  readonly resolver: SystemResolver;
  readonly policy: DialPolicy;
}

/**
 * Asks what a configuration names, once: the list of `SERVICES_KEY`, registries, certificates in S3, every candidate.
 * Nothing listens meanwhile.
 *
 * @throws ConfigError when certificates were read that cannot be used
 */
export async function checkOnline(config: Config, origins: KeyParts['origins']): Promise<readonly Finding[]> {
  const resolver = systemResolver();
  try {
    const list = await listOnce(config, { lookup: lookupBy(resolver), origins });
    if (list === undefined) return await checkServices(config, resolver);
    const { what, ok, says } = list;
    const own = says.map((text) => ({ what, ok, says: text }));
    return [...own, ...(await checkServices({ ...config, services: list.services }, resolver))];
  } finally {
    resolver.close();
  }
}

async function checkServices(config: Config, resolver: SystemResolver): Promise<readonly Finding[]> {
  const { httpAddress, adminAddress, probeAddress, services } = config;
  const http = [httpAddress, adminAddress, probeAddress].filter((address) => address !== undefined);
  const configured = [...http, ...services.flatMap(({ listeners }) => listeners)];
  const policy = dialPolicy(config.discovery.allow, ownListeners({ localIps, configured, bound: () => [] }));
  const shared = { config, resolver, policy };
  const findings = await Promise.all(services.map((service) => checkService(service, shared)));
  const faults = findings.flatMap(({ faults: found }) => found);
  if (faults.length > 0) throw new ConfigError(faults, config.warnings);
  return findings.flatMap((found) => found.findings);
}

/** The findings of `check --online` as text for people, without a newline at the end. */
export function describeFindings(findings: readonly Finding[]): string {
  const bad = findings.filter(({ ok }) => !ok);
  const width = Math.max(0, ...findings.map(({ what }) => what.length));
  const services = [...new Set(findings.map(({ service }) => service))];
  const blocks = services.map((service) => {
    const own = findings.filter((finding) => finding.service === service);
    const rows = own.map(({ what, ok, says }) => `  ${ok ? 'ok  ' : 'FAIL'}  ${what.padEnd(width)}  ${says}`);
    return [`online: ${service === undefined ? 'the list of services' : `service ${service}`}`, ...rows].join('\n');
  });
  const verdict = bad.length === 0 ? 'everything answers' : `${bad.length} of ${findings.length} failed`;
  return [...blocks, `online: ${verdict}`].join('\n\n');
}

interface Checked {
  readonly findings: readonly Finding[];
  readonly faults: readonly ConfigFault[];
}

async function checkService(service: ServiceConfig, shared: Shared): Promise<Checked> {
  const [loaded, looked] = await Promise.all([identityOf(service, shared), membersOf(service, shared)]);
  const found = (what: string, ok: boolean, says: string): Finding => ({ service: service.name, what, ok, says });
  const findings: Finding[] = [];
  try {
    if (loaded?.outcome === 'unusable') {
      // A start does not end at a list that it cannot use.
      if (shared.config.servicesKey !== undefined) {
        return { findings: loaded.faults.map((fault) => found('certificates', false, fault)), faults: [] };
      }
      return { findings, faults: loaded.faults.map((message) => ({ setting: service.origin, message })) };
    }
    if (loaded !== undefined) findings.push(found('certificates', loaded.outcome === 'loaded', loaded.says));
    if (looked.finding !== undefined) {
      const { what, ok, says } = looked.finding;
      findings.push(found(what, ok, says));
      for (const ignored of looked.ignored) findings.push(found(what, false, `ignored: ${ignored}`));
    }
    findings.push(...(await dialAll(service, looked.members, { shared, loaded, found })));
    return { findings, faults: [] };
  } finally {
    await loaded?.stop();
  }
}

function identityOf(service: ServiceConfig, { resolver }: Shared): Promise<LoadedIdentity | undefined> {
  const { tls } = service;
  return tls.mode === 'off' ? Promise.resolve(undefined) : loadOnce(service, tls, lookupBy(resolver));
}

interface Looked {
  readonly members: readonly Endpoint[];
  readonly ignored: readonly string[];
  /** Undefined: the candidates are listed. */
  readonly finding?: Omit<Finding, 'service'>;
}

async function membersOf(service: ServiceConfig, { config, resolver, policy }: Shared): Promise<Looked> {
  const { members, ignored, error } = await lookOnce(service, config, { policy, lookup: lookupBy(resolver) });
  const { candidates } = service;
  if (candidates.kind === 'static') return { members, ignored };
  const what = `registry ${registryText(candidates.registry ?? config.discovery.backend)}`;
  if (error !== undefined) return { members, ignored, finding: { what, ok: false, says: error } };
  const count = members.length === 1 ? '1 member' : `${members.length} members`;
  return { members, ignored, finding: { what, ok: members.length > 0, says: `${count} of ${candidates.directory}` } };
}

interface DialingParts {
  readonly shared: Shared;
  readonly loaded: LoadedIdentity | undefined;
  readonly found: (what: string, ok: boolean, says: string) => Finding;
}

async function dialAll(
  service: ServiceConfig,
  members: readonly Endpoint[],
  { shared, loaded, found }: DialingParts,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const waiting = members.entries();
  const { candidates } = service;
  const isFree = candidates.kind === 'static' && candidates.isRestricted !== true;
  const policy = isFree ? permitAll : shared.policy;
  const tls = loaded?.dialing;
  const dialNext = async (): Promise<void> => {
    for (const [index, { address }] of waiting) {
      const what = formatAddress(address);
      if (service.tls.mode === 'client' && loaded?.outcome !== 'loaded') {
        findings[index] = found(what, false, 'not dialed: there are no certificates');
        continue;
      }
      const outcome = await dialOnce(address, service, { resolver: shared.resolver, policy, tls });
      findings[index] = found(what, outcome.ok, outcome.says);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, dialNext));
  return findings;
}
