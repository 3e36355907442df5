import { request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

const EVERY_MS = 250;
/** An answer that takes longer is none. */
const LIMIT_MS = 5_000;

/** Asks `/healthz` again and again. */
export class HealthWatch {
  asked = 0;
  slowestMs = 0;
  /** What was answered instead of 200. */
  readonly failures: string[] = [];
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const began = performance.now();
      const answer = await ask(this.#port);
      this.asked += 1;
      this.slowestMs = Math.max(this.slowestMs, performance.now() - began);
      if (answer !== '200') this.failures.push(answer);
      await pause(EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** @returns the status, or why there was none */
async function ask(port: number): Promise<string> {
  return await new Promise((resolve) => {
    const asking = request({ port, host: '127.0.0.1', path: '/healthz', agent: false, timeout: LIMIT_MS }, (answer) => {
      answer.resume().once('close', () => resolve(`${answer.statusCode ?? 0}`));
    });
    asking.once('timeout', () => asking.destroy(new Error(`no answer in ${LIMIT_MS} ms`)));
    asking.once('error', (error) => resolve(String(error)));
    asking.end();
  });
}
