import { isIP } from 'node:net';
import { formatAddress, type Address } from '../../core/address.ts';
import { contained, containing } from '../../core/contained.ts';
import type { FailureCode } from '../../core/dial-failure.ts';
import { errnoOf } from '../../core/errors.ts';
import { plainIp } from '../../core/ip-bytes.ts';
import type { ProxyEndpoint } from '../../core/proxy-header.ts';
import { TimeLimit } from '../../core/time-limit.ts';
import type { Dial, DialOwner, DialSettings, DialStage, TlsDialSettings } from '../engine.ts';
import type { QueuedHandshake } from '../handshakes.ts';
import { NativeCandidate, type CandidateOwner } from './candidate.ts';
import { dialErrno } from './errno.ts';
import { judgeReportedPeer } from './peer-judge.ts';
import { systemAddress } from './system-address.ts';
import type { NativeThread } from './thread.ts';
import { contextOf } from './tls-contexts.ts';
import type { HandshakeReport } from './handshake-report.ts';

export interface NativeDialOptions {
  readonly thread: NativeThread;
  readonly address: Address;
  readonly settings: DialSettings;
  readonly owner: DialOwner;
}

/**
 * One attempt at one candidate. A name's addresses are tried one after the other within the one time-out, each with its share
 * of what is left, so that a black hole before a good address does not cost the connection. The thread knows one address at a
 * time, and how long it may take.
 */
export class NativeDial implements Dial, CandidateOwner, QueuedHandshake {
  readonly #thread: NativeThread;
  readonly #address: Address;
  readonly #settings: DialSettings;
  readonly #owner: DialOwner;
  #deadline = 0;
  /** Of a look-up, or of an address that TLS is spoken with: the thread has the limits of connecting. */
  #limit: TimeLimit<NativeDial> | undefined;
  #candidate: NativeCandidate | undefined;
  #stage: DialStage = 'connect';
  #left: readonly string[] = [];
  #port = 0;
  /** What is tried. */
  #ip = '';
  #lastErrno: FailureCode = 'TIMEOUT';
  /** The fault when the time runs out: the look-up's, when the look-up took most of the time. */
  #lateErrno: 'TIMEOUT' | 'DNS_TIMEOUT' = 'TIMEOUT';
  #refusal: string | undefined;
  #isOver = false;

  constructor({ thread, address, settings, owner }: NativeDialOptions) {
    this.#thread = thread;
    this.#address = address;
    this.#settings = settings;
    this.#owner = owner;
  }

  start(): void {
    const address = this.#address;
    const { connectTimeoutMs } = this.#settings;
    this.#deadline = performance.now() + connectTimeoutMs;
    if (address.kind === 'unix') this.#dial(systemAddress(this.#thread.addon, address.path, -1), connectTimeoutMs);
    else if (isIP(address.host) !== 0) this.#dialPermitted([address.host], address.port);
    else this.#lookUp(address.host, address.port);
  }

  abort(): void {
    this.#end();
    this.#candidate?.destroy();
  }

  faulted(error: unknown): void {
    this.#owner.faulted(error);
  }

  reached(candidate: NativeCandidate): void {
    const { tls } = this.#settings;
    if (tls === undefined) {
      this.#succeed(candidate);
      return;
    }
    this.#stage = 'handshake';
    tls.handshakes.come(this);
  }

  comesFrom(source: ProxyEndpoint): void {
    const destination = { ip: plainIp(this.#ip), port: this.#port };
    if (!this.#isOver) this.#owner.dialsHome?.({ source, destination });
  }

  failed(errno: number): void {
    this.#lastErrno = dialErrno(errno, this.#lateErrno);
    if (!this.#isOver) this.#next();
  }

  begin(): void {
    const candidate = this.#candidate;
    const { tls } = this.#settings;
    if (this.#isOver || candidate === undefined || tls === undefined) return;
    const material = tls.material();
    if (material === undefined) {
      this.#lastErrno = 'NO_MATERIAL';
      candidate.destroy();
      this.#next();
      return;
    }
    const thread = this.#thread;
    const name = this.#nameOf(tls);
    thread.secure(candidate, {
      context: contextOf({ addon: thread.addon, material, asksClients: false }),
      isStrict: tls.strictClose === true,
      peer: { name, target: `${formatAddress(this.#address)} ${name}` },
    });
  }

  secured(report: HandshakeReport): void {
    const candidate = this.#candidate;
    const { tls } = this.#settings;
    if (this.#isOver || candidate === undefined || tls === undefined) return;
    const verdict = judgeReportedPeer(report, tls.peers);
    if (verdict.ok) {
      candidate.tls = verdict.peer;
      this.#succeed(candidate);
    } else {
      this.#lastErrno = verdict.code;
      candidate.reset();
      this.#next();
    }
  }

  refused(report: HandshakeReport): void {
    this.#lastErrno = report.code;
    // Where it is to read an alert it goes behind that; the next address need not wait for it.
    this.#candidate?.destroy();
    if (!this.#isOver) this.#next();
  }

  /** The look-up has taken all there was, or an address its share. */
  tooLate(): void {
    this.#lastErrno = this.#lateErrno;
    if (this.#candidate === undefined) {
      this.#fail();
    } else {
      this.#candidate.destroy();
      this.#next();
    }
  }

  /** Whether a listener of this process is dialed, and somebody asks. */
  get #isHome(): boolean {
    const { own } = this.#settings;
    return this.#owner.dialsHome !== undefined && own?.has(this.#ip, this.#port) === true;
  }

  #succeed(candidate: NativeCandidate): void {
    this.#end();
    candidate.settle();
    this.#owner.dialed(candidate);
  }

  #nameOf({ serverName }: TlsDialSettings): string {
    const address = this.#address;
    return withoutFinalDot(serverName ?? (address.kind === 'tcp' ? address.host : 'localhost'));
  }

  #lookUp(host: string, port: number): void {
    const { resolver, family, connectTimeoutMs } = this.#settings;
    this.#limit = new TimeLimit<NativeDial>(connectTimeoutMs, onTooLate, this);
    this.#lateErrno = 'DNS_TIMEOUT';
    resolver.resolve(host, family).then(
      (ips) => {
        // A candidate that was left less than half of the time is not to blame for the rest.
        if (this.#deadline - performance.now() >= connectTimeoutMs / 2) this.#lateErrno = 'TIMEOUT';
        containing(this, () => this.#dialPermitted(ips, port));
      },
      (error: unknown) => {
        this.#lastErrno = errnoOf(error);
        containing(this, () => this.#fail());
      },
    );
  }

  /** Judged now, whatever its registry's reader found: a name stands for something else, or we have begun to listen there. */
  #dialPermitted(ips: readonly string[], port: number): void {
    const refusals = ips.map((ip) => this.#settings.policy.refusal(ip, port));
    const allowed = ips.filter((_, index) => refusals[index] === undefined);
    if (allowed.length > 0) {
      this.#left = allowed;
      this.#port = port;
      if (!this.#isOver) this.#next();
      return;
    }
    this.#lastErrno = 'NOT_ALLOWED';
    this.#refusal = refusals[0];
    // Not at once: who searches may have thousands of such candidates, and would go from one to the next in one call.
    process.nextTick(() => containing(this, () => this.#fail()));
  }

  #next(): void {
    this.#limit?.clear();
    this.#settings.tls?.handshakes.leave(this);
    const [ip, ...rest] = this.#left;
    // A pause takes nothing of what comes behind it either.
    this.#deadline += this.#limit?.extendedMs ?? 0;
    this.#limit = undefined;
    const timeLeft = this.#deadline - performance.now();
    if (ip === undefined || timeLeft <= 0) {
      this.#fail();
      return;
    }
    const share = timeLeft / this.#left.length;
    this.#left = rest;
    this.#ip = ip;
    this.#dial(systemAddress(this.#thread.addon, ip, this.#port), share);
  }

  #dial(address: Buffer | undefined, timeoutMs: number): void {
    const thread = this.#thread;
    const name = thread.nameCandidate();
    if (address === undefined || name === undefined) {
      this.#lastErrno = address === undefined ? 'EADDRNOTAVAIL' : 'ENOBUFS';
      process.nextTick(() => containing(this, () => this.#fail()));
      return;
    }
    this.#stage = 'connect';
    // The thread has a limit of its own for the connection; this one is for the handshake, too, and knows of pauses.
    if (this.#settings.tls !== undefined) this.#limit = new TimeLimit<NativeDial>(timeoutMs, onTooLate, this);
    this.#candidate = new NativeCandidate({ thread, name, owner: this });
    const { preface } = this.#owner;
    thread.commands.dial({ ...name, timeoutMs, address, preface, isHome: this.#isHome });
  }

  #fail(): void {
    if (this.#isOver) return;
    this.#end();
    this.#owner.dialFailed(this.#lastErrno, this.#stage, this.#refusal);
  }

  #end(): void {
    this.#isOver = true;
    this.#limit?.clear();
    this.#settings.tls?.handshakes.leave(this);
  }
}

/** The dot that keeps a resolver from its search list is in no SNI (RFC 6066, 3), and in no certificate. */
function withoutFinalDot(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1) : name;
}

const onTooLate = contained((dial: NativeDial) => dial.tooLate());
