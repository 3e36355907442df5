import { getServers } from 'node:dns';
import { parseAddress } from '../../core/address.ts';
import type { ResolvConf } from '../../names/resolv-conf.ts';
import { SystemFiles, systemPaths, type SystemPaths } from '../../names/system-files.ts';
import { MemberReader, tooMany } from '../members.ts';
import type { RegistrySourceOptions } from '../registry.ts';
import { SetReporter } from '../set-reporter.ts';
import type { CandidateSource, EmptySurvey, SourceSink } from '../source.ts';
import type { ServerAddress } from './exchange.ts';
import { look, type DnsLook } from './look.ts';
import { MemberSet } from './member-set.ts';
import { DnsServers } from './servers.ts';

export interface DnsSourceOptions extends Omit<RegistrySourceOptions, 'lookup' | 'role'> {
  /** `host:port` of each, in the order they are asked; none: those of the system. */
  readonly servers: readonly string[];
  /** Least time between two looks, whatever the records say, ms. */
  readonly minIntervalMs: number;
  /** Longest time between two looks, ms. */
  readonly maxIntervalMs: number;
  /** Default: those of the system. */
  readonly paths?: Partial<SystemPaths>;
  /** How far apart two looks have to be for an absence to be believed, ms. Default 2 s. */
  readonly doubtMs?: number;
}

const DOUBT_MS = 2_000;
/** A look that failed is repeated after one, two, four of these, at most. */
const RETRY_MS = 1_000;
const MOST_RETRY_MS = 5_000;
const PORT = 53;

/** The addresses of a name, or the servers that SRV records name, as candidates: looked up anew when the records expire. */
export function dnsSource(options: DnsSourceOptions): CandidateSource {
  return new DnsSource(options);
}

class DnsSource implements CandidateSource {
  readonly #options: DnsSourceOptions;
  readonly #files: SystemFiles;
  readonly #stop = new AbortController();
  readonly #servers: DnsServers;
  readonly #doubtMs: number;
  #done: Promise<void> | undefined;
  #wake: (() => void) | undefined;
  #held = new MemberSet();
  #failures = 0;
  /** Servers of SRV records that were told, and why. */
  #ignored = new Map<string, string>();

  constructor(options: DnsSourceOptions) {
    this.#options = options;
    this.#doubtMs = options.doubtMs ?? DOUBT_MS;
    this.#files = new SystemFiles({ ...systemPaths, ...options.paths }, () => performance.now());
    this.#servers = new DnsServers({ signal: this.#stop.signal, doubtMs: this.#doubtMs });
  }

  start(sink: SourceSink): void {
    if (this.#done !== undefined || this.#isStopped()) return;
    const { onFailure, policy } = this.#options;
    const reporter = new SetReporter(sink, { onFailure, isRunning: () => !this.#isStopped() });
    const reader = new MemberReader(policy, (key, reason) => reporter.ignored(key, reason));
    this.#done = this.#follow(reporter, reader);
  }

  survey(): Promise<EmptySurvey> {
    return Promise.resolve({ directory: this.#options.directory, nearest: undefined });
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#wake?.();
    await this.#done;
  }

  async #follow(reporter: SetReporter, reader: MemberReader): Promise<void> {
    while (!this.#isStopped()) {
      const seen = await this.#look();
      if (this.#isStopped()) return;
      await this.#pause(this.#judge(seen, reporter, reader));
    }
  }

  async #look(): Promise<DnsLook> {
    const { directory: service, net, servers, maxMembers } = this.#options;
    const { conf } = await this.#files.view();
    const addresses = (servers.length > 0 ? servers : systemServers(conf)).flatMap(serverAt);
    const seen = await look({
      ...{ service, net, conf, addresses, maxMembers },
      servers: this.#servers,
      held: this.#held,
    });
    this.#servers.forget();
    return seen;
  }

  /** @returns how long until the next look, ms */
  #judge(seen: DnsLook, reporter: SetReporter, reader: MemberReader): number {
    const { minIntervalMs, maxIntervalMs, maxMembers } = this.#options;
    if (seen.kind === 'doubtful') return this.#doubtMs;
    if (seen.kind === 'failed') {
      if (this.#options.onFailure === 'clear') this.#held = new MemberSet();
      reporter.failed(seen.fault, true);
      const wait = Math.min(MOST_RETRY_MS, RETRY_MS * 2 ** this.#failures);
      this.#failures += 1;
      return Math.min(wait, maxIntervalMs);
    }
    this.#failures = 0;
    const wait = Math.min(maxIntervalMs, Math.max(minIntervalMs, seen.ttlMs));
    const excess = tooMany(seen.set.size, maxMembers);
    if (excess !== undefined) {
      reporter.failed(excess, false);
      return wait;
    }
    this.#held = seen.set;
    this.#tellIgnored(seen.set.ignored, reporter);
    reporter.synced(reader.read(seen.set.members()));
    return wait;
  }

  #tellIgnored(ignored: MemberSet['ignored'], reporter: SetReporter): void {
    const now = new Map(ignored);
    for (const [key, reason] of now) {
      if (this.#ignored.get(key) !== reason) reporter.ignored(key, reason);
    }
    this.#ignored = now;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#isStopped()) {
        resolve();
        return;
      }
      // A timer may be early by a part of a millisecond, and nothing is to be asked before its time.
      const timer = setTimeout(() => this.#wake?.(), ms + 1);
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
    });
  }

  #isStopped(): boolean {
    return this.#stop.signal.aborted;
  }
}

/** Systems without a resolv.conf have another way to tell, which Node knows. */
function systemServers(conf: ResolvConf): readonly string[] {
  return [...new Set(conf.servers.length > 0 ? conf.servers : getServers())];
}

function serverAt(text: string): readonly ServerAddress[] {
  const withPort = [text, text.includes(':') ? `[${text}]:${PORT}` : `${text}:${PORT}`];
  for (const one of withPort) {
    const parsed = parseAddress(one, 'discovered');
    if (parsed.ok && parsed.address.kind === 'tcp') return [parsed.address];
  }
  return [];
}
