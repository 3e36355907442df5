import { join } from 'node:path';
import { formatAddress, type Address } from '../core/address.ts';
import type { DialPolicy } from '../core/dial-policy.ts';
import { messageOf } from '../core/errors.ts';
import { Cadence } from './cadence.ts';
import { readListing, type Listing, type ReadListing } from './directory-listing.ts';
import { DirectoryWatch } from './directory-watch.ts';
import { MemberReader } from './members.ts';
import type { CandidateSource, SourceSink } from './source.ts';

/** One service directory of a registry that is a tree of folders and (possibly empty) files. */
export interface DirectorySourceOptions {
  /** Absolute path of the registry. While it is missing or unreadable the backend counts as down. */
  readonly root: string;
  /** Service directory below the root, e.g. `/srv/redis/debug`. Without it the service has no members. */
  readonly directory: string;
  readonly policy: DialPolicy;
  /** What a registry that is down does to the set. */
  readonly onFailure: 'keep' | 'clear';
  /** Longest time between two looks, for changes of which no watch tells. Default 750 ms. */
  readonly rereadMs?: number;
  /** How long one look may take before the registry counts as down. Default 5000 ms. */
  readonly deadlineMs?: number;
  /** Replaced in tests. */
  readonly read?: ReadListing;
}

/** A burst of changes costs one look; under lasting churn there is one in this time. Together well under 100 ms. */
const CADENCE = { quietMs: 20, burstMs: 60 } as const;
/** An absence or a fault is believed when it is still there this long after it was first seen. */
const SECOND_LOOK_MS = 100;

/**
 * Candidates from `<root>/<directory>/<host:port>` files, followed by watching and by reading again.
 *
 * @throws RangeError when `directory` has a `..` in it, or either path a NUL
 */
export function directorySource(options: DirectorySourceOptions): CandidateSource {
  return new DirectorySource(options);
}

class DirectorySource implements CandidateSource {
  readonly #options: DirectorySourceOptions;
  readonly #path: string;
  readonly #cadence = new Cadence(CADENCE);
  readonly #watch: DirectoryWatch;
  #life: 'new' | 'running' | 'stopped' = 'new';
  /** The set last reported, as text; undefined before the first. */
  #reported: string | undefined;
  #lastOkAt: number | undefined;
  /** The fault last reported, while it lasts. */
  #fault: string | undefined;
  /** What the last listing that was believed said. */
  #names: readonly string[] | undefined;
  #overdue: NodeJS.Timeout | undefined;
  /** `performance.now()` when a doubtful listing was first seen. */
  #doubtSince: number | undefined;

  constructor(options: DirectorySourceOptions) {
    this.#options = options;
    const chain = pathsDown(options.root, options.directory);
    this.#path = chain.at(-1) ?? options.root;
    this.#watch = new DirectoryWatch(chain, () => this.#cadence.nudge());
  }

  start(sink: SourceSink): void {
    if (this.#life !== 'new') return;
    this.#life = 'running';
    const reader = new MemberReader(this.#options.policy, (key, reason) => {
      if (this.#life === 'running') sink.ignored(key, reason);
    });
    void this.#follow(sink, reader);
  }

  stop(): Promise<void> {
    this.#life = 'stopped';
    clearTimeout(this.#overdue);
    this.#watch.close();
    this.#cadence.end();
    return Promise.resolve();
  }

  /** One look after the other for as long as the source lives, so that no two overlap. */
  async #follow(sink: SourceSink, reader: MemberReader): Promise<void> {
    while (this.#isRunning()) {
      const listing = await this.#look((error) => this.#fail(sink, error));
      if (this.#isRunning()) await this.#cadence.wait(this.#judge(listing, sink, reader));
    }
  }

  /** @param late called when the answer is overdue; the look goes on, since a second one would hang beside it */
  async #look(late: (error: string) => void): Promise<Listing> {
    const { root, read = readListing, deadlineMs = 5_000 } = this.#options;
    this.#overdue = setTimeout(() => late(`no answer from the directory within ${deadlineMs} ms`), deadlineMs);
    try {
      await this.#watch.refresh();
      return await read(root, this.#path);
    } catch (error) {
      return { kind: 'failed', error: messageOf(error) };
    } finally {
      clearTimeout(this.#overdue);
    }
  }

  /** @returns how long until the next look, ms */
  #judge(listing: Listing, sink: SourceSink, reader: MemberReader): number {
    if (this.#isDoubtful(listing)) {
      const now = performance.now();
      this.#doubtSince ??= now;
      const left = this.#doubtSince + SECOND_LOOK_MS - now;
      if (left > 0) return Math.ceil(left);
    }
    this.#doubtSince = undefined;
    if (listing.kind === 'failed') this.#fail(sink, listing.error);
    else this.#believe(listing.names, sink, reader);
    return this.#rereadMs;
  }

  /** Whether it says less than what is held, in a way that the middle of a swap looks too. */
  #isDoubtful(listing: Listing): boolean {
    switch (listing.kind) {
      case 'read':
        return false;
      case 'failed':
        return listing.error !== this.#fault;
      case 'gaps': {
        const seen = new Set(listing.names);
        return this.#names === undefined || this.#names.some((name) => !seen.has(name));
      }
    }
  }

  #believe(names: readonly string[], sink: SourceSink, reader: MemberReader): void {
    this.#names = names;
    this.#report(reader.read(names), sink);
    this.#lastOkAt = Date.now();
    this.#fault = undefined;
    if (this.#isRunning()) sink.state({ status: 'synced', lastOkAt: this.#lastOkAt });
  }

  #fail(sink: SourceSink, error: string): void {
    if (!this.#isRunning() || error === this.#fault) return;
    this.#fault = error;
    if (this.#options.onFailure === 'clear' && this.#reported !== undefined) this.#report([], sink);
    if (!this.#isRunning()) return;
    if (this.#lastOkAt === undefined) sink.state({ status: 'starting', error });
    else sink.state({ status: 'stale', lastOkAt: this.#lastOkAt, error });
  }

  #report(set: readonly Address[], sink: SourceSink): void {
    const text = set.map(formatAddress).join('\n');
    if (text === this.#reported || !this.#isRunning()) return;
    this.#reported = text;
    sink.candidates(set);
  }

  #isRunning(): boolean {
    return this.#life === 'running';
  }

  get #rereadMs(): number {
    return this.#options.rereadMs ?? 750;
  }
}

/** Every path from the root to the service directory, both included. */
function pathsDown(root: string, directory: string): readonly string[] {
  const segments = directory.split('/').filter((segment) => segment !== '' && segment !== '.');
  if (segments.includes('..')) throw new RangeError(`expected a directory below the registry, got "${directory}"`);
  if (`${root}${directory}`.includes('\0')) throw new RangeError('expected a path without a NUL character');
  const chain = [root];
  for (const segment of segments) chain.push(join(chain.at(-1) ?? root, segment));
  return chain;
}
