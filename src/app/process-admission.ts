import type { ServiceConfig } from '../config/config.ts';
import { Admission, type AdmissionChange } from '../proxy/admission.ts';
import { MemoryBound, type MemoryLimits } from '../proxy/memory-bound.ts';
import type { DescriptorsEvent, MemoryStatus, Observer } from '../core/observer.ts';
import { connectionsThatFit, descriptorLimit, descriptorsInUse } from './descriptors.ts';
import { memoryLimits, memoryUse, type MaxMemory } from './memory.ts';

export interface ProcessAdmissionOptions {
  readonly services: readonly ServiceConfig[];
  readonly observer: Observer;
  /** Default: what the system says of this process. */
  readonly limit?: number | undefined;
  readonly maxMemory: MaxMemory;
}

/** Lets in no more connections, over all services, than the process has descriptors and memory for, and reports it. */
export class ProcessAdmission {
  readonly admission: Admission;
  readonly #services: readonly ServiceConfig[];
  readonly #observer: Observer;
  readonly #limit: number;
  readonly #most: number;
  readonly #memory: MemoryLimits;

  constructor({ services, observer, limit = descriptorLimit() ?? Infinity, maxMemory }: ProcessAdmissionOptions) {
    const listeners = services.reduce((sum, service) => sum + service.listeners.length, 0);
    this.#services = services;
    this.#observer = observer;
    this.#limit = limit;
    this.#most = connectionsThatFit(limit, listeners);
    this.#memory = memoryLimits(maxMemory);
    this.admission = new Admission({
      most: this.#most,
      memory: new MemoryBound({ limits: this.#memory, read: memoryUse }),
      onChange: (change) => this.#changed(change),
    });
  }

  /** How the process stands with its memory. */
  get memory(): MemoryStatus {
    const { resident, oldHeap } = memoryUse();
    return {
      state: this.admission.isShortOfMemory ? 'exhausted' : 'ample',
      limit: finite(this.#memory.resident),
      resident,
      heapLimit: this.#memory.oldHeap,
      heap: oldHeap,
    };
  }

  /** Warns of `MAX_CONNECTIONS` that cannot be had. */
  check(): void {
    const asked = this.#services.reduce((sum, { maxConnections }) => sum + maxConnections, 0);
    if (asked > this.#most) this.#report({ state: 'scarce', connections: asked, refused: 0 });
  }

  #changed({ of, errno, state, connections, refused }: AdmissionChange): void {
    if (of === 'memory') this.#observer({ type: 'memory', ...this.memory, state, connections, refused });
    else this.#report({ state, connections, refused, ...(errno === undefined ? {} : { errno }) });
  }

  #report(news: Pick<DescriptorsEvent, 'state' | 'connections' | 'refused' | 'errno'>): void {
    const bounds = { limit: finite(this.#limit), most: finite(this.#most), inUse: descriptorsInUse() };
    this.#observer({ type: 'descriptors', ...bounds, ...news });
  }
}

function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}
