import { join } from 'node:path';
import { NOTHING_SAID } from '../../core/endpoint.ts';
import type { DialPolicy } from '../../core/dial-policy.ts';
import { messageOf } from '../../core/errors.ts';
import { Cadence } from './cadence.ts';
import { readListing, type Listing, type ReadListing } from './listing.ts';
import { folderSurvey } from './survey.ts';
import { MemberValues, type SaidByFiles } from './values.ts';
import { DirectoryWatch } from './watch.ts';
import { MemberReader, tooMany } from '../members.ts';
import { nearestMembers } from '../nearest-members.ts';
import { SetReporter } from '../set-reporter.ts';
import type { CandidateSource, EmptySurvey, SourceSink } from '../source.ts';

/** One service directory of a registry that is a tree of folders and (usually empty) files. */
export interface DirectorySourceOptions {
  /** Absolute path of the registry. While it is missing or unreadable the backend counts as down. */
  readonly root: string;
  /** Service directory below the root, e.g. `/srv/redis/debug`. Without it the service has no members. */
  readonly directory: string;
  readonly policy: DialPolicy;
  /** What a registry that is down does to the set. */
  readonly onFailure: 'keep' | 'clear';
  /** A directory with more members is not believed; default 0: no limit. */
  readonly maxMembers?: number;
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

/** A listing, with what the files say; missing: nobody has asked. */
type DirectoryLook = Listing & Partial<SaidByFiles>;

class DirectorySource implements CandidateSource {
  readonly #options: DirectorySourceOptions;
  readonly #path: string;
  readonly #cadence = new Cadence(CADENCE);
  readonly #watch: DirectoryWatch;
  #life: 'new' | 'running' | 'stopped' = 'new';
  readonly #values = new MemberValues();
  /** What the last listing that was believed said. */
  #names: readonly string[] | undefined;
  #silent: ReadonlySet<string> = new Set();
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
    const { onFailure, policy } = this.#options;
    const reporter = new SetReporter(sink, { onFailure, isRunning: () => this.#isRunning() });
    const reader = new MemberReader(
      policy,
      (key, reason) => reporter.ignored(key, reason),
      (key, reason) => reporter.detailIgnored(key, reason),
    );
    void this.#follow(reporter, reader);
  }

  async survey(): Promise<EmptySurvey> {
    const { root, directory } = this.#options;
    return { directory, nearest: await nearestMembers(directory, folderSurvey(root)) };
  }

  stop(): Promise<void> {
    this.#life = 'stopped';
    clearTimeout(this.#overdue);
    this.#watch.close();
    this.#cadence.end();
    return Promise.resolve();
  }

  /** One look after the other for as long as the source lives, so that no two overlap. */
  async #follow(reporter: SetReporter, reader: MemberReader): Promise<void> {
    while (this.#isRunning()) {
      const listing = await this.#look((error) => reporter.failed(error, true));
      if (this.#isRunning()) await this.#cadence.wait(this.#judge(listing, reporter, reader));
    }
  }

  /** @param late called when the answer is overdue; the look goes on, since a second one would hang beside it */
  async #look(late: (error: string) => void): Promise<DirectoryLook> {
    const { root, read = readListing, deadlineMs = 5_000 } = this.#options;
    this.#overdue = setTimeout(() => late(`no answer from the directory within ${deadlineMs} ms`), deadlineMs);
    try {
      await this.#watch.refresh();
      const listing = await read(root, this.#path);
      if (listing.kind === 'failed' || this.#excessOf(listing.names) !== undefined) return listing;
      const found = await this.#values.read(this.#path, listing.names);
      return { ...listing, ...found, names: listing.names.filter((name) => !found.silent.has(name)) };
    } catch (error) {
      return { kind: 'failed', error: messageOf(error) };
    } finally {
      clearTimeout(this.#overdue);
    }
  }

  /** @returns how long until the next look, ms */
  #judge(listing: DirectoryLook, reporter: SetReporter, reader: MemberReader): number {
    if (this.#isDoubtful(listing, reporter.fault)) {
      const now = performance.now();
      this.#doubtSince ??= now;
      const left = this.#doubtSince + SECOND_LOOK_MS - now;
      if (left > 0) return Math.ceil(left);
    }
    this.#doubtSince = undefined;
    if (listing.kind === 'failed') reporter.failed(listing.error, true);
    else {
      const { names, said, silent } = listing;
      this.#tellSilent(silent ?? new Map(), reporter);
      const excess = this.#excessOf(names);
      if (excess === undefined) {
        this.#names = names;
        reporter.synced(reader.read(names.map((name) => [name, said?.get(name) ?? NOTHING_SAID])));
      } else {
        reporter.failed(excess, false);
      }
    }
    return this.#rereadMs;
  }

  /** Once for each file, until it gives a sign of life. */
  #tellSilent(silent: ReadonlyMap<string, number>, reporter: SetReporter): void {
    for (const [name, ttlMs] of silent) {
      if (!this.#silent.has(name))
        reporter.ignored(name, `its registrar has given no sign of life for ${ttlMs / 1_000} s`);
    }
    this.#silent = new Set(silent.keys());
  }

  #excessOf(names: readonly string[]): string | undefined {
    return tooMany(names.length, this.#options.maxMembers ?? 0);
  }

  /** Whether it says less than what is held, in a way that the middle of a swap looks too. */
  #isDoubtful(listing: Listing, fault: string | undefined): boolean {
    switch (listing.kind) {
      case 'read':
        return false;
      case 'failed':
        return listing.error !== fault;
      case 'gaps': {
        const seen = new Set(listing.names);
        return this.#names === undefined || this.#names.some((name) => !seen.has(name));
      }
    }
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
