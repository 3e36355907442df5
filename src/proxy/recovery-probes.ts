import type { Candidate } from '../balancing/candidate.ts';
import type { Pool } from '../balancing/pool.ts';
import { writeProxyHeader } from '../core/write-proxy-header.ts';
import type { Dial, DialOwner, DialSettings, Engine } from '../transport/engine.ts';

/** When an ejected candidate is probed, ms. */
export interface RecoveryTiming {
  /** From its ejection to the first probe. Each later wait is twice as long. */
  readonly firstMs: number;
  /** The longest wait. Also the most that one probe may take, so that a host that was down does not hold it up. */
  readonly mostMs: number;
  /** Without a new connection for this long the service counts as unused, and nobody is probed. */
  readonly unusedMs: number;
}

export const recoveryTiming: RecoveryTiming = { firstMs: 250, mostMs: 1_000, unusedMs: 60_000 };

export interface RecoveryOptions {
  readonly engine: Pick<Engine, 'dial'>;
  /** How connections of the service dial. */
  readonly dialing: DialSettings;
  /** The header that candidates are sent first; default: `off`. */
  readonly proxyProtocol?: 'off' | 'v1' | 'v2' | undefined;
  /** Whether clients are held until a candidate answers: they use the service for as long as they wait. */
  readonly isWaitedFor: () => boolean;
  readonly timing?: RecoveryTiming | undefined;
  /** Something that was done for a probe has thrown; the probe is over. */
  readonly onFault?: (error: unknown) => void;
  /** Monotonic, ms; replaced in tests, as the one that follows. */
  readonly now?: () => number;
  /** Uniform in [0, 1). */
  readonly random?: () => number;
}

/** Least time between two rounds of probes, ms. */
const ROUND_MS = 50;
/** Most probes that begin in one round: with a thousand ejected candidates they still cost no more than 80 dials a second. */
const PROBES_PER_ROUND = 4;
/** Waits differ by a tenth either way: a fleet that lost a candidate together must not come back in step. */
const JITTER = 0.1;

interface Ejected {
  readonly candidate: Candidate;
  readonly pool: Pool;
  waitMs: number;
  /** Of the monotonic clock. */
  dueAt: number;
  probe: Pick<Dial, 'abort'> | undefined;
}

/**
 * Finds out in the background whether the ejected candidates of one service answer again, beside its connections: none
 * waits for a probe. A probe goes as far as a dial does, TLS handshake included where the service speaks TLS: a
 * candidate that fails its handshake would otherwise be back after each probe, for clients to fail at.
 */
export class RecoveryProbes {
  readonly #options: RecoveryOptions;
  readonly #timing: RecoveryTiming;
  readonly #settings: DialSettings;
  readonly #now: () => number;
  readonly #ejected = new Map<Candidate, Ejected>();
  #usedAt = -Infinity;
  #roundAt = -Infinity;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(options: RecoveryOptions) {
    const { dialing, timing = recoveryTiming, now = () => performance.now() } = options;
    this.#options = options;
    this.#timing = timing;
    this.#settings = { ...dialing, connectTimeoutMs: Math.min(dialing.connectTimeoutMs, timing.mostMs) };
    this.#now = now;
  }

  /** A connection has failed so that `candidate` is ejected. May be called again while it is. */
  ejected(candidate: Candidate, pool: Pool): void {
    if (this.#isStopped) return;
    this.#usedAt = this.#now();
    if (!this.#ejected.has(candidate)) {
      const { firstMs } = this.#timing;
      const dueAt = this.#usedAt + this.#jittered(firstMs);
      this.#ejected.set(candidate, { candidate, pool, waitMs: firstMs, dueAt, probe: undefined });
    }
    this.#schedule();
  }

  /** Somebody has been answered by `candidate`. */
  recovered(candidate: Candidate): void {
    const ejected = this.#ejected.get(candidate);
    if (ejected === undefined) return;
    this.#ejected.delete(candidate);
    ejected.probe?.abort();
    if (this.#ejected.size === 0) this.#rest();
  }

  /** A client has come. */
  used(): void {
    if (this.#ejected.size === 0) return;
    this.#usedAt = this.#now();
    if (this.#timer === undefined) this.#schedule();
  }

  /** Candidates may have left, or been drained: those are not to be talked to any more. */
  changed(): void {
    for (const ejected of this.#ejected.values()) {
      const { candidate, pool, probe } = ejected;
      if (!pool.has(candidate)) {
        this.recovered(candidate);
      } else if (probe !== undefined && pool.probe(candidate) === undefined) {
        ejected.probe = undefined;
        probe.abort();
        this.#schedule();
      }
    }
  }

  /** Ends everything. May be called twice. */
  stop(): void {
    this.#isStopped = true;
    this.#rest();
    for (const { probe } of this.#ejected.values()) probe?.abort();
    this.#ejected.clear();
  }

  #schedule(): void {
    this.#rest();
    if (this.#isStopped) return;
    let next = Infinity;
    for (const { dueAt, probe } of this.#ejected.values()) if (probe === undefined) next = Math.min(next, dueAt);
    if (next === Infinity) return;
    const waitMs = Math.max(next, this.#roundAt + ROUND_MS) - this.#now();
    // No reason for the process to go on.
    this.#timer = setTimeout(onRound, Math.max(0, waitMs), this).unref();
  }

  #rest(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Begins the probes that are due. */
  round(): void {
    this.#timer = undefined;
    const now = this.#now();
    const isUsed = now - this.#usedAt < this.#timing.unusedMs || this.#options.isWaitedFor();
    // The next client begins it anew.
    if (!isUsed) return;
    this.#roundAt = now;
    const due = [...this.#ejected.values()].filter(({ dueAt, probe }) => probe === undefined && dueAt <= now);
    due.sort((a, b) => a.dueAt - b.dueAt);
    for (const ejected of due.slice(0, PROBES_PER_ROUND)) this.#probe(ejected, now);
    this.#schedule();
  }

  #probe(ejected: Ejected, now: number): void {
    const { candidate, pool } = ejected;
    ejected.dueAt = now + this.#jittered((ejected.waitMs = Math.min(ejected.waitMs * 2, this.#timing.mostMs)));
    const answered = pool.probe(candidate);
    // Drained: it stays ejected, and is asked when it may be used again.
    if (answered === undefined) return;
    const over = (): void => {
      ejected.probe = undefined;
      this.#schedule();
    };
    const owner: DialOwner = {
      preface: this.#preface(),
      dialed: (dialed) => {
        over();
        // By RST: it leaves nothing behind on either side, and no server takes it for a client that came in vain.
        dialed.reset();
        answered();
      },
      dialFailed: over,
      // It counts as no answer; no connection is behind it.
      faulted: (error) => {
        ejected.probe?.abort();
        over();
        this.#options.onFault?.(error);
      },
    };
    const probe = this.#options.engine.dial(candidate.address, this.#settings, owner);
    ejected.probe = probe;
    probe.start();
  }

  /** Ahead of TLS a candidate that expects a header would not shake hands without one; it is told that nobody is behind it. */
  #preface(): Buffer | undefined {
    const { dialing, proxyProtocol: version = 'off' } = this.#options;
    if (dialing.tls === undefined || version === 'off') return undefined;
    return writeProxyHeader({ version, ends: undefined, tls: undefined });
  }

  #jittered(ms: number): number {
    const { random = Math.random } = this.#options;
    return ms * (1 - JITTER + 2 * JITTER * random());
  }
}

function onRound(probes: RecoveryProbes): void {
  probes.round();
}
