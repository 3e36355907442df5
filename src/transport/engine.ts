/**
 * The contract between `proxy`, which decides, and an engine, which moves bytes. `proxy` imports nothing else of this room.
 *
 * The contract holds for an engine on Node's sockets and for one that accepts, dials and relays in a thread of its own. So
 * nothing here is a socket, and every answer is a call on the event loop of JavaScript.
 *
 * **Who owns a connection.** A client belongs to its {@link Client.owner} from {@link ListenerOwner.client} until
 * {@link ClientOwner.clientClosed}. {@link Client.handshake} lends it to the engine until exactly one of two answers comes;
 * {@link Engine.relay} gives it to the engine until {@link RelayOptions.onClosed}. A candidate belongs to the engine while
 * it is dialed, then to the owner of the dial, then to the relay.
 *
 * **Which answers come once.** A dial answers `dialed` or `dialFailed`, a handshake `accepted` or `rejected`: exactly one of
 * the two, once, and none after `abort`. A client is told closed exactly once. A relay calls `onClosed` exactly once.
 *
 * **Abort.** It ends what is under way without an answer, at once as far as the caller can see: no call comes after it has
 * returned. An engine in another thread drops the answers that were on their way.
 *
 * **Faults.** What an engine throws while it serves one connection is that connection's: it calls `faulted` of the owner, which
 * ends it, and nobody else's.
 *
 * **Bytes.** What came in on one side goes out on the other, all, in order, once. What a client sends before its relay
 * starts is kept, a bounded number of bytes. Counters say what the kernel of the other side's socket has taken; they may be read
 * at any time.
 *
 * **What stays outside.** Which candidate is next, hold, admission, drain and every time-out but those of a dial and a
 * handshake are `proxy`'s: it asks a relay when the last byte came ({@link Relay.movedAt}) and aborts it with a reason.
 */
import type { X509Certificate } from 'node:crypto';
import type { Address } from '../core/address.ts';
import type { CloseReason, EndedBy } from '../core/close-reason.ts';
import type { Contained } from '../core/contained.ts';
import type { FailureCode } from '../core/dial-failure.ts';
import type { DialPolicy } from '../core/dial-policy.ts';
import type { ProxyEnds } from '../core/proxy-header.ts';
import type { ProxyHeaderFault } from '../core/proxy-header-fault.ts';
import type { OwnListeners } from '../core/own-listeners.ts';
import type { Family, Resolver } from '../core/resolver.ts';
import type { PeerPolicy, TlsMaterial } from '../identity/material.ts';
import type { Handshakes } from './handshakes.ts';
import type { MissingAddress } from './listen-all.ts';
import type { TlsSessions } from './tls-sessions.ts';

export type { MissingAddress } from './listen-all.ts';

/** What accepts, dials and carries. One for all services of a process. */
export interface Engine {
  /** As the log, `/status` and `attache version` say it. */
  readonly name: 'typescript' | 'native';
  /** @returns a listener that is closed */
  listener(options: ListenerOptions): Listener;
  /** @returns one attempt at one candidate, over all of its addresses, that has not begun */
  dial(address: Address, settings: DialSettings, owner: DialOwner): Dial;
  /**
   * Ties a client to a candidate that has answered: what is read on one is written to the other from now on.
   *
   * @throws TypeError when one of the two comes from another engine
   */
  relay(options: RelayOptions): Relay;
}

/* Listening */

export interface ListenerOptions {
  readonly address: Address;
  /** 4 and 6 listen in that family alone, 0 in both. */
  readonly family: Family;
  readonly resolver: Resolver;
  /** Of the file, where the address is a Unix socket; default: everybody who may enter its folder may connect. */
  readonly socketMode?: number | undefined;
  /** TCP keep-alive of accepted connections, ms; 0: none. */
  readonly keepAliveMs: number;
  readonly handshake: HandshakeSettings;
  readonly owner: ListenerOwner;
}

/** What a client has to show before it is served: both parts are read by the engine. */
export interface HandshakeSettings {
  /** A PROXY protocol header comes first. */
  readonly proxyHeader: boolean;
  /** Undefined: clients speak plainly. */
  readonly tls: TlsAcceptSettings | undefined;
  /** For the header, ms; TLS has its own. */
  readonly timeoutMs: number;
}

export interface ListenerOwner {
  /** Somebody has connected. The owner sets {@link Client.owner} before the call returns. */
  client(client: Client): void;
  /**
   * @param addresses where it really listens: all addresses of a name, the port the system picked for 0
   * @param missing addresses of the name that this machine does not have
   */
  listening(addresses: readonly [Address, ...Address[]], missing: readonly MissingAddress[]): void;
  /** It does not listen, and tries again by itself. */
  listenFailed(errno: string, retryInMs: number): void;
  /** A connection could not be accepted: `EMFILE`, `ENFILE`, `ENOBUFS`, ... The listener goes on. */
  acceptFailed(errno: string): void;
}

/** Accepts clients on one address, or on all addresses of a name. While the address cannot be had it tries again, and says so each time. */
export interface Listener {
  /** Where it listens, the first of several; undefined while it does not. */
  readonly address: Address | undefined;
  /** Begins to listen; returns at once. May be called again after `close`. */
  open(): void;
  /** Stops accepting: new clients are refused at once. Accepted connections are not touched. */
  close(): void;
}

/* A client */

/** One accepted connection, from accept to close. */
export interface Client {
  /** Hears the client's events until a relay carries the client. */
  owner: ClientOwner;
  /** The address it came from: `10.0.0.7:41002`, `[::1]:41002`, `unix`; `unknown` when it had gone before it could be asked. */
  readonly name: string;
  /** Both ends of its TCP connection; undefined on a Unix socket, or when it had already gone. */
  readonly ends: ProxyEnds | undefined;
  /** Bytes that have been collected. */
  readonly earlyBytes: number;
  readonly closed: boolean;
  /** What reads that which {@link HandshakeSettings} ask for. Called at most once, and only where they ask for something. */
  handshake(owner: HandshakeOwner): Handshake;
  /** Starts reading, a bounded number of bytes, so that its end is noticed while there is nobody yet to give its bytes to. */
  collect(): void;
  /** Asks the kernel whether it still stands, where reading does not tell. An end shows as `clientFailed` and `clientClosed`. */
  probe(): void;
  /** Ends it at once by RST, so that a cut stream cannot be taken for a finished one. FIN where RST cannot be. */
  reset(): void;
  /** Ends it at once, by FIN (or by the kernel's own RST when unread bytes are left). */
  destroy(): void;
}

/** Where the events of a client go. */
export interface ClientOwner extends Contained {
  /** It has sent its FIN, and every byte before it has been read. */
  clientEnded(client: Client): void;
  /** It failed; it closes by itself, `clientClosed` follows. @param errno of the socket */
  clientFailed(client: Client, errno: string): void;
  /** It is gone. Called exactly once, unless a relay carries it. */
  clientClosed(client: Client): void;
}

/** A client's way in. */
export interface Handshake {
  /** Begins. The answer may come before the call has returned. */
  start(): void;
  /** What is read now. */
  readonly phase: 'header' | 'handshaking' | 'over';
  /** Ends it without a word; the client is its owner's again, still to be closed, or it has been. */
  abort(): void;
}

/** Hears how a handshake ended; `accepted` or `rejected`, once, and none after `abort`. */
export interface HandshakeOwner extends Contained {
  /** The PROXY header is whole. Comes before the answer. @param ends undefined when it names none that are TCP's */
  headerRead(ends: ProxyEnds | undefined): void;
  /** @param tls what TLS found; undefined on a plain connection */
  accepted(tls: TlsPeer | undefined): void;
  /** The client is still to be closed, or has been. */
  rejected(rejection: Rejection): void;
}

export type Rejection =
  /** The bytes are no header, the header breaks the rules, or it was not there in time. */
  | { readonly kind: 'header'; readonly code: ProxyHeaderFault | 'TIMEOUT' }
  /** The client left before its header was whole. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'error'; readonly errno: string }
  | { readonly kind: 'tls'; readonly failure: TlsFailure };

export interface TlsFailure {
  /**
   * `gone`: the client left without having sent a byte, as a TCP health check does; `peer`: the handshake was done, or could
   * have been, but not with this peer.
   */
  readonly kind: 'gone' | 'handshake' | 'peer';
  readonly endedBy: 'client' | 'attache';
  /** OpenSSL's or Node's code, an errno name, or one of ours. */
  readonly code: FailureCode;
  /** The name of a peer that was refused. */
  readonly peer?: string | undefined;
}

/** How clients of a service are let in by TLS. One object per service. */
export interface TlsAcceptSettings {
  /** What new connections use; undefined while there is none. */
  readonly material: () => TlsMaterial | undefined;
  /** Whether clients must show a certificate. */
  readonly clientAuth: 'require' | 'none';
  readonly peers: PeerCheck;
  /** A client that closes TCP without close_notify is taken for one that was cut off; default: false. */
  readonly strictClose?: boolean | undefined;
  /** From accept to the end of the handshake, ms. */
  readonly timeoutMs: number;
  /** In which order they begin, and how many at once. */
  readonly handshakes: Handshakes;
}

/** Who may be at the other end. */
export interface PeerCheck {
  readonly policy: PeerPolicy;
  /** How a log names a peer. */
  readonly nameOf: (certificate: X509Certificate) => string | undefined;
  /** Default: nobody asks for common names, which are costly to read. */
  readonly commonNameOf?: ((certificate: X509Certificate) => string | undefined) | undefined;
}

/** What is known of a TLS connection once its handshake is done. */
export interface TlsPeer {
  /** Undefined when it showed no certificate, or one without a name. */
  readonly name: string | undefined;
  /** `TLSv1.2` or `TLSv1.3`. */
  readonly version: string;
  /** The handshake took up a session of before. */
  readonly resumed: boolean;
  /** It has shown a certificate, in this handshake or in that of the session. */
  readonly certified: boolean;
  readonly commonName: string | undefined;
  /** SNI, when the peer is a client that sent one. */
  readonly serverName: string | undefined;
  /** ALPN. */
  readonly protocol: string | undefined;
}

/* A candidate */

/** How candidates of a service are dialed. One object per service. */
export interface DialSettings {
  /** One attempt at one candidate: look-up, TCP connect and TLS handshake, over all of its addresses. */
  readonly connectTimeoutMs: number;
  /** TCP keep-alive of the connection, ms; 0: none. */
  readonly keepAliveMs: number;
  readonly family: Family;
  readonly policy: DialPolicy;
  readonly resolver: Resolver;
  /** Listeners of this process, see {@link DialOwner.dialsHome}; default: nobody asks. */
  readonly own?: OwnListeners | undefined;
  /** Default: candidates are spoken to plainly. */
  readonly tls?: TlsDialSettings | undefined;
}

/** How candidates of a service are spoken to by TLS. One object per service. */
export interface TlsDialSettings {
  /** What new connections use; undefined while there is none. */
  readonly material: () => TlsMaterial | undefined;
  /** Sent as SNI and checked in the candidate's certificate; default: the candidate's host. */
  readonly serverName: string | undefined;
  readonly peers: PeerCheck;
  /** A candidate that closes TCP without close_notify is taken for one that was cut off; default: false. */
  readonly strictClose?: boolean | undefined;
  readonly sessions: TlsSessions;
  /** In which order they begin, and how many at once. */
  readonly handshakes: Handshakes;
}

export type DialStage = 'connect' | 'handshake';

/** Hears how a dial ended; exactly one of the two, once, and none after `abort`. */
export interface DialOwner extends Contained {
  /** What the candidate is sent ahead of everything, TLS included, on each connection that is made; undefined: nothing. */
  readonly preface: Buffer | undefined;
  /**
   * A connection to one of {@link DialSettings.own} is being made. It is told before that listener can accept it, once for each
   * address that is tried.
   */
  dialsHome?(ends: ProxyEnds): void;
  dialed(candidate: DialedCandidate): void;
  /**
   * @param errno `ECONNREFUSED` and the like, `TIMEOUT`, `NOT_ALLOWED` (no address that a registry may name, or a peer
   * outside `TLS_ALLOW`), a code of a look-up (`NameErrno`), or a code of TLS
   * @param stage what was being done; default: `connect`
   * @param refusal why no address may be dialed, with what to do
   */
  dialFailed(errno: FailureCode, stage?: DialStage, refusal?: string): void;
}

/** One attempt at one candidate. */
export interface Dial {
  /** Begins. The answer may come before the call has returned. */
  start(): void;
  /** Ends the attempt without a word; its socket is closed. */
  abort(): void;
}

/** A connected candidate that is not being read yet. */
export interface DialedCandidate {
  readonly tls: TlsPeer | undefined;
  /** It is not wanted after all: it is ended by FIN. */
  destroy(): void;
  /** The same by RST, which leaves nothing behind on either side. */
  reset(): void;
}

/* A candidate, asked */

/**
 * What health checks dial with. An engine that moves bytes elsewhere need not be one: checks are few, and may go by another
 * engine's sockets beside it, as long as they keep the same settings.
 */
export interface CheckEngine {
  /** As {@link Engine.dial}; the candidate can be asked something. */
  dial(address: Address, settings: DialSettings, owner: CheckOwner): Dial;
}

/** As {@link DialOwner}. */
export interface CheckOwner extends Omit<DialOwner, 'dialed'> {
  dialed(candidate: AskableCandidate): void;
}

/** A connected candidate that is asked something, or ended. */
export interface AskableCandidate extends DialedCandidate {
  /**
   * Writes some bytes and reads the answer. Called at most once, and no relay carries it afterwards. The owner ends it by
   * `destroy` or `reset`; no call comes after that has returned.
   */
  exchange(options: ExchangeOptions): void;
}

export interface ExchangeOptions {
  /** Written at once; may be empty. */
  readonly send: Buffer;
  /** No more of the answer is read. */
  readonly mostBytes: number;
  readonly owner: ExchangeOwner;
}

/** Hears what a candidate answers. */
export interface ExchangeOwner extends Contained {
  /** More bytes have come. @param answer all bytes so far, at most `mostBytes` */
  answered(answer: Buffer): void;
  /**
   * No more comes; the candidate is still to be ended. Called at most once, behind every byte.
   *
   * @param why `end`: it has finished; `most`: so much has come; otherwise the errno or the code of TLS that it failed with
   */
  exchangeOver(why: 'end' | 'most' | FailureCode): void;
}

/* The two, tied */

export interface RelayOptions {
  readonly client: Client;
  readonly candidate: DialedCandidate;
  /** See {@link Relay.needsWatch}; may be told again and again. */
  readonly onNeedsWatch?: () => void;
  /** A side failed, before anything is closed for it. @param code errno name, or OpenSSL's code */
  readonly onFailed?: (side: 'client' | 'candidate', code: string) => void;
  /** Both sides are closed. Called exactly once. */
  readonly onClosed: (endedBy: EndedBy, reason: CloseReason) => void;
}

/**
 * Moves bytes between two sides until both are closed. A side that finishes finishes only its direction; a side that fails
 * takes the other with it, by RST where bytes may be missing.
 */
export interface Relay {
  /** Bytes that came from the client and that the kernel has taken to send them to the candidate. */
  readonly bytesToCandidate: number;
  /** Bytes that came from the candidate and that the kernel has taken to send them to the client. */
  readonly bytesToClient: number;
  /** A side has ended without the close_notify of TLS. */
  readonly unclean: boolean;
  /** When the last byte came from either side, or when it started: `performance.now()`. */
  readonly movedAt: number;
  /** How many sides are gone, or have been sent all they will ever get: one is a half-closed connection. */
  readonly finishedSides: number;
  /** A side is not read, has finished or is gone: from `onNeedsWatch` until this is false it must be looked at now and then. */
  readonly needsWatch: boolean;
  start(): void;
  /**
   * Ends both sides at once: by RST, or when `gently` by FIN where nothing is cut short. `onClosed` follows. The first
   * reason given stays; what is already on its way to its end, but waits for a slow reader, is cut all the same.
   */
  abort(reason: CloseReason, gently?: boolean): void;
  /** Turns on keep-alive to the candidate. */
  keepAlive(keepAliveMs: number): void;
  /** Notices a side that was reset while nothing is read from it; to be called now and then. */
  probe(): void;
}
