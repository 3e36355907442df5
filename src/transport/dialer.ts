import { isIP, type Socket } from 'node:net';
import { formatAddress, type Address } from '../core/address.ts';
import type { DialPolicy } from '../core/dial-policy.ts';
import { errnoOf } from '../core/errors.ts';
import { keepAliveDelayMs, Leg, type LegOwner } from './leg.ts';
import { candidateSocket } from './socket-reader.ts';
import type { Family, Resolver } from './resolver.ts';
import { tlsConnect, type TlsDialSettings } from './tls-dial.ts';
import { TlsLeg } from './tls-leg.ts';
import { judgePeer, type TlsPeer } from './tls-peer.ts';

/** How candidates of a service are dialed. One object per service. */
export interface DialSettings {
  /** One attempt at one candidate: look-up, TCP connect and TLS handshake, over all of its addresses. */
  readonly connectTimeoutMs: number;
  /** TCP keep-alive of the connection, 0 for none. */
  readonly keepAliveMs: number;
  readonly family: Family;
  readonly policy: DialPolicy;
  readonly resolver: Resolver;
  /** Default: candidates are spoken to plainly. */
  readonly tls?: TlsDialSettings | undefined;
}

/** A connected candidate that is not being read yet. */
export interface Dialed {
  readonly leg: Leg;
  readonly tls?: TlsPeer | undefined;
}

export type DialStage = 'connect' | 'handshake';

/** Hears how a dial ended; exactly one of the two, once, and none after `abort`. */
export interface DialOwner {
  /** What the candidate is sent ahead of everything, TLS included, on each connection that is made; undefined: nothing. */
  readonly preface: Buffer | undefined;
  dialed(candidate: Dialed): void;
  /**
   * @param errno `ECONNREFUSED` and the like, `TIMEOUT`, `NOT_ALLOWED` (no address inside `DISCOVERY_ALLOW`, or a peer
   * outside `TLS_ALLOW`), or a code of TLS
   * @param stage what was being done; default: `connect`
   */
  dialFailed(errno: string, stage?: DialStage): void;
}

/**
 * One attempt at one candidate. A name's addresses are tried one after the other within the one time-out, each with
 * its share of what is left, so that a black hole before a good address does not cost the connection.
 */
export class Dial implements LegOwner {
  readonly #address: Address;
  readonly #settings: DialSettings;
  readonly #owner: DialOwner;
  #deadline = 0;
  #timer: NodeJS.Timeout | undefined;
  #leg: Leg | undefined;
  #left: readonly string[] = [];
  #port = 0;
  #lastErrno = 'TIMEOUT';
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
      this.#timer = setTimeout(onShareOver, connectTimeoutMs, this);
      this.#open(false).connect(address.path);
    } else if (isIP(address.host) !== 0) {
      this.#dialAll([address.host], address.port);
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
    this.#lastErrno = 'TIMEOUT';
    if (this.#leg === undefined) this.#fail();
    else this.#leg.destroy();
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
      this.#shakeHands(leg, tls);
      return;
    }
    this.#end();
    this.#owner.dialed({ leg });
  }

  legEnded(): void {
    // Not read yet: an end cannot be seen before the relay has its owner's place.
  }

  legFailed(_leg: Leg, error: NodeJS.ErrnoException): void {
    this.#lastErrno = errnoOf(error);
  }

  legClosed(leg: Leg): void {
    if (this.#over || leg !== this.#leg) return;
    // A session that may be the fault must not spoil every attempt to come.
    if (this.#stage === 'handshake') this.#settings.tls?.sessions.drop(formatAddress(this.#address));
    this.#next();
  }

  #shakeHands(plain: Leg, settings: TlsDialSettings): void {
    this.#stage = 'handshake';
    const material = settings.material();
    if (material === undefined) {
      this.#lastErrno = 'NO_MATERIAL';
      plain.destroy();
      return;
    }
    const address = this.#address;
    const key = formatAddress(address);
    const socket = tlsConnect({ raw: plain.socket, address, key, material, settings });
    const leg = new TlsLeg({ socket, plain, canReset: address.kind === 'tcp', owner: this });
    this.#leg = leg;
    this.#lastErrno = 'EOF';
    socket.once('secureConnect', () => {
      if (this.#over) return;
      const verdict = judgePeer(socket, settings.peers);
      if (!verdict.ok) {
        this.#lastErrno = verdict.code;
        leg.reset();
        return;
      }
      this.#end();
      leg.end.mark();
      this.#owner.dialed({ leg, tls: verdict.peer });
    });
  }

  #lookUp(host: string, port: number): void {
    const { resolver, family, policy, connectTimeoutMs } = this.#settings;
    this.#timer = setTimeout(onShareOver, connectTimeoutMs, this);
    resolver.resolve(host, family).then(
      (ips) => {
        const allowed = ips.filter((ip) => policy.permits(ip));
        if (allowed.length === 0) this.#lastErrno = 'NOT_ALLOWED';
        this.#dialAll(allowed, port);
      },
      (error: unknown) => {
        this.#lastErrno = errnoOf(error);
        this.#fail();
      },
    );
  }

  #dialAll(ips: readonly string[], port: number): void {
    if (this.#over) return;
    this.#left = ips;
    this.#port = port;
    this.#next();
  }

  #next(): void {
    clearTimeout(this.#timer);
    const [ip, ...rest] = this.#left;
    const timeLeft = this.#deadline - performance.now();
    if (ip === undefined || timeLeft <= 0) {
      this.#fail();
      return;
    }
    this.#timer = setTimeout(onShareOver, timeLeft / this.#left.length, this);
    this.#left = rest;
    this.#open(true).connect({ host: ip, port: this.#port });
  }

  #open(tcp: boolean): Socket {
    this.#stage = 'connect';
    // TLS reads the socket below it in its own way.
    const socket = candidateSocket(this.#settings.tls === undefined);
    const leg = new Leg(socket, this, tcp);
    this.#leg = leg;
    socket.once('connect', () => this.legConnected(leg));
    return socket;
  }

  #fail(): void {
    if (this.#over) return;
    this.#end();
    this.#owner.dialFailed(this.#lastErrno, this.#stage);
  }

  #end(): void {
    this.#over = true;
    clearTimeout(this.#timer);
  }
}

function onShareOver(dial: Dial): void {
  dial.shareOver();
}
