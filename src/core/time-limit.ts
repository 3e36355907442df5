/** A timer that fires later than this has waited for the process, which was busy or paused; in ms. */
export const LATE_MS = 20;

/**
 * Calls `work` when its time is over, unless it is cleared before. After a pause of the process what came meanwhile is read first,
 * and a limit whose timer fires late goes on for as long as it was late, once, and at most for its own time. Without this, whoever
 * answers during a pause would look late after it. A pause that ends before the limit does takes of its time.
 */
export class TimeLimit<T> {
  readonly #ms: number;
  readonly #work: (subject: T) => void;
  readonly #subject: T;
  #dueAt: number;
  #grantedMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #turn: NodeJS.Immediate | undefined;

  /**
   * @param ms from now on; 0 or less is over at once
   * @param work called with `subject`; it must not throw, see `contained`
   */
  constructor(ms: number, work: (subject: T) => void, subject: T) {
    this.#ms = ms;
    this.#work = work;
    this.#subject = subject;
    this.#dueAt = performance.now() + ms;
    this.#timer = setTimeout(onTime, ms, this);
  }

  /** @returns how much later it ends than it would have without a pause, ms; a pause that its timer has not seen yet included */
  grantedMs(): number {
    if (this.#timer !== undefined && this.#lateMs() >= LATE_MS) this.#grant();
    return this.#grantedMs;
  }

  clear(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#turn);
    this.#timer = undefined;
    this.#turn = undefined;
  }

  /** Its timer has fired. */
  onTime(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#lateMs() >= LATE_MS && this.#grant()) return;
    // Behind what had come by then.
    this.#turn = setImmediate(onTurn, this);
  }

  onTurn(): void {
    if (this.#turn === undefined) return;
    this.#turn = undefined;
    this.#work(this.#subject);
  }

  #lateMs(): number {
    return performance.now() - this.#dueAt;
  }

  /** @returns false: it had its grant before */
  #grant(): boolean {
    if (this.#grantedMs > 0 || this.#ms <= 0) return false;
    const lateMs = this.#lateMs();
    const ms = Math.min(lateMs, this.#ms);
    this.#grantedMs = lateMs + ms;
    this.#dueAt += this.#grantedMs;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(onTime, ms, this);
    return true;
  }
}

const onTime = <T>(limit: TimeLimit<T>): void => limit.onTime();
const onTurn = <T>(limit: TimeLimit<T>): void => limit.onTurn();
