import { fullJitterBackoff, type Backoff } from '../core/backoff.ts';
import { AttacheError, messageOf } from '../core/errors.ts';
import { ExpiryWatch } from './expiry-watch.ts';
import type { MaterialPurpose, MaterialReport, MaterialState, TlsMaterial } from './material.ts';
import { parseMaterial } from './parse-material.ts';
import { fingerprintOf } from './parts.ts';
import type { MaterialSource } from './sources.ts';

export interface MaterialReloaderOptions {
  readonly source: MaterialSource;
  readonly purpose: MaterialPurpose;
  /** Time between two looks, ms; 0: only when asked. */
  readonly reloadMs: number;
  readonly report: (report: MaterialReport) => void;
  /** Waits between looks until the first set is there. Default: 100 ms up to 10 s. */
  readonly backoff?: Backoff;
  /** `Date.now`, replaced in tests. */
  readonly now?: () => number;
}

/**
 * Keeps TLS material up to date. Each look reads every part: a changed and good set takes the place of the one in use
 * as a whole, the same bytes change nothing, and whatever is wrong leaves the one in use where it is.
 */
export class MaterialReloader {
  readonly #options: MaterialReloaderOptions;
  readonly #backoff: Backoff;
  readonly #expiry: ExpiryWatch;
  readonly #stopping = new AbortController();
  #state: MaterialState = { status: 'loading', error: undefined, counters: { loaded: 0, refused: 0, unavailable: 0 } };
  #first: Promise<TlsMaterial> | undefined;
  #following: Promise<void> | undefined;
  /** Those who wait for a look that begins from now on. */
  #asked: (() => void)[] = [];
  /** Ends the pause between two looks. */
  #wake: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: MaterialReloaderOptions) {
    this.#options = options;
    this.#backoff = options.backoff ?? fullJitterBackoff({ minMs: 100, initialMs: 500, maxMs: 10_000 });
    this.#expiry = new ExpiryWatch({
      now: options.now ?? Date.now,
      report: (material, notAfterMs) => this.#tell({ kind: 'expiring', material, notAfterMs }),
    });
  }

  /** The set to use for a new connection; undefined until the first is there. */
  get current(): TlsMaterial | undefined {
    return this.#state.status === 'loading' ? undefined : this.#state.material;
  }

  get state(): MaterialState {
    return this.#state;
  }

  /**
   * The first good set. Trouble that can pass is waited out, as long as it takes; `state` says what it is meanwhile. From
   * then on it is kept up to date.
   *
   * @throws MaterialError when a part is missing or no good: then nothing is tried again; AttacheError `closed` after
   * `stop`
   */
  load(): Promise<TlsMaterial> {
    if (this.#first === undefined) {
      this.#first = new Promise((resolve, reject) => {
        this.#following = this.#follow(resolve, reject);
      });
      // A caller that stops the reloader while it loads may no longer wait for the load.
      this.#first.catch(() => undefined);
    }
    return this.#first;
  }

  /** Looks now. Resolves when a look that began after this call is over, whatever it found. Never rejects. */
  reload(): Promise<void> {
    if (this.#isStopped || this.#following === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      this.#asked.push(resolve);
      this.#wake?.();
    });
  }

  /** Ends every timer, reading and connection; from then on nothing changes any more. May be called twice. */
  async stop(): Promise<void> {
    this.#stopping.abort(closed());
    this.#expiry.stop();
    this.#options.source.stop();
    this.#wake?.();
    await this.#following;
  }

  /** One look after the other, so that no two overlap. */
  async #follow(resolve: (material: TlsMaterial) => void, reject: (error: AttacheError) => void): Promise<void> {
    let fault: AttacheError | undefined;
    while (!this.#isStopped) {
      const asked = this.#asked.splice(0);
      fault = await this.#look();
      const isFinal = this.current === undefined && fault?.retryable === false;
      const pauseMs = this.current === undefined ? this.#backoff.next() : this.#options.reloadMs;
      if (fault !== undefined) this.#fail(fault, isFinal || pauseMs === 0 ? undefined : pauseMs);
      this.#expiry.check();
      if (this.current !== undefined) resolve(this.current);
      for (const done of asked) done();
      if (isFinal) break;
      await this.#pause(pauseMs);
    }
    // Without effect on a promise that was kept.
    reject(this.#isStopped || fault === undefined ? closed() : fault);
    this.#following = undefined;
    for (const done of this.#asked.splice(0)) done();
  }

  /** @returns why it failed */
  async #look(): Promise<AttacheError | undefined> {
    const { source, purpose, now = Date.now } = this.#options;
    try {
      const parts = await source.read(this.#stopping.signal);
      if (this.#isStopped) return undefined;
      if (this.current?.fingerprint === fingerprintOf(parts)) this.#confirm(this.current);
      else this.#take(parseMaterial({ purpose, parts, now: now() }));
      return undefined;
    } catch (error) {
      if (error instanceof AttacheError) return error;
      return new AttacheError('internal', messageOf(error), { retryable: true, cause: error });
    }
  }

  #confirm(material: TlsMaterial): void {
    if (this.#state.status === 'ready') return;
    this.#state = { status: 'ready', material, counters: this.#state.counters };
    this.#tell({ kind: 'recovered', material });
  }

  #take(material: TlsMaterial): void {
    const { counters } = this.#state;
    this.#state = { status: 'ready', material, counters: { ...counters, loaded: counters.loaded + 1 } };
    this.#tell({ kind: 'loaded', material });
    this.#expiry.watch(material);
  }

  #fail(error: AttacheError, nextInMs: number | undefined): void {
    if (this.#isStopped) return;
    const before = this.#state;
    const key = error.code === 'tls_material_invalid' ? 'refused' : 'unavailable';
    const counters = { ...before.counters, [key]: before.counters[key] + 1 };
    this.#state =
      before.status === 'loading'
        ? { status: 'loading', error: error.message, counters }
        : { status: 'stale', material: before.material, error: error.message, counters };
    const isNews = before.status === 'ready' || before.error !== error.message;
    if (isNews) this.#tell({ kind: 'failed', error, nextInMs });
  }

  /** @param ms 0: until it is asked to look */
  async #pause(ms: number): Promise<void> {
    if (this.#asked.length > 0 || this.#isStopped) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (ms > 0) this.#timer = setTimeout(resolve, ms);
    });
    clearTimeout(this.#timer);
    this.#wake = undefined;
  }

  #tell(report: MaterialReport): void {
    try {
      this.#options.report(report);
    } catch {
      // What only tells must not end what is told of.
    }
  }

  get #isStopped(): boolean {
    return this.#stopping.signal.aborted;
  }
}

function closed(): AttacheError {
  return new AttacheError('closed', 'TLS material was stopped');
}
