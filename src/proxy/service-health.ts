import type { CheckedHealth } from '../balancing/pool.ts';
import type { Endpoint } from '../core/endpoint.ts';
import { checkName, type HealthSettings } from '../core/health-check.ts';
import type { AttacheEvent, Observer } from '../core/observer.ts';
import type { CandidateStatus, ChecksStatus } from '../core/status.ts';
import type { CheckEngine, DialSettings } from '../transport/engine.ts';
import { HealthChecks, type AnswerWaiter, type HealthStateChange } from './health-checks.ts';
import { MembershipResets, type Resettable } from './membership-resets.ts';
import type { ConnectionChecks } from './search.ts';

/** The health checks of a service, and how they dial. */
export interface HealthOptions {
  readonly settings: HealthSettings;
  /** As for a connection, but for the time it takes and the TLS that the check speaks. */
  readonly dialing: DialSettings;
  /** Not always the one that carries connections. */
  readonly engine: CheckEngine;
}

export interface ServiceHealthOptions {
  readonly service: string;
  readonly health: HealthOptions;
  readonly proxyProtocol: 'off' | 'v1' | 'v2';
  readonly observer: Observer;
  readonly connections: Iterable<Resettable>;
  /** What connections of an unhealthy candidate get under `drain`, ms. */
  readonly onChangeTimeoutMs: number;
  readonly jitterMs: number;
  /** Others may be dialed than before. */
  readonly onChange: () => void;
}

/** What health checks know about a service's candidates, and how the service uses it. */
export class ServiceHealth implements CheckedHealth, ConnectionChecks {
  readonly timeoutMs: number;
  readonly #options: ServiceHealthOptions;
  readonly #checks: HealthChecks;
  readonly #resets: MembershipResets;

  constructor(options: ServiceHealthOptions) {
    const { service, health, proxyProtocol, observer, connections } = options;
    const { settings, dialing, engine } = health;
    this.#options = options;
    this.timeoutMs = settings.timeoutMs;
    this.#checks = new HealthChecks({
      settings,
      engine,
      dialing,
      proxyProtocol,
      onChange: (change) => this.#changed(change),
      onChecked: (checked) => observer({ type: 'health-checked', service, ...checked }),
      onSplit: (candidates, kept) => {
        const phase = candidates.length > 0 ? 'began' : 'ended';
        observer({ type: 'role-split', service, phase, candidates, kept });
      },
      onFault: (error) => observer({ type: 'internal-error', service, where: 'health check', error }),
    });
    const { onUnhealthy } = settings;
    this.#resets = new MembershipResets({
      onChange: onUnhealthy === 'reset' ? 'reset-removed' : onUnhealthy,
      onChangeTimeoutMs: options.onChangeTimeoutMs,
      jitterMs: options.jitterMs,
      connections,
      isMember: ({ key }) => !this.#checks.isUnhealthy(key),
      reason: 'candidate_unhealthy',
      // What is answered by one that has lost its role is not to be waited for.
      quietMs: 0,
      onReset: (count, mode) => {
        const told = mode === 'drain' ? 'drain' : 'reset';
        observer({ type: 'connections-reset', service, connections: count, mode: told, cause: 'health' });
      },
    });
  }

  get isAwaited(): boolean {
    return this.#checks.isAwaited;
  }

  get status(): ChecksStatus {
    const { settings } = this.#options.health;
    return { check: checkName(settings.check), isStrict: this.#checks.isStrict, split: this.#checks.split };
  }

  /** What is known of a candidate, beside how its connections find it. */
  with(candidate: CandidateStatus): CandidateStatus {
    const health = this.#checks.status(candidate.key);
    return health === undefined ? candidate : { ...candidate, health };
  }

  isEligible(key: string): boolean {
    return this.#checks.isEligible(key);
  }

  isUnhealthy(key: string): boolean {
    return this.#checks.isUnhealthy(key);
  }

  wait(waiter: AnswerWaiter): void {
    this.#checks.wait(waiter);
  }

  cancel(waiter: AnswerWaiter): void {
    this.#checks.cancel(waiter);
  }

  halfClosed(candidate: string): void {
    if (this.#checks.isStrict) this.#hint(candidate);
  }

  /** The whole set, in the order in which candidates are tried. */
  put(set: readonly Endpoint[]): void {
    this.#checks.put(set);
  }

  /** What becomes of connections: where one fails, a check may explain it. */
  heard(event: AttacheEvent): void {
    if (event.type === 'dial-failed') {
      if (event.errno !== 'REMOVED' && event.errno !== 'UNHEALTHY') this.#hint(event.candidate);
    } else if (event.type === 'connection-closed' && event.candidate !== undefined) {
      const { reason, endedBy, candidate } = event;
      const isFailed = reason === 'candidate_reset' || reason === 'candidate_error' || reason === 'candidate_truncated';
      // A server that gives its role up, or is killed, ends its connections properly.
      const isLeft = this.#checks.isStrict && endedBy === 'candidate';
      if (isFailed || isLeft) this.#hint(candidate);
    }
  }

  /** Ends everything. May be called twice. */
  stop(): void {
    this.#checks.stop();
    this.#resets.stop();
  }

  /** Of a role that one has lost, another may have it now. */
  #hint(candidate: string): void {
    this.#checks.hint(this.#checks.isStrict ? undefined : candidate);
  }

  #changed({ error, ...change }: HealthStateChange): void {
    const { service, observer, onChange } = this.#options;
    const why = error === undefined ? {} : { error };
    observer({ type: 'candidate-health', service, ...change, ...why });
    if (change.state === 'unhealthy') this.#resets.changed();
    onChange();
  }
}
