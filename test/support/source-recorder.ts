import { inspect } from 'node:util';
import type { Address } from '../../src/core/address.ts';
import { toEndpoint, type Endpoint } from '../../src/core/endpoint.ts';
import type { SourceState } from '../../src/core/status.ts';
import type { SourceSink } from '../../src/discovery/source.ts';

/** Writes down what a source reports, and when; a test can wait for a report. */
export class SourceRecorder implements SourceSink {
  /** Every set reported, as canonical texts. */
  readonly sets: (readonly string[])[] = [];
  readonly states: SourceState[] = [];
  readonly ignoredKeys: string[] = [];
  /** The last set, with all that is said of its members. */
  endpoints: readonly Endpoint[] = [];
  /** `key: reason` of each detail that could not be used. */
  readonly ignoredDetails: string[] = [];
  readonly #watchers = new Set<() => void>();

  candidates(set: readonly (Endpoint | Address)[]): void {
    this.endpoints = set.map(toEndpoint);
    this.sets.push(this.endpoints.map(({ key }) => key));
    this.#tell();
  }

  state(state: SourceState): void {
    this.states.push(state);
    this.#tell();
  }

  ignored(key: string): void {
    this.ignoredKeys.push(key);
    this.#tell();
  }

  detailIgnored(key: string, reason: string): void {
    this.ignoredDetails.push(`${key}: ${reason}`);
    this.#tell();
  }

  /** The set in force; undefined until there was one. */
  get current(): readonly string[] | undefined {
    return this.sets.at(-1);
  }

  get latest(): SourceState | undefined {
    return this.states.at(-1);
  }

  /** Waits for a set to be in force. */
  async untilSet(members: readonly string[], withinMs?: number): Promise<void> {
    const wanted = [...members].sort().join();
    await this.until(`the set ${wanted}`, () => this.current?.join() === wanted, withinMs);
  }

  /** Waits for a status, with an error that matches where one is given. */
  async untilStatus(status: SourceState['status'], options: StatusOptions = {}): Promise<void> {
    const { error, withinMs } = options;
    const holds = (state: SourceState | undefined) =>
      state?.status === status && (error === undefined || ('error' in state && error.test(state.error ?? '')));
    await this.until(`${status} ${String(error ?? '')}`, () => holds(this.latest), withinMs);
  }

  /** Waits until the condition holds; it is looked at now and after each report. */
  async until(what: string, condition: () => boolean, withinMs = 20_000): Promise<void> {
    if (condition()) return;
    await new Promise<void>((resolve, reject) => {
      const look = () => {
        if (!condition()) return;
        done();
        resolve();
      };
      const timer = setTimeout(() => {
        done();
        const seen = { sets: this.sets.slice(-5), states: this.states.slice(-5) };
        reject(
          new Error(
            `waited ${withinMs} ms for ${what.slice(0, 200)}; the last reports: ${inspect(seen, { depth: 4, maxArrayLength: 10 })}`,
          ),
        );
      }, withinMs);
      const done = () => {
        clearTimeout(timer);
        this.#watchers.delete(look);
      };
      this.#watchers.add(look);
    });
  }

  #tell(): void {
    for (const look of [...this.#watchers]) look();
  }
}

interface StatusOptions {
  readonly error?: RegExp;
  readonly withinMs?: number;
}
