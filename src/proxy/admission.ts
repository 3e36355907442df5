import type { MemoryBound } from './memory-bound.ts';
import { Shortage, type ShortageChange } from './shortage.ts';

/** A change of {@link Admission}. */
export interface AdmissionChange extends ShortageChange {
  /** What runs short. */
  readonly of: 'descriptors' | 'memory';
  /** Connections that have been let in and are open. */
  readonly connections: number;
}

export interface AdmissionOptions {
  /** Connections that the process has room for; Infinity: not known. */
  readonly most: number;
  /** Default: memory is not looked at. */
  readonly memory?: Pick<MemoryBound, 'admits'> | undefined;
  readonly onChange: (change: AdmissionChange) => void;
}

/** Nobody is let in for so long after the system has refused something, so that what is left goes to those who are in. */
export const BACK_OFF_MS = 1_000;

/** `in`: there is a place, to be given back by `leave`; otherwise why the client is to be turned away. */
export type AdmissionResult = 'in' | 'out_of_resources' | 'out_of_memory';

/** The door of the whole process: lets in as many connections as it has descriptors and memory for, over all services. */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #descriptors: Shortage;
  readonly #memory: Shortage;
  #inside = 0;
  #failedAt = -Infinity;

  constructor(options: AdmissionOptions) {
    this.#options = options;
    const tell = (of: AdmissionChange['of']) => (change: ShortageChange) =>
      options.onChange({ ...change, of, connections: this.#inside });
    this.#descriptors = new Shortage(tell('descriptors'));
    this.#memory = new Shortage(tell('memory'));
  }

  /** Clients are turned away for want of memory. */
  get isShortOfMemory(): boolean {
    return this.#memory.isOn;
  }

  enter(): AdmissionResult {
    const { most, memory } = this.#options;
    if (this.#inside >= most || performance.now() - this.#failedAt < BACK_OFF_MS) {
      this.#descriptors.refused();
      return 'out_of_resources';
    }
    if (memory?.admits(this.#inside) === false) {
      this.#memory.refused();
      return 'out_of_memory';
    }
    this.#inside += 1;
    return 'in';
  }

  leave(): void {
    this.#inside -= 1;
  }

  /** The system has refused a descriptor or memory to us. */
  failed(errno: string): void {
    this.#failedAt = performance.now();
    this.#descriptors.troubled(errno);
  }

  /** Ends its timers. */
  close(): void {
    this.#descriptors.close();
    this.#memory.close();
  }
}
