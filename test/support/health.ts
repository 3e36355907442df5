import { permitAll } from '../../src/core/dial-policy.ts';
import type { HealthCheck, HealthSettings } from '../../src/core/health-check.ts';
import type { CandidateHealthEvent } from '../../src/core/observer.ts';
import { systemResolver } from '../../src/names/system-resolver.ts';
import type { HealthOptions } from '../../src/proxy/service-health.ts';
import type { TlsDialSettings } from '../../src/transport/engine.ts';
import { nodeEngine } from '../../src/transport/node/engine.ts';
import type { TestService } from './service.ts';

export interface CheckOptions extends Partial<Omit<HealthSettings, 'check'>> {
  readonly tls?: TlsDialSettings;
}

/** Checks that come often, so that a test sees many of them soon. */
export function checking(check: HealthCheck, options: CheckOptions = {}): HealthOptions {
  const { tls, ...rest } = options;
  const settings: HealthSettings = {
    check,
    intervalMs: 100,
    timeoutMs: 1_000,
    fall: 2,
    rise: 1,
    onUnhealthy: 'keep',
    ...rest,
  };
  const { timeoutMs } = settings;
  const dialing = { connectTimeoutMs: timeoutMs, keepAliveMs: 0, family: 4, policy: permitAll, tls } as const;
  return { settings, engine: nodeEngine(), dialing: { ...dialing, resolver: systemResolver() } };
}

export const TCP: HealthCheck = { kind: 'tcp', send: '', expect: undefined };

/** A role that candidates say they have by their first byte to whoever sends `?`: no real protocol, but real sockets. */
export const PRIMARY: HealthCheck = { kind: 'redis-primary', username: undefined, password: undefined };

/** What checks have found of each candidate, in the order of the set. */
export function healthOf({ service }: TestService): readonly (string | undefined)[] {
  return service.status.candidateStates.map(({ health }) => health?.state);
}

/** The changes so far. */
export function healthChanges({ events }: TestService): readonly CandidateHealthEvent[] {
  return events.filter((event): event is CandidateHealthEvent => event.type === 'candidate-health');
}
