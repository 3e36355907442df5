import type { Writable } from 'node:stream';
import { escapeInvisible } from '../../core/visible.ts';
import type { HttpAnswer, HttpStream } from '../http-endpoint.ts';
import type { BeatMessage, LiveState, PastMessage, StateMessage } from './wire.ts';

export interface LiveFeedOptions {
  readonly look: () => LiveState;
  /** What these services have moved before. */
  readonly past: (services: readonly string[]) => PastMessage;
  /** Hears what `look` threw; it ends the streams, whose readers come again. */
  readonly onError: (error: unknown) => void;
  /** Default: once a second. */
  readonly everyMs?: number;
  /** A reader that takes nothing for this long is dropped; default 10 s. */
  readonly stallMs?: number;
  /** A stream ends after this time, and its page opens another, so that one who vanished keeps no place; default 5 min. */
  readonly lifetimeMs?: number;
}

/** Pages that can look on at the same time; each has one of the connections that probes need, too. */
export const MAX_STREAMS = 16;
const EVERY_MS = 1_000;
const STALL_MS = 10_000;
const LIFETIME_MS = 300_000;
/** A page that hears nothing for some of these knows that it is cut off. */
const BEAT_MS = 5_000;
/** When a browser that was cut off comes again. */
const RETRY_MS = 1_000;

interface Reader {
  readonly channel: Writable;
  readonly openedAt: number;
  spokeAt: number;
  /** The state it has. */
  sent: string;
}

/**
 * Streams of Server-Sent Events that tell what there is to see. It is looked at once for all readers and only while there are
 * any; a reader that is slow is told less often, so that no more than one message ever waits for it.
 */
export class LiveFeed {
  readonly #options: LiveFeedOptions;
  readonly #everyMs: number;
  readonly #readers = new Set<Reader>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: LiveFeedOptions) {
    this.#options = options;
    this.#everyMs = options.everyMs ?? EVERY_MS;
  }

  get readers(): number {
    return this.#readers.size;
  }

  /** Answers a request for the events. */
  answer(): HttpAnswer | HttpStream {
    if (this.#closed || this.#readers.size >= MAX_STREAMS) {
      const body = this.#closed ? 'stopping' : `${MAX_STREAMS} pages are looking on already`;
      return { status: 503, body, headers: { 'retry-after': '5' } };
    }
    return { type: 'text/event-stream', stream: (channel) => this.#open(channel) };
  }

  /** Ends all streams and takes no more. */
  close(): void {
    this.#closed = true;
    this.#stop();
    this.#drop('end');
  }

  #open(channel: Writable): void {
    // It may have been closed, filled or left while the answer was under way.
    if (this.#closed || this.#readers.size >= MAX_STREAMS || channel.destroyed) {
      channel.end();
      return;
    }
    const reader: Reader = { channel, openedAt: performance.now(), spokeAt: performance.now(), sent: '' };
    this.#readers.add(reader);
    channel.on('error', () => this.#readers.delete(reader));
    channel.on('close', () => this.#readers.delete(reader));
    const looked = this.#look();
    if (looked === undefined) return;
    const past = this.#options.past(looked.state.services.map(({ name }) => name));
    channel.write(`retry: ${RETRY_MS}\n\n${event('past', JSON.stringify(past))}`);
    tell(reader, looked);
    this.#timer ??= setInterval(() => this.#tick(), this.#everyMs).unref();
  }

  #tick(): void {
    if (this.#readers.size === 0) {
      this.#stop();
      return;
    }
    const looked = this.#look();
    if (looked === undefined) return;
    const now = performance.now();
    for (const reader of this.#readers) this.#update(reader, looked, now);
  }

  #update(reader: Reader, looked: Looked, now: number): void {
    const { stallMs = STALL_MS, lifetimeMs = LIFETIME_MS } = this.#options;
    const { channel, openedAt, spokeAt, sent } = reader;
    if (channel.writableLength > 0) {
      if (now - spokeAt > stallMs) channel.destroy();
    } else if (now - openedAt > lifetimeMs) {
      this.#readers.delete(reader);
      channel.end();
    } else if (now - spokeAt < this.#everyMs / 2) {
      // It has only just been opened.
    } else if (sent !== looked.text) tell(reader, looked);
    else if (now - spokeAt >= BEAT_MS) {
      const beat: BeatMessage = { nowMs: looked.nowMs };
      channel.write(event('beat', JSON.stringify(beat)));
      reader.spokeAt = now;
    }
  }

  /** Trouble with showing things must not become trouble with carrying them. */
  #look(): Looked | undefined {
    try {
      const state = this.#options.look();
      return { state, nowMs: Date.now(), text: escapeInvisible(JSON.stringify(state)) };
    } catch (error) {
      this.#options.onError(error);
      this.#drop('destroy');
      return undefined;
    }
  }

  #drop(how: 'end' | 'destroy'): void {
    const readers = [...this.#readers];
    this.#readers.clear();
    for (const { channel } of readers) channel[how]();
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

interface Looked {
  readonly state: LiveState;
  /** It as JSON. */
  readonly text: string;
  readonly nowMs: number;
}

function tell(reader: Reader, { text, nowMs }: Looked): void {
  const head: Omit<StateMessage, 'state'> = { nowMs };
  reader.channel.write(event('state', `${JSON.stringify(head).slice(0, -1)},"state":${text}}`));
  reader.sent = text;
  reader.spokeAt = performance.now();
}

/** JSON has no line breaks, which would end the data. */
function event(name: string, json: string): string {
  return `event: ${name}\ndata: ${json}\n\n`;
}
