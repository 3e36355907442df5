import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { formatAddress } from '../../core/address.ts';
import { containing } from '../../core/contained.ts';
import { errnoOf } from '../../core/errors.ts';
import { plainIp } from '../../core/ip-bytes.ts';
import type { ProxyEndpoint } from '../../core/proxy-header.ts';
import { DialInTurns } from '../dial-in-turns.ts';
import type { TlsDialSettings } from '../engine.ts';
import { ConnectedCandidate } from './connected-candidate.ts';
import { keepAliveDelayMs, Leg, type LegOwner } from './leg.ts';
import { candidateSocket } from './socket-reader.ts';
import { tlsConnect } from './tls-dial.ts';
import { tellAlert } from './tls-alert.ts';
import { TlsLeg } from './tls-leg.ts';
import { judgePeer } from './tls-peer.ts';

/** Each address is tried with a socket of its own, whose time is limited here. */
export class SocketDial extends DialInTurns implements LegOwner {
  #leg: Leg | undefined;

  abort(): void {
    this.end();
    this.#leg?.destroy();
  }

  legConnected(leg: Leg): void {
    if (this.isOver) {
      leg.destroy();
      return;
    }
    leg.socket.setNoDelay(true);
    const { keepAliveMs, tls } = this.settings;
    // What TLS is put on is not reached by `Leg.keepAlive` any more.
    if (tls !== undefined && keepAliveMs > 0) leg.socket.setKeepAlive(true, keepAliveDelayMs(keepAliveMs));
    const { preface } = this.owner;
    if (preface !== undefined) leg.socket.write(preface);
    if (tls !== undefined) {
      this.stage = 'handshake';
      this.lastErrno = 'EOF';
      tls.handshakes.come(this);
      return;
    }
    this.end();
    this.owner.dialed(new ConnectedCandidate(leg));
  }

  legEnded(): void {
    // Not read yet: an end cannot be seen before the relay has its owner's place.
  }

  legFailed(_leg: Leg, error: NodeJS.ErrnoException): void {
    this.lastErrno = errnoOf(error);
  }

  legClosed(leg: Leg): void {
    if (!this.isOver && leg === this.#leg) this.#goOn();
  }

  /** The connection that was tried is no more use. */
  #goOn(): void {
    // A session that may be the fault must not spoil every attempt to come.
    if (this.stage === 'handshake') this.settings.tls?.sessions.drop(formatAddress(this.address));
    this.next();
  }

  begin(): void {
    const [plain, settings] = [this.#leg, this.settings.tls];
    if (this.isOver || plain === undefined || plain.closed || settings === undefined) return;
    const material = settings.material();
    if (material === undefined) {
      this.lastErrno = 'NO_MATERIAL';
      plain.destroy();
      return;
    }
    const address = this.address;
    const key = formatAddress(address);
    const socket = tlsConnect({ raw: plain.socket, address, key, material, settings });
    const canReset = address.kind === 'tcp';
    const leg = new TlsLeg({ socket, plain, canReset, strictClose: settings.strictClose, owner: this });
    this.#leg = leg;
    // The next address need not wait until this candidate has read why.
    const onFault = (error: Error) => {
      this.lastErrno = errnoOf(error);
      if (!this.isOver && leg === this.#leg) containing(this, () => this.#goOn());
    };
    const shaken = tellAlert({ socket, raw: plain.socket, onFault });
    socket.once('secureConnect', () => {
      shaken();
      containing(this, () => this.#secured(leg, socket, settings));
    });
  }

  #secured(leg: TlsLeg, socket: TLSSocket, settings: TlsDialSettings): void {
    if (this.isOver) return;
    const verdict = judgePeer(socket, settings.peers);
    if (!verdict.ok) {
      this.lastErrno = verdict.code;
      leg.reset();
      return;
    }
    this.end();
    leg.end.mark();
    this.owner.dialed(new ConnectedCandidate(leg, verdict.peer));
  }

  protected tryIp(ip: string, port: number, timeoutMs: number): void {
    this.limit(timeoutMs);
    const socket = this.#open(true);
    socket.connect({ host: ip, port });
    if (this.owner.dialsHome !== undefined && this.settings.own?.has(ip, port) === true)
      this.#dialsHome(socket, { ip: plainIp(ip), port });
  }

  protected tryPath(path: string, timeoutMs: number): void {
    this.limit(timeoutMs);
    this.#open(false).connect(path);
  }

  /** Its end is heard of as any other. */
  protected giveUp(): void {
    this.#leg?.destroy();
  }

  /** Node connects in the next tick; the socket has its address from then on, and nobody has accepted it yet. */
  #dialsHome(socket: Socket, destination: ProxyEndpoint): void {
    process.nextTick(() => {
      const { localAddress, localPort } = socket;
      if (this.isOver || localAddress === undefined || localPort === undefined) return;
      this.owner.dialsHome?.({ source: { ip: plainIp(localAddress), port: localPort }, destination });
    });
  }

  #open(tcp: boolean): Socket {
    this.stage = 'connect';
    // TLS reads the socket below it in its own way.
    const socket = candidateSocket(this.settings.tls === undefined);
    const leg = new Leg(socket, this, tcp);
    leg.connection = this;
    this.#leg = leg;
    socket.once('connect', () => containing(this, () => this.legConnected(leg)));
    return socket;
  }
}
