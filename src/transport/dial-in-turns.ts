import { isIP } from 'node:net';
import type { Address } from '../core/address.ts';
import { contained, containing } from '../core/contained.ts';
import type { FailureCode } from '../core/dial-failure.ts';
import { errnoOf } from '../core/errors.ts';
import { LATE_MS, TimeLimit } from '../core/time-limit.ts';
import type { Dial, DialOwner, DialSettings, DialStage } from './engine.ts';
import type { QueuedHandshake } from './handshakes.ts';

/**
 * One attempt at one candidate. A name's addresses are tried one after the other within the one time-out, each with its share
 * of what is left, so that a black hole before a good address does not cost the connection. What it takes to try one is the
 * engine's.
 */
export abstract class DialInTurns implements Dial, QueuedHandshake {
  protected readonly address: Address;
  protected readonly settings: DialSettings;
  protected readonly owner: DialOwner;
  /** Of the address that is tried. */
  protected stage: DialStage = 'connect';
  protected lastErrno: FailureCode = 'TIMEOUT';
  protected isOver = false;
  #deadline = 0;
  /** When the share of the address that is tried is over. */
  #dueAt = Infinity;
  #limit: TimeLimit<DialInTurns> | undefined;
  #left: readonly string[] = [];
  #port = 0;
  #isLookedUp = true;
  /** The fault when the time runs out: the look-up's, when the look-up took most of the time. */
  #lateErrno: 'TIMEOUT' | 'DNS_TIMEOUT' = 'TIMEOUT';
  #refusal: string | undefined;

  constructor(address: Address, settings: DialSettings, owner: DialOwner) {
    this.address = address;
    this.settings = settings;
    this.owner = owner;
  }

  abstract abort(): void;
  abstract begin(): void;
  /** Tries one. It begins a limit of its own where the engine has none for it; one that cannot begin calls `failSoon`. */
  protected abstract tryIp(ip: string, port: number, timeoutMs: number): void;
  protected abstract tryPath(path: string, timeoutMs: number): void;
  /** The one that is tried has had its share of the time. */
  protected abstract giveUp(): void;

  start(): void {
    const { address } = this;
    const { connectTimeoutMs } = this.settings;
    this.#deadline = performance.now() + connectTimeoutMs;
    if (address.kind === 'unix') this.tryPath(address.path, connectTimeoutMs);
    else if (isIP(address.host) !== 0) this.#tryPermitted([address.host], address.port);
    else this.#lookUp(address.host, address.port);
  }

  faulted(error: unknown): void {
    this.owner.faulted(error);
  }

  /** The look-up has taken all there was, or an address its share. */
  tooLate(): void {
    if (this.isOver) return;
    this.lastErrno = this.#lateErrno;
    if (this.#isLookedUp) this.giveUp();
    else this.fail();
  }

  /** The fault of an address whose connection took too long. */
  protected get lateErrno(): FailureCode {
    return this.#lateErrno;
  }

  protected limit(ms: number): TimeLimit<DialInTurns> {
    this.#limit = new TimeLimit<DialInTurns>(ms, onTooLate, this);
    return this.#limit;
  }

  /** The address that was tried is no more use. */
  protected next(): void {
    this.#limit?.clear();
    this.settings.tls?.handshakes.leave(this);
    const [ip, ...rest] = this.#left;
    const now = performance.now();
    // What one took beyond its share was a pause, which takes nothing of those behind it.
    if (now - this.#dueAt >= LATE_MS) this.#deadline += now - this.#dueAt;
    const timeLeft = this.#deadline - now;
    if (ip === undefined || timeLeft <= 0) {
      this.fail();
      return;
    }
    const share = timeLeft / this.#left.length;
    this.#left = rest;
    this.#dueAt = now + share;
    this.tryIp(ip, this.#port, share);
  }

  protected fail(): void {
    if (this.isOver) return;
    this.end();
    this.owner.dialFailed(this.lastErrno, this.stage, this.#refusal);
  }

  /** Not at once: who searches may have thousands of such candidates, and would go from one to the next in one call. */
  protected failSoon(errno: FailureCode): void {
    this.lastErrno = errno;
    process.nextTick(() => containing(this, () => this.fail()));
  }

  protected end(): void {
    this.isOver = true;
    this.#limit?.clear();
    this.settings.tls?.handshakes.leave(this);
  }

  #lookUp(host: string, port: number): void {
    const { resolver, family, connectTimeoutMs } = this.settings;
    const limit = this.limit(connectTimeoutMs);
    this.#isLookedUp = false;
    this.#lateErrno = 'DNS_TIMEOUT';
    resolver.resolve(host, family).then(
      (ips) => {
        this.#isLookedUp = true;
        // A candidate that was left less than half of the time is not to blame for the rest.
        this.#deadline += limit.grantedMs();
        if (this.#deadline - performance.now() >= connectTimeoutMs / 2) this.#lateErrno = 'TIMEOUT';
        containing(this, () => this.#tryPermitted(ips, port));
      },
      (error: unknown) => {
        this.lastErrno = errnoOf(error);
        containing(this, () => this.fail());
      },
    );
  }

  /** Judged now, whatever its registry's reader found: a name stands for something else, or we have begun to listen there. */
  #tryPermitted(ips: readonly string[], port: number): void {
    const refusals = ips.map((ip) => this.settings.policy.refusal(ip, port));
    const allowed = ips.filter((_, index) => refusals[index] === undefined);
    if (allowed.length === 0) {
      this.#refusal = refusals[0];
      this.failSoon('NOT_ALLOWED');
    } else if (!this.isOver) {
      this.#left = allowed;
      this.#port = port;
      this.next();
    }
  }
}

const onTooLate = contained((dial: DialInTurns) => dial.tooLate());
