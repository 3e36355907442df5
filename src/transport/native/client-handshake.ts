import { contained, type Contained } from '../../core/contained.ts';
import { isPeerReset } from '../../core/errors.ts';
import { readProxyHeader, V2_MAX_BYTES } from '../../core/read-proxy-header.ts';
import { TimeLimit } from '../../core/time-limit.ts';
import type { Handshake, HandshakeOwner, HandshakeSettings, Rejection, TlsFailure, TlsPeer } from '../engine.ts';
import type { EndName } from './commands.ts';
import { failureCode } from './failure-code.ts';
import { RECORD, type Records } from './records.ts';
import type { NativeThread } from './thread.ts';
import { TlsHandshake } from './tls-handshake.ts';
import { readHandshakeReport } from './handshake-report.ts';

/** The client as its handshake sees it. */
export interface LendingClient extends EndName, Contained {
  readonly thread: NativeThread;
  /** A handshake has it from now on, or (undefined) gives it back. */
  lend(handshake: NativeHandshake | undefined): void;
}

export interface ClientHandshakeOptions {
  readonly client: LendingClient;
  readonly settings: HandshakeSettings;
  readonly owner: HandshakeOwner;
}

type State =
  | { readonly phase: 'new' | 'over' }
  | { readonly phase: 'header'; readonly limit: TimeLimit<NativeHandshake> }
  | { readonly phase: 'handshaking'; readonly tls: TlsHandshake };

/**
 * One client's way in: its PROXY header, which the thread lends until it is whole, then its TLS handshake, where a service
 * asks for them.
 */
export class NativeHandshake implements Handshake {
  readonly #client: LendingClient;
  readonly #settings: HandshakeSettings;
  readonly #owner: HandshakeOwner;
  #state: State = { phase: 'new' };

  constructor({ client, settings, owner }: ClientHandshakeOptions) {
    this.#client = client;
    this.#settings = settings;
    this.#owner = owner;
  }

  get phase(): Handshake['phase'] {
    const { phase } = this.#state;
    return phase === 'new' ? 'over' : phase;
  }

  start(): void {
    const { proxyHeader, timeoutMs } = this.#settings;
    this.#client.lend(this);
    if (!proxyHeader) {
      this.#shakeHands();
      return;
    }
    this.#state = { phase: 'header', limit: new TimeLimit<NativeHandshake>(timeoutMs, timeOut, this) };
    this.#ask();
  }

  abort(): void {
    const { phase } = this.#state;
    this.#giveBack();
    if (phase === 'header') this.#client.thread.commands.take(this.#client, 0);
  }

  faulted(error: unknown): void {
    this.#client.faulted(error);
  }

  /** The thread has told something of the client. */
  told(records: Records): void {
    const state = this.#state;
    if (records.kind === RECORD.closed) {
      this.#clientGone(records.code);
    } else if (state.phase === 'header') {
      if (records.kind === RECORD.lent) this.#readHeader();
      else if (records.kind === RECORD.ended) this.#reject({ kind: 'gone' });
    } else if (state.phase === 'handshaking') {
      this.#toldOfTls(records.kind, state.tls);
    }
  }

  timedOut(): void {
    this.#reject({ kind: 'header', code: 'TIMEOUT' });
  }

  secured(peer: TlsPeer): void {
    this.#accept(peer);
  }

  notSecured(failure: TlsFailure): void {
    this.#reject({ kind: 'tls', failure });
  }

  #toldOfTls(kind: number, tls: TlsHandshake): void {
    const { addon } = this.#client.thread;
    const { slot } = this.#client;
    if (kind === RECORD.hello) tls.hello();
    else if (kind === RECORD.ended) tls.clientEnded();
    else if (kind === RECORD.secured) tls.secured(readHandshakeReport(addon.report(slot)));
    else if (kind === RECORD.refused) tls.refused(readHandshakeReport(addon.report(slot)));
  }

  #readHeader(): void {
    const { commands, addon } = this.#client.thread;
    const header = readProxyHeader(addon.lent(this.#client.slot));
    switch (header.status) {
      case 'incomplete':
        commands.take(this.#client, 0);
        this.#ask();
        return;
      case 'wrong':
        this.#reject({ kind: 'header', code: header.fault });
        return;
      case 'complete':
        commands.take(this.#client, header.bytes);
        this.#owner.headerRead(header.ends);
        // What the owner does with it may have ended this.
        if (this.phase === 'header') this.#shakeHands();
    }
  }

  #shakeHands(): void {
    const { tls: settings } = this.#settings;
    if (settings === undefined) {
      this.#accept(undefined);
      return;
    }
    this.#clearTimer();
    const tls = new TlsHandshake({ client: this.#client, settings, owner: this });
    this.#state = { phase: 'handshaking', tls };
    tls.start();
  }

  #clientGone(code: number): void {
    const state = this.#state;
    if (state.phase === 'handshaking') {
      state.tls.clientGone(code);
      return;
    }
    const errno = failureCode(this.#client, code);
    this.#reject(code === 0 || isPeerReset(errno) ? { kind: 'gone' } : { kind: 'error', errno });
  }

  #ask(): void {
    this.#client.thread.commands.ask(this.#client, V2_MAX_BYTES);
  }

  #accept(peer: TlsPeer | undefined): void {
    this.#giveBack();
    this.#owner.accepted(peer);
  }

  #reject(rejection: Rejection): void {
    const { phase } = this.#state;
    if (phase === 'over') return;
    this.#giveBack();
    if (phase === 'header') this.#client.thread.commands.take(this.#client, 0);
    this.#owner.rejected(rejection);
  }

  #giveBack(): void {
    this.#clearTimer();
    if (this.#state.phase === 'handshaking') this.#state.tls.abort();
    this.#state = { phase: 'over' };
    this.#client.lend(undefined);
  }

  #clearTimer(): void {
    if (this.#state.phase === 'header') this.#state.limit.clear();
  }
}

const timeOut = contained((handshake: NativeHandshake) => handshake.timedOut());
