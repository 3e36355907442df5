import type { ServiceConfig } from './config/config.ts';
import { Admission } from './core/admission.ts';
import type { DescriptorsEvent, Observer } from './core/observer.ts';
import { connectionsThatFit, descriptorLimit, descriptorsInUse } from './descriptors.ts';

export interface ProcessAdmissionOptions {
  readonly services: readonly ServiceConfig[];
  readonly observer: Observer;
  /** Default: what the system says of this process. */
  readonly limit?: number | undefined;
}

/** Lets in no more connections, over all services, than the process has file descriptors for, and reports it. */
export class ProcessAdmission {
  readonly admission: Admission;
  readonly #services: readonly ServiceConfig[];
  readonly #observer: Observer;
  readonly #limit: number;
  readonly #most: number;

  constructor({ services, observer, limit = descriptorLimit() ?? Infinity }: ProcessAdmissionOptions) {
    const listeners = services.reduce((sum, service) => sum + service.listeners.length, 0);
    this.#services = services;
    this.#observer = observer;
    this.#limit = limit;
    this.#most = connectionsThatFit(limit, listeners);
    this.admission = new Admission({
      most: this.#most,
      onChange: ({ errno, ...change }) => this.#report({ ...change, ...(errno === undefined ? {} : { errno }) }),
    });
  }

  /** Warns of `MAX_CONNECTIONS` that cannot be had. */
  check(): void {
    const asked = this.#services.reduce((sum, { maxConnections }) => sum + maxConnections, 0);
    if (asked > this.#most) this.#report({ state: 'scarce', connections: asked, refused: 0 });
  }

  #report(news: Pick<DescriptorsEvent, 'state' | 'connections' | 'refused' | 'errno'>): void {
    const bounds = { limit: finite(this.#limit), most: finite(this.#most), inUse: descriptorsInUse() };
    this.#observer({ type: 'descriptors', ...bounds, ...news });
  }
}

function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}
