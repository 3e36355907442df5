import { isDeepStrictEqual } from 'node:util';
import type { ServiceConfig } from '../config/config.ts';
import { AttacheError, ConfigError, messageOf } from '../core/errors.ts';
import { readBounded } from '../files/read-file.ts';
import type { Ambassador } from './ambassador.ts';
import type { Extension } from './extension.ts';

/** Between two looks at the file, ms. */
const LOOK_MS = 1_000;

export interface FollowedServicesOptions {
  readonly path: string;
  /** The services of the whole configuration, read anew. @throws ConfigError */
  readonly read: () => Promise<readonly ServiceConfig[]>;
  /** Between two looks, ms; replaced in tests. */
  readonly lookMs?: number;
}

/** What stands in a file; undefined: nothing that can be read. */
interface Found {
  readonly text: string | undefined;
}

/**
 * Follows `SERVICES_FILE` by its content: another text is another list of services, taken over whole or refused whole.
 * A pipe is not followed: it has its text only once.
 */
export class FollowedServices {
  readonly #options: FollowedServicesOptions;
  #last: Found | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(options: FollowedServicesOptions) {
    this.#options = options;
  }

  /** Notes what the file says now: before the configuration of the start is read, so that no change is missed. */
  async note(): Promise<void> {
    this.#last = await this.#find();
  }

  /** To live as long as the ambassador does. */
  extension(ambassador: Ambassador): Extension {
    const stop = () => {
      this.#isStopped = true;
      clearTimeout(this.#timer);
      return Promise.resolve();
    };
    return {
      start: () => {
        // What could not be read before the start was a pipe, or is read by nobody.
        if (this.#last?.text !== undefined) this.#lookLater(ambassador);
        return Promise.resolve();
      },
      draining: stop,
      close: stop,
    };
  }

  #lookLater(ambassador: Ambassador): void {
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => void this.#look(ambassador), this.#options.lookMs ?? LOOK_MS).unref();
  }

  /** Never rejects. */
  async #look(ambassador: Ambassador): Promise<void> {
    const found = await this.#find();
    if (!this.#isStopped && !isDeepStrictEqual(found, this.#last)) {
      this.#last = found;
      await this.#takeOver(ambassador);
    }
    this.#lookLater(ambassador);
  }

  async #takeOver(ambassador: Ambassador): Promise<void> {
    try {
      const services = await this.#options.read();
      await ambassador.replaceServices(services, 'SERVICES_FILE');
    } catch (error) {
      if (error instanceof AttacheError && error.code === 'closed') return;
      ambassador.rejectServices('SERVICES_FILE', faultsOf(error));
    }
  }

  async #find(): Promise<Found> {
    try {
      const { bytes } = await readBounded(this.#options.path);
      return { text: bytes.toString() };
    } catch {
      return { text: undefined };
    }
  }
}

/** What is wrong, one sentence each. */
export function faultsOf(error: unknown): readonly string[] {
  if (error instanceof ConfigError) return error.faults.map(({ setting, message }) => `${setting}: ${message}`);
  return [messageOf(error)];
}
