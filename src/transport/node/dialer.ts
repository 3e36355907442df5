import { isIP, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { formatAddress, type Address } from '../../core/address.ts';
import { contained, containing } from '../../core/contained.ts';
import type { FailureCode } from '../../core/dial-failure.ts';
import { errnoOf } from '../../core/errors.ts';
import { plainIp } from '../../core/ip-bytes.ts';
import { TimeLimit } from '../../core/time-limit.ts';
import type { Dial, DialOwner, DialSettings, DialStage, TlsDialSettings } from '../engine.ts';
import type { QueuedHandshake } from '../handshakes.ts';
import { ConnectedCandidate } from './connected-candidate.ts';
import { keepAliveDelayMs, Leg, type LegOwner } from './leg.ts';
import { candidateSocket } from './socket-reader.ts';
import { tlsConnect } from './tls-dial.ts';
import { tellAlert } from './tls-alert.ts';
import { TlsLeg } from './tls-leg.ts';
import { judgePeer } from './tls-peer.ts';

/**
 * One attempt at one candidate. A name's addresses are tried one after the other within the one time-out, each with
 * its share of what is left, so that a black hole before a good address does not cost the connection.
 */
export class SocketDial implements Dial, LegOwner, QueuedHandshake {
  readonly #address: Address;
  readonly #settings: DialSettings;
  readonly #owner: DialOwner;
  #deadline = 0;
  #limit: TimeLimit<SocketDial> | undefined;
  #leg: Leg | undefined;
  #left: readonly string[] = [];
  #port = 0;
  #lastErrno: FailureCode = 'TIMEOUT';
  /** The fault when the time runs out: the look-up's, when the look-up took most of the time. */
  #lateErrno: 'TIMEOUT' | 'DNS_TIMEOUT' = 'TIMEOUT';
  #refusal: string | undefined;
  #stage: DialStage = 'connect';
  #over = false;

  constructor(address: Address, settings: DialSettings, owner: DialOwner) {
    this.#address = address;
    this.#settings = settings;
    this.#owner = owner;
  }

  start(): void {
    const address = this.#address;
    const { connectTimeoutMs } = this.#settings;
    this.#deadline = performance.now() + connectTimeoutMs;
    if (address.kind === 'unix') {
      this.#limit = new TimeLimit<SocketDial>(connectTimeoutMs, onShareOver, this);
      this.#open(false).connect(address.path);
    } else if (isIP(address.host) !== 0) {
      this.#dialPermitted([address.host], address.port);
    } else {
      this.#lookUp(address.host, address.port);
    }
  }

  /** Ends the attempt without a word; its socket is closed. */
  abort(): void {
    this.#end();
    this.#leg?.destroy();
  }

  /** The share of time of the address that is being tried, or of the look-up, has run out. */
  shareOver(): void {
    if (this.#over) return;
    this.#lastErrno = this.#lateErrno;
    if (this.#leg === undefined) this.#fail();
    else this.#leg.destroy();
  }

  faulted(error: unknown): void {
    this.#owner.faulted(error);
  }

  legConnected(leg: Leg): void {
    if (this.#over) {
      leg.destroy();
      return;
    }
    leg.socket.setNoDelay(true);
    const { keepAliveMs, tls } = this.#settings;
    // What TLS is put on is not reached by `Leg.keepAlive` any more.
    if (tls !== undefined && keepAliveMs > 0) leg.socket.setKeepAlive(true, keepAliveDelayMs(keepAliveMs));
    const { preface } = this.#owner;
    if (preface !== undefined) leg.socket.write(preface);
    if (tls !== undefined) {
      this.#stage = 'handshake';
      this.#lastErrno = 'EOF';
      tls.handshakes.come(this);
      return;
    }
    this.#end();
    this.#owner.dialed(new ConnectedCandidate(leg));
  }

  legEnded(): void {
    // Not read yet: an end cannot be seen before the relay has its owner's place.
  }

  legFailed(_leg: Leg, error: NodeJS.ErrnoException): void {
    this.#lastErrno = errnoOf(error);
  }

  legClosed(leg: Leg): void {
    if (!this.#over && leg === this.#leg) this.#goOn();
  }

  /** The connection that was tried is no more use. */
  #goOn(): void {
    this.#settings.tls?.handshakes.leave(this);
    // A session that may be the fault must not spoil every attempt to come.
    if (this.#stage === 'handshake') this.#settings.tls?.sessions.drop(formatAddress(this.#address));
    this.#next();
  }

  begin(): void {
    const [plain, settings] = [this.#leg, this.#settings.tls];
    if (this.#over || plain === undefined || plain.closed || settings === undefined) return;
    const material = settings.material();
    if (material === undefined) {
      this.#lastErrno = 'NO_MATERIAL';
      plain.destroy();
      return;
    }
    const address = this.#address;
    const key = formatAddress(address);
    const socket = tlsConnect({ raw: plain.socket, address, key, material, settings });
    const canReset = address.kind === 'tcp';
    const leg = new TlsLeg({ socket, plain, canReset, strictClose: settings.strictClose, owner: this });
    this.#leg = leg;
    // The next address need not wait until this candidate has read why.
    const onFault = (error: Error) => {
      this.#lastErrno = errnoOf(error);
      if (!this.#over && leg === this.#leg) containing(this, () => this.#goOn());
    };
    const shaken = tellAlert({ socket, raw: plain.socket, onFault });
    socket.once('secureConnect', () => {
      shaken();
      containing(this, () => this.#secured(leg, socket, settings));
    });
  }

  #secured(leg: TlsLeg, socket: TLSSocket, settings: TlsDialSettings): void {
    if (this.#over) return;
    const verdict = judgePeer(socket, settings.peers);
    if (!verdict.ok) {
      this.#lastErrno = verdict.code;
      leg.reset();
      return;
    }
    this.#end();
    leg.end.mark();
    this.#owner.dialed(new ConnectedCandidate(leg, verdict.peer));
  }

  #lookUp(host: string, port: number): void {
    const { resolver, family, connectTimeoutMs } = this.#settings;
    this.#limit = new TimeLimit<SocketDial>(connectTimeoutMs, onShareOver, this);
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
      this.#dialAll(allowed, port);
      return;
    }
    this.#lastErrno = 'NOT_ALLOWED';
    this.#refusal = refusals[0];
    // Not at once: who searches may have thousands of such candidates, and would go from one to the next in one call.
    process.nextTick(() => this.#fail());
  }

  #dialAll(ips: readonly string[], port: number): void {
    if (this.#over) return;
    this.#left = ips;
    this.#port = port;
    this.#next();
  }

  #next(): void {
    this.#limit?.clear();
    const [ip, ...rest] = this.#left;
    // A pause takes nothing of what comes behind it either.
    this.#deadline += this.#limit?.extendedMs ?? 0;
    this.#limit = undefined;
    const timeLeft = this.#deadline - performance.now();
    if (ip === undefined || timeLeft <= 0) {
      this.#fail();
      return;
    }
    this.#limit = new TimeLimit<SocketDial>(timeLeft / this.#left.length, onShareOver, this);
    this.#left = rest;
    const [socket, port] = [this.#open(true), this.#port];
    socket.connect({ host: ip, port });
    if (this.#owner.dialsHome !== undefined && this.#settings.own?.has(ip, port) === true) this.#dialsHome(socket, ip);
  }

  /** Node connects in the next tick; the socket has its address from then on, and nobody has accepted it yet. */
  #dialsHome(socket: Socket, ip: string): void {
    const destination = { ip: plainIp(ip), port: this.#port };
    process.nextTick(() => {
      const { localAddress, localPort } = socket;
      if (this.#over || localAddress === undefined || localPort === undefined) return;
      this.#owner.dialsHome?.({ source: { ip: plainIp(localAddress), port: localPort }, destination });
    });
  }

  #open(tcp: boolean): Socket {
    this.#stage = 'connect';
    // TLS reads the socket below it in its own way.
    const socket = candidateSocket(this.#settings.tls === undefined);
    const leg = new Leg(socket, this, tcp);
    leg.connection = this;
    this.#leg = leg;
    socket.once('connect', () => containing(this, () => this.legConnected(leg)));
    return socket;
  }

  #fail(): void {
    if (this.#over) return;
    this.#end();
    this.#owner.dialFailed(this.#lastErrno, this.#stage, this.#refusal);
  }

  #end(): void {
    this.#over = true;
    this.#limit?.clear();
    this.#settings.tls?.handshakes.leave(this);
  }
}

const onShareOver = contained((dial: SocketDial) => dial.shareOver());
