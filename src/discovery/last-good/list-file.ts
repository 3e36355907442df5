import { messageOf } from '../../core/errors.ts';
import type { Observer } from '../../core/observer.ts';
import { readStateFile, replaceStateFile } from './file-io.ts';

export interface LastGoodListOptions {
  readonly path: string;
  /** The key that the list stands at: a list of another one is not used. */
  readonly key: string;
  readonly observer: Observer;
}

const FORMAT = 'attache-services';
const VERSION = 1;

/**
 * The last good list of services, in a file of its own: one line that says what it is, then the text as the registry had it.
 * Nothing that the file system does rejects.
 */
export class LastGoodList {
  readonly #options: LastGoodListOptions;
  /** What the file holds, as far as is known. */
  #stored: string | undefined;
  #writing: Promise<void> = Promise.resolve();
  #isFaulty = false;

  constructor(options: LastGoodListOptions) {
    this.#options = options;
  }

  /** The list that the file holds; undefined when there is none, or the file is no good. */
  async find(): Promise<string | undefined> {
    try {
      const whole = await readStateFile(this.#options.path);
      if (whole === undefined) return undefined;
      const end = whole.indexOf('\n');
      const head = readHead(end < 0 ? whole : whole.slice(0, end));
      const isOurs = head?.['format'] === FORMAT && head['version'] === VERSION && end >= 0;
      if (!isOurs) throw new Error('no list of services');
      if (head['key'] !== this.#options.key) throw new Error('it holds the list of another key');
      this.#stored = whole.slice(end + 1);
      return this.#stored;
    } catch (error) {
      this.#tell('ignored', messageOf(error));
      return undefined;
    }
  }

  /** Writes a list that was taken over, if the file holds another one. Resolves when that is done or has failed. */
  keep(text: string): Promise<void> {
    this.#writing = this.#writing.then(() => this.#write(text));
    return this.#writing;
  }

  /** Resolves when nothing is being written. */
  flush(): Promise<void> {
    return this.#writing;
  }

  async #write(text: string): Promise<void> {
    if (text === this.#stored) return;
    const head = { format: FORMAT, version: VERSION, key: this.#options.key, since: new Date().toISOString() };
    try {
      await replaceStateFile(this.#options.path, `${JSON.stringify(head)}\n${text}`);
      this.#stored = text;
      if (this.#isFaulty) this.#tell('recovered');
      this.#isFaulty = false;
    } catch (error) {
      if (!this.#isFaulty) this.#tell('unwritable', messageOf(error));
      this.#isFaulty = true;
    }
  }

  #tell(outcome: 'ignored' | 'unwritable' | 'recovered', error?: string): void {
    const { path, observer } = this.#options;
    observer({ type: 'state-file', path, outcome, ...(error !== undefined && { error }) });
  }
}

function readHead(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
