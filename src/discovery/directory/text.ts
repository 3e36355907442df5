import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, messageOf } from '../../core/errors.ts';
import { tooLate } from '../../files/file-fault.ts';
import { onFileThread } from '../../files/file-threads.ts';
import { readBounded } from '../../files/read-file.ts';
import { textOf } from '../../files/text.ts';
import type { FoundText, TextSink, TextSource, TextSourceOptions } from '../text-source.ts';

export interface FileTextOptions extends Pick<TextSourceOptions, 'key'> {
  /** Absolute path of the registry. */
  readonly root: string;
  /** Between two looks, ms; replaced in tests. */
  readonly lookMs?: number;
}

const LOOK_MS = 1_000;
const DEADLINE_MS = 5_000;

/** The text of one file of a registry that is a directory, followed by its content. */
export function fileText(options: FileTextOptions): TextSource {
  return new FileText(options);
}

class FileText implements TextSource {
  readonly #options: FileTextOptions;
  readonly #path: string;
  #timer: NodeJS.Timeout | undefined;
  #life: 'new' | 'running' | 'stopped' = 'new';
  #lastOkAt: number | undefined;

  constructor(options: FileTextOptions) {
    this.#options = options;
    this.#path = join(options.root, options.key);
  }

  start(sink: TextSink): void {
    if (this.#life !== 'new') return;
    this.#life = 'running';
    void this.#look(sink);
  }

  stop(): Promise<void> {
    this.#life = 'stopped';
    clearTimeout(this.#timer);
    return Promise.resolve();
  }

  /** Never rejects. */
  async #look(sink: TextSink): Promise<void> {
    const seen = await this.#see();
    if (this.#life !== 'running') return;
    if ('error' in seen) {
      const { error } = seen;
      const lastOkAt = this.#lastOkAt;
      sink.state(lastOkAt === undefined ? { status: 'starting', error } : { status: 'stale', lastOkAt, error });
    } else {
      this.#lastOkAt = Date.now();
      sink.found(seen);
      sink.state({ status: 'synced', lastOkAt: this.#lastOkAt });
    }
    this.#timer = setTimeout(() => void this.#look(sink), this.#options.lookMs ?? LOOK_MS);
  }

  async #see(): Promise<FoundText | { readonly error: string }> {
    try {
      const { bytes } = await readBounded(this.#path, { deadlineMs: DEADLINE_MS });
      return { text: textOf(bytes), revision: undefined };
    } catch (error) {
      const isMissing = errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR';
      if (!isMissing) return { error: messageOf(error) };
    }
    try {
      // Without its root the registry is down: it says nothing of the key.
      await onFileThread(
        () => stat(this.#options.root),
        DEADLINE_MS,
        () => tooLate(DEADLINE_MS, false),
      );
      return { text: undefined, revision: undefined };
    } catch (error) {
      return { error: messageOf(error) };
    }
  }
}
