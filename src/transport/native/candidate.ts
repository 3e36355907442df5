import type { Contained } from '../../core/contained.ts';
import type { ProxyEndpoint } from '../../core/proxy-header.ts';
import type { DialedCandidate, TlsPeer } from '../engine.ts';
import type { EndName } from './commands.ts';
import { RECORD, type Records } from './records.ts';
import { readHandshakeReport, type HandshakeReport } from './handshake-report.ts';
import type { NativeEnd, NativeThread } from './thread.ts';

/** Hears of one connection to a candidate until it is dialed, or of no use. */
export interface CandidateOwner extends Contained {
  reached(candidate: NativeCandidate): void;
  /** The connection that is being made has this address, where the dial has asked for it. */
  comesFrom(source: ProxyEndpoint): void;
  /** Its TLS handshake is done. */
  secured(report: HandshakeReport): void;
  /** Its TLS handshake has failed. It is still to be closed. */
  refused(report: HandshakeReport): void;
  /** @param errno of the system */
  failed(errno: number): void;
}

export interface NativeCandidateOptions {
  readonly thread: NativeThread;
  readonly name: EndName;
  readonly owner: CandidateOwner;
}

/** A candidate's end in the thread, from the first SYN on. */
export class NativeCandidate implements DialedCandidate, NativeEnd {
  /** Set by the dial, once it has judged it. */
  tls: TlsPeer | undefined;
  readonly slot: number;
  readonly generation: number;
  readonly thread: NativeThread;
  /** Undefined once it has been told, or does not want to be. */
  #owner: CandidateOwner | undefined;
  #carrier: Contained | undefined;
  #isOver = false;

  constructor({ thread, name, owner }: NativeCandidateOptions) {
    this.thread = thread;
    this.slot = name.slot;
    this.generation = name.generation;
    this.#owner = owner;
    this.#carrier = owner;
    thread.add(this);
  }

  destroy(): void {
    this.#close(false);
  }

  reset(): void {
    this.#close(true);
  }

  /** The dial is over: nobody hears the candidate's events. */
  settle(): void {
    this.#owner = undefined;
  }

  /** A relay has the candidate from now on, and hears its events through the client. */
  carriedBy(relay: Contained): void {
    this.#carrier = relay;
  }

  /** The relay is over: nobody hears the candidate's events. */
  over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.thread.gone(this);
  }

  faulted(error: unknown): void {
    if (this.#carrier === undefined) throw error;
    this.#carrier.faulted(error);
  }

  told(records: Records): void {
    const { kind, code } = records;
    const owner = this.#owner;
    if (kind === RECORD.dialed) {
      owner?.reached(this);
    } else if (kind === RECORD.secured) {
      owner?.secured(readHandshakeReport(this.thread.addon.report(this.slot)));
    } else if (kind === RECORD.refused) {
      owner?.refused(readHandshakeReport(this.thread.addon.report(this.slot)));
    } else if (kind === RECORD.home) {
      const { remote } = records;
      if (remote !== undefined) owner?.comesFrom(remote);
    } else if (kind === RECORD.closed) {
      this.#owner = undefined;
      this.over();
      owner?.failed(code);
    }
  }

  #close(reset: boolean): void {
    if (this.#isOver) return;
    this.#owner = undefined;
    this.thread.commands.close(this, reset);
  }
}
