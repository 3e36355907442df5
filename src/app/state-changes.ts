import type { Logger } from 'pino';
import { serviceState, serviceStates, type ServiceState } from '../admin/service-health.ts';
import type { AttacheEvent } from '../core/observer.ts';
import type { ServiceStatus } from '../core/status.ts';
import { LineLimit } from '../logging/line-limit.ts';

/** A service that comes and goes in less is not told; what lasts is told so much later. */
const LOOK_AFTER_MS = 500;
const LINES = 20;
const WINDOW_MS = 10_000;

const MESSAGES = { serving: 'service serving', degraded: 'service degraded', failing: 'service failing' } as const;

/** What may change how a service stands. */
const TELLING: ReadonlySet<AttacheEvent['type']> = new Set([
  'listening',
  'listen-failed',
  'dial-failed',
  'tls-material',
  'candidates-changed',
  'candidate-ejected',
  'candidate-recovered',
  'candidate-health',
  'no-candidates',
  'discovery-state',
  'configuration',
]);

/** One line of the log when a service serves better or worse than it did: a warning when it is worse. */
export class StateChanges {
  readonly #logger: Logger;
  readonly #limit = new LineLimit({ lines: LINES, windowMs: WINDOW_MS });
  readonly #told = new Map<string, ServiceState['state']>();
  #services: () => readonly ServiceStatus[] = () => [];
  #timer: NodeJS.Timeout | undefined;
  #isStopping = false;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** @param services is asked a moment after something has happened, and never otherwise */
  follow(services: () => readonly ServiceStatus[]): void {
    this.#services = services;
  }

  readonly observer = (event: AttacheEvent): void => {
    if (event.type === 'lifecycle' && event.phase === 'draining') this.#stop();
    // A success is news of a service that does not serve, and of no other: there are many.
    else if (event.type === 'connection-established' ? this.#isTroubled(event.service) : TELLING.has(event.type))
      this.lookSoon();
  };

  lookSoon(): void {
    if (this.#isStopping) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#look();
    }, LOOK_AFTER_MS).unref();
  }

  #isTroubled(service: string): boolean {
    return (this.#told.get(service) ?? 'serving') !== 'serving';
  }

  #look(): void {
    const services = this.#services();
    for (const service of services) this.#tell(service.name, serviceState(service));
    const names = new Set(services.map(({ name }) => name));
    for (const name of this.#told.keys()) if (!names.has(name)) this.#told.delete(name);
  }

  #tell(service: string, { state, reason }: ServiceState): void {
    const before = this.#told.get(service) ?? 'serving';
    if (state === before) return;
    const suppressed = this.#limit.admit('state');
    // What is not told now is told when there is room again.
    if (suppressed === undefined) {
      this.lookSoon();
      return;
    }
    this.#told.set(service, state);
    const fields = { service, before, state, reason, ...(suppressed > 0 && { suppressed }) };
    const isWorse = serviceStates.indexOf(state) > serviceStates.indexOf(before);
    this.#logger[isWorse ? 'warn' : 'info'](fields, MESSAGES[state]);
  }

  #stop(): void {
    this.#isStopping = true;
    clearTimeout(this.#timer);
  }
}
