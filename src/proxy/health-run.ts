import type { Address } from '../core/address.ts';
import { isOwnFault, type FailureCode } from '../core/dial-failure.ts';
import { MOST_ANSWER_BYTES, type CheckProtocol, type HealthVerdict } from '../health/check-protocol.ts';
import type {
  AskableCandidate,
  CheckEngine,
  CheckOwner,
  Dial,
  DialSettings,
  DialStage,
  ExchangeOwner,
} from '../transport/engine.ts';

/** Where and how a candidate is asked. */
export interface HealthRunOptions {
  readonly engine: CheckEngine;
  readonly address: Address;
  readonly dialing: DialSettings;
  readonly preface: Buffer | undefined;
  /** Undefined: a connection is proof enough. */
  readonly protocol: CheckProtocol | undefined;
  /** Called once, and not after `abort`. */
  readonly onEnd: (outcome: HealthOutcome) => void;
  /** Something that was done for it has thrown. */
  readonly onFault: (error: unknown) => void;
}

/**
 * How one check ended, for the metrics: `ok`; `refused`: the candidate could not be connected to; `timeout`; `handshake`: TLS failed;
 * `answer`: the answer is another or incomplete; `own`: a fault of ours, which says nothing about the candidate.
 */
export type HealthResult = 'ok' | 'refused' | 'timeout' | 'handshake' | 'answer' | 'own';

export interface HealthOutcome {
  readonly result: HealthResult;
  readonly verdict: HealthVerdict;
}

/** One check of one candidate: a dial, a question, an answer. Its only timer is the one of its dial. */
export class HealthRun implements CheckOwner, ExchangeOwner {
  readonly preface: Buffer | undefined;
  readonly #options: HealthRunOptions;
  readonly #dial: Dial;
  #candidate: AskableCandidate | undefined;
  #answer: Buffer = Buffer.alloc(0);
  #isOver = false;

  constructor(options: HealthRunOptions) {
    this.#options = options;
    this.preface = options.preface;
    this.#dial = options.engine.dial(options.address, options.dialing, this);
  }

  start(): void {
    this.#dial.start();
  }

  /** Ends it without a word. */
  abort(): void {
    this.#isOver = true;
    if (this.#candidate === undefined) this.#dial.abort();
    else this.#candidate.reset();
  }

  /** There is no time left: what has come has to do. */
  late(): void {
    const { protocol } = this.#options;
    if (this.#isOver) return;
    const candidate = this.#candidate;
    if (candidate === undefined || protocol === undefined || this.#answer.length === 0) {
      this.#dial.abort();
      this.#end('timeout', { isOk: false, fault: 'no answer within HEALTH_TIMEOUT' });
      return;
    }
    this.#judge(true);
  }

  faulted(error: unknown): void {
    this.abort();
    this.#options.onFault(error);
  }

  dialed(candidate: AskableCandidate): void {
    const { protocol } = this.#options;
    if (this.#isOver) {
      candidate.reset();
      return;
    }
    this.#candidate = candidate;
    if (protocol === undefined) this.#end('ok', { isOk: true });
    else candidate.exchange({ send: protocol.send, mostBytes: MOST_ANSWER_BYTES, owner: this });
  }

  dialFailed(errno: FailureCode, stage: DialStage = 'connect', refusal?: string): void {
    const result = isOwnFault(errno)
      ? 'own'
      : errno === 'TIMEOUT' || errno === 'DNS_TIMEOUT'
        ? 'timeout'
        : stage === 'handshake'
          ? 'handshake'
          : 'refused';
    this.#end(result, { isOk: false, fault: refusal === undefined ? errno : `${errno}: ${refusal}` });
  }

  answered(answer: Buffer): void {
    this.#answer = answer;
    this.#judge(false);
  }

  exchangeOver(why: 'end' | 'most' | FailureCode): void {
    if (this.#isOver) return;
    if (why === 'end' || why === 'most' || this.#answer.length > 0) this.#judge(true);
    else this.#end('answer', { isOk: false, fault: why });
  }

  #judge(isOver: boolean): void {
    const verdict = this.#options.protocol?.judge(this.#answer, isOver);
    if (verdict !== undefined) this.#end(verdict.isOk ? 'ok' : 'answer', verdict);
  }

  #end(result: HealthResult, verdict: HealthVerdict): void {
    if (this.#isOver) return;
    this.#isOver = true;
    // By RST it leaves nothing behind on either side, and no server takes it for a client that came in vain.
    if (this.#options.protocol?.ending === 'finish') this.#candidate?.destroy();
    else this.#candidate?.reset();
    this.#options.onEnd({ result, verdict });
  }
}
