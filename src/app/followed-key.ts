import type { ServiceConfig } from '../config/config.ts';
import type { ConfigurationSource } from '../core/configuration-source.ts';
import { AttacheError, messageOf } from '../core/errors.ts';
import type { SourceState } from '../core/status.ts';
import type { FoundText, TextSource } from '../discovery/text-source.ts';
import type { Ambassador } from './ambassador.ts';
import type { Extension } from './extension.ts';
import { faultsOf } from './followed-services.ts';

/** The list that a process begins with while its key cannot be read. */
export interface KeptList {
  find(): Promise<string | undefined>;
  keep(text: string): Promise<void>;
  flush(): Promise<void>;
}

export interface FollowedKeyOptions {
  /** The key, as `SERVICES_KEY` names it. */
  readonly key: string;
  /** Imports what follows it. */
  readonly load: () => Promise<TextSource>;
  /** Imports what keeps its last good list; undefined: nothing does. */
  readonly loadKept: (() => Promise<KeptList>) | undefined;
  /** The services of a text. @throws ConfigError */
  readonly read: (text: string) => Promise<readonly ServiceConfig[]>;
  /** How long a registry that reports no fault may take to answer before the kept list is used, ms; replaced in tests. */
  readonly patienceMs?: number;
}

const PATIENCE_MS = 1_000;

/**
 * Follows `SERVICES_KEY`: another text is another list of services, taken over whole or refused whole. While no list has come,
 * the last good one is in force, if one was kept.
 */
export class FollowedKey {
  readonly #options: FollowedKeyOptions;
  #source: TextSource | undefined;
  #kept: Promise<KeptList | undefined> = Promise.resolve(undefined);
  /** What was handled last. */
  #handled: FoundText | undefined;
  /** What has come since. */
  #next: FoundText | undefined;
  #isHandling = false;
  /** Whether a list is in force. */
  #hasList = false;
  #hasAssumed = false;
  #patience: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(options: FollowedKeyOptions) {
    this.#options = options;
  }

  /** To live as long as the ambassador does. */
  extension(ambassador: Ambassador): Extension {
    const stop = () => this.#stop();
    return {
      start: () => {
        void this.#begin(ambassador);
        return Promise.resolve();
      },
      draining: stop,
      close: async () => {
        await stop();
        await (await this.#kept)?.flush();
      },
    };
  }

  /** Never rejects. */
  async #begin(ambassador: Ambassador): Promise<void> {
    const { load, loadKept, patienceMs = PATIENCE_MS } = this.#options;
    // Also when nothing else keeps the process.
    this.#patience = setTimeout(() => void this.#assume(ambassador), patienceMs);
    try {
      if (loadKept !== undefined) this.#kept = loadKept();
      const source = await load();
      if (this.#isStopped) return;
      this.#source = source;
      source.start({
        found: (found) => this.#found(found, ambassador),
        state: (state) => this.#state(state, ambassador),
      });
    } catch (error) {
      ambassador.followServices({ phase: 'starting', error: messageOf(error) });
      ambassador.report({ type: 'internal-error', where: 'SERVICES_KEY', error });
    }
  }

  async #stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#patience);
    await this.#source?.stop();
  }

  #state(state: SourceState, ambassador: Ambassador): void {
    if (state.status === 'synced') {
      const isMissing = (this.#next ?? this.#handled)?.text === undefined;
      ambassador.followServices({ phase: isMissing ? 'missing' : 'synced' });
      return;
    }
    ambassador.followServices({ phase: state.status, ...(state.error !== undefined && { error: state.error }) });
    void this.#assume(ambassador);
  }

  #found(found: FoundText, ambassador: Ambassador): void {
    const last = this.#next ?? this.#handled;
    if (last !== undefined && last.text === found.text && last.revision === found.revision) return;
    // Of several that come while one is taken over, the last one counts.
    this.#next = found;
    void this.#handle(ambassador);
  }

  /** Never rejects. */
  async #handle(ambassador: Ambassador): Promise<void> {
    if (this.#isHandling) return;
    this.#isHandling = true;
    while (this.#next !== undefined && !this.#isStopped) {
      const { text, revision } = (this.#handled = this.#next);
      this.#next = undefined;
      ambassador.followServices({ phase: text === undefined ? 'missing' : 'synced' });
      const isTaken = text !== undefined && (await this.#take(ambassador, { text, source: 'SERVICES_KEY', revision }));
      if (isTaken) void (await this.#kept)?.keep(text);
      else await this.#assume(ambassador);
    }
    this.#isHandling = false;
  }

  /** Puts the kept list in force while there is no other one. */
  async #assume(ambassador: Ambassador): Promise<void> {
    if (this.#hasList || this.#hasAssumed || this.#isStopped) return;
    this.#hasAssumed = true;
    const text = await (await this.#kept)?.find();
    if (text !== undefined) await this.#take(ambassador, { text, source: 'STATE_FILE' });
  }

  /** @returns whether the list is in force now */
  async #take(ambassador: Ambassador, list: List): Promise<boolean> {
    const { text, source, revision } = list;
    const hadList = this.#hasList;
    try {
      const services = await this.#options.read(text);
      // The key has answered meanwhile.
      if (source === 'STATE_FILE' && this.#hasList) return false;
      this.#hasList = true;
      await ambassador.replaceServices(services, source, revision);
      return true;
    } catch (error) {
      this.#hasList = hadList;
      const isOver = error instanceof AttacheError && error.code === 'closed';
      if (!isOver) ambassador.rejectServices(source, faultsOf(error));
      return false;
    }
  }
}

interface List {
  readonly text: string;
  readonly source: ConfigurationSource;
  readonly revision?: string | undefined;
}
