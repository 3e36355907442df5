import { readFileSync } from 'node:fs';

/** CPU time of the longest turn of the event loop of this process, which a busy machine does not stretch. */
export class LongestTurn {
  /** ms */
  longest = 0;
  /** Of all turns, ms. */
  total = 0;
  readonly #since = cpuMs();
  #isOver = false;
  #before = cpuMs();

  constructor() {
    setImmediate(this.#turn);
  }

  stop(): void {
    this.#isOver = true;
    this.longest = Math.max(this.longest, cpuMs() - this.#before);
    this.total = cpuMs() - this.#since;
  }

  readonly #turn = (): void => {
    const now = cpuMs();
    this.longest = Math.max(this.longest, now - this.#before);
    this.#before = now;
    if (!this.#isOver) setImmediate(this.#turn);
  };
}

/** Of the thread that runs the event loop, in ms: proc(5) has it in ns, ahead of the time that it waited for a processor. */
function cpuMs(): number {
  return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(' ')[0]) / 1e6;
}
