import { formatAddress, type Address } from '../../core/address.ts';
import { plainIp } from '../../core/ip-bytes.ts';
import type { ProxyEndpoint } from '../../core/proxy-header.ts';
import { DialInTurns } from '../dial-in-turns.ts';
import type { DialOwner, DialSettings, TlsDialSettings } from '../engine.ts';
import { NativeCandidate, type CandidateOwner } from './candidate.ts';
import { dialErrno } from './errno.ts';
import type { HandshakeReport } from './handshake-report.ts';
import { judgeReportedPeer } from './peer-judge.ts';
import { systemAddress } from './system-address.ts';
import type { NativeThread } from './thread.ts';
import { contextOf } from './tls-contexts.ts';

export interface NativeDialOptions {
  readonly thread: NativeThread;
  readonly address: Address;
  readonly settings: DialSettings;
  readonly owner: DialOwner;
}

/** The thread knows one address at a time, and how long it may take to connect; what comes behind that has its limit here. */
export class NativeDial extends DialInTurns implements CandidateOwner {
  readonly #thread: NativeThread;
  #candidate: NativeCandidate | undefined;
  /** What is tried; neither for a Unix socket. */
  #ip = '';
  #port = 0;

  constructor({ thread, address, settings, owner }: NativeDialOptions) {
    super(address, settings, owner);
    this.#thread = thread;
  }

  abort(): void {
    this.end();
    this.#candidate?.destroy();
  }

  reached(candidate: NativeCandidate): void {
    const { tls } = this.settings;
    if (tls === undefined) {
      this.#succeed(candidate);
      return;
    }
    this.stage = 'handshake';
    tls.handshakes.come(this);
  }

  comesFrom(source: ProxyEndpoint): void {
    const destination = { ip: plainIp(this.#ip), port: this.#port };
    if (!this.isOver) this.owner.dialsHome?.({ source, destination });
  }

  failed(errno: number): void {
    this.lastErrno = dialErrno(errno, this.lateErrno);
    if (!this.isOver) this.next();
  }

  begin(): void {
    const candidate = this.#candidate;
    const { tls } = this.settings;
    if (this.isOver || candidate === undefined || tls === undefined) return;
    const material = tls.material();
    if (material === undefined) {
      this.lastErrno = 'NO_MATERIAL';
      candidate.destroy();
      this.next();
      return;
    }
    const thread = this.#thread;
    const name = this.#nameOf(tls);
    thread.secure(candidate, {
      context: contextOf({ addon: thread.addon, material, asksClients: false }),
      isStrict: tls.strictClose === true,
      peer: { name, target: `${formatAddress(this.address)} ${name}` },
    });
  }

  secured(report: HandshakeReport): void {
    const candidate = this.#candidate;
    const { tls } = this.settings;
    if (this.isOver || candidate === undefined || tls === undefined) return;
    const verdict = judgeReportedPeer(report, tls.peers);
    if (verdict.ok) {
      candidate.tls = verdict.peer;
      this.#succeed(candidate);
    } else {
      this.lastErrno = verdict.code;
      candidate.reset();
      this.next();
    }
  }

  refused(report: HandshakeReport): void {
    this.lastErrno = report.code;
    // Where it is to read an alert it goes behind that; the next address need not wait for it.
    this.#candidate?.destroy();
    if (!this.isOver) this.next();
  }

  protected tryIp(ip: string, port: number, timeoutMs: number): void {
    this.#ip = ip;
    this.#port = port;
    this.#dial(systemAddress(this.#thread.addon, ip, port), timeoutMs);
  }

  protected tryPath(path: string, timeoutMs: number): void {
    this.#dial(systemAddress(this.#thread.addon, path, -1), timeoutMs);
  }

  protected giveUp(): void {
    this.#candidate?.destroy();
    this.next();
  }

  #dial(address: Buffer | undefined, timeoutMs: number): void {
    const thread = this.#thread;
    const name = thread.nameCandidate();
    if (address === undefined || name === undefined) {
      this.failSoon(address === undefined ? 'EADDRNOTAVAIL' : 'ENOBUFS');
      return;
    }
    this.stage = 'connect';
    // The thread has a limit of its own for the connection; this one is for the handshake, too, and knows of pauses.
    if (this.settings.tls !== undefined) this.limit(timeoutMs);
    this.#candidate = new NativeCandidate({ thread, name, owner: this });
    const { preface } = this.owner;
    thread.commands.dial({ ...name, timeoutMs, address, preface, isHome: this.#isHome });
  }

  /** Whether a listener of this process is dialed, and somebody asks. */
  get #isHome(): boolean {
    const { own } = this.settings;
    return this.owner.dialsHome !== undefined && own?.has(this.#ip, this.#port) === true;
  }

  #succeed(candidate: NativeCandidate): void {
    this.end();
    candidate.settle();
    this.owner.dialed(candidate);
  }

  #nameOf({ serverName }: TlsDialSettings): string {
    const address = this.address;
    return withoutFinalDot(serverName ?? (address.kind === 'tcp' ? address.host : 'localhost'));
  }
}

/** The dot that keeps a resolver from its search list is in no SNI (RFC 6066, 3), and in no certificate. */
function withoutFinalDot(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1) : name;
}
