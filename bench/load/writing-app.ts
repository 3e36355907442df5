import { setTimeout as delay } from 'node:timers/promises';

/** One connection of an app. */
export interface Writer {
  /** @returns who has confirmed it. @throws Error when it was refused, or the connection has ended */
  write(n: number): Promise<string>;
  close(): void;
}

export interface Write {
  /** When it was confirmed, `performance.now()`. */
  readonly at: number;
  /** Who confirmed it. */
  readonly server: string;
}

/** What an app has seen. */
export interface Seen {
  readonly writes: readonly Write[];
  /** When each error was seen. */
  readonly errors: readonly number[];
}

export interface FailoverReading {
  /** From when the new primary leads, and the old one does not, until an app has written through the proxy, ms. */
  readonly firstWriteMs: number;
  /** Writes that the app was refused or lost the connection with, from the change on. */
  readonly errors: number;
}

export const WRITE_EVERY_MS = 2;
const RETRY_MS = 10;

/** Writes without a pause, and connects again whenever that fails. */
export class WritingApp implements Seen {
  readonly writes: Write[] = [];
  readonly errors: number[] = [];
  readonly #open: () => Promise<Writer>;
  readonly #signal: AbortSignal;

  constructor(open: () => Promise<Writer>, signal: AbortSignal) {
    this.#open = open;
    this.#signal = signal;
  }

  async run(): Promise<void> {
    let writer: Writer | undefined;
    for (let n = 1; !this.#signal.aborted; n += 1) {
      try {
        writer ??= await this.#open();
        const server = await writer.write(n);
        this.writes.push({ at: performance.now(), server });
        await delay(WRITE_EVERY_MS);
      } catch {
        this.errors.push(performance.now());
        writer?.close();
        writer = undefined;
        await delay(RETRY_MS);
      }
    }
    writer?.close();
  }
}

export interface ChangeOfLeader {
  /** When it was begun, `performance.now()`. */
  readonly begunAt: number;
  /** When the new one led, and the old one did not. */
  readonly changedAt: number;
  /** The new one. */
  readonly server: string;
}

/** Writes that the new leader has confirmed. */
export function writesAfter(
  { writes }: Seen,
  { changedAt, server }: Omit<ChangeOfLeader, 'begunAt'>,
): readonly Write[] {
  return writes.filter((write) => write.server === server && write.at > changedAt);
}

/** What the app has seen of a change. */
export function readingOf(seen: Seen, change: ChangeOfLeader): FailoverReading {
  return {
    firstWriteMs: (writesAfter(seen, change)[0]?.at ?? NaN) - change.changedAt,
    errors: seen.errors.filter((at) => at >= change.begunAt).length,
  };
}
