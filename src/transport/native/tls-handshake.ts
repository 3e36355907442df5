import { contained, type Contained } from '../../core/contained.ts';
import type { FailureCode } from '../../core/dial-failure.ts';
import { isPeerReset } from '../../core/errors.ts';
import { TimeLimit } from '../../core/time-limit.ts';
import type { TlsAcceptSettings, TlsFailure, TlsPeer } from '../engine.ts';
import type { QueuedHandshake } from '../handshakes.ts';
import type { EndName } from './commands.ts';
import { failureCode } from './failure-code.ts';
import { judgeReportedPeer, nameOfRefused } from './peer-judge.ts';
import type { NativeThread } from './thread.ts';
import { contextOf } from './tls-contexts.ts';
import type { HandshakeReport } from './handshake-report.ts';

/** Hears how a handshake ended; exactly one of the two, once, and none after `abort`. */
export interface TlsHandshakeOwner {
  secured(peer: TlsPeer): void;
  notSecured(failure: TlsFailure): void;
}

export interface TlsHandshakeOptions {
  readonly client: EndName & Contained & { readonly thread: NativeThread };
  readonly settings: TlsAcceptSettings;
  readonly owner: TlsHandshakeOwner;
}

const GONE: TlsFailure = { kind: 'gone', endedBy: 'client', code: 'EOF' };

/** The handshake with one client. The thread keeps its hello until that is whole, and then until it is its turn. */
export class TlsHandshake implements QueuedHandshake {
  readonly #options: TlsHandshakeOptions;
  readonly #limit: TimeLimit<TlsHandshake>;
  #hasBegun = false;
  #isOver = false;

  constructor(options: TlsHandshakeOptions) {
    this.#options = options;
    this.#limit = new TimeLimit<TlsHandshake>(options.settings.timeoutMs, onTimeout, this);
  }

  start(): void {
    const { client } = this.#options;
    client.thread.commands.hello(client);
  }

  /** Ends it without a word. */
  abort(): void {
    this.#end();
  }

  faulted(error: unknown): void {
    this.#options.client.faulted(error);
  }

  timedOut(): void {
    this.#refuse('TIMEOUT');
  }

  giveWay(): void {
    this.#refuse('CROWDED_OUT');
  }

  /** It is whole. */
  hello(): void {
    if (!this.#isOver) this.#options.settings.handshakes.come(this);
  }

  begin(): void {
    const { client, settings } = this.#options;
    const material = settings.material();
    if (material === undefined) {
      this.#refuse('NO_MATERIAL');
      return;
    }
    this.#hasBegun = true;
    const { thread } = client;
    const context = contextOf({ addon: thread.addon, material, asksClients: settings.clientAuth === 'require' });
    thread.secure(client, { context, isStrict: settings.strictClose === true });
  }

  secured(report: HandshakeReport): void {
    const verdict = judgeReportedPeer(report, this.#options.settings.peers);
    if (!verdict.ok) {
      this.#fail({ kind: 'peer', endedBy: 'attache', code: verdict.code, peer: verdict.peer });
    } else if (!this.#isOver) {
      this.#end();
      this.#options.owner.secured(verdict.peer);
    }
  }

  refused(report: HandshakeReport): void {
    const { code, isPeer } = report;
    if (isPeer) {
      const peer = nameOfRefused(report, this.#options.settings.peers);
      this.#fail({ kind: 'peer', endedBy: 'attache', code, peer });
    } else {
      this.#fail({ kind: 'handshake', endedBy: endedBy(code), code });
    }
  }

  clientEnded(): void {
    this.#fail(this.#isSilent ? GONE : { kind: 'handshake', endedBy: 'client', code: 'EOF' });
  }

  /** @param code of the thread */
  clientGone(code: number): void {
    const { client } = this.#options;
    const errno = code === 0 ? 'EOF' : failureCode(client, code);
    if (this.#isSilent && (code === 0 || isPeerReset(errno))) this.#fail(GONE);
    else this.#fail({ kind: 'handshake', endedBy: endedBy(errno), code: errno });
  }

  get #isSilent(): boolean {
    const { slot, thread } = this.#options.client;
    return !this.#hasBegun && thread.live.early(slot) === 0;
  }

  #refuse(code: FailureCode): void {
    this.#fail({ kind: 'handshake', endedBy: 'attache', code });
  }

  #fail(failure: TlsFailure): void {
    if (this.#isOver) return;
    this.#end();
    this.#options.owner.notSecured(failure);
  }

  #end(): void {
    this.#isOver = true;
    this.#limit.clear();
    this.#options.settings.handshakes.leave(this);
  }
}

function endedBy(code: FailureCode): 'client' | 'attache' {
  return code === 'EOF' || code === 'ECONNRESET' || code === 'EPIPE' ? 'client' : 'attache';
}

const onTimeout = contained((handshake: TlsHandshake) => handshake.timedOut());
