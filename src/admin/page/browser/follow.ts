import type { BeatMessage, PastMessage, StateMessage } from '../wire.ts';

export interface Followed {
  readonly onPast: (past: PastMessage) => void;
  readonly onState: (message: StateMessage) => void;
  readonly onBeat: (nowMs: number) => void;
  /** Nothing comes; it is tried again until something does. */
  readonly onLost: () => void;
}

/** Something comes at least every 5 s. */
const SILENCE_MS = 12_000;
const RETRY_MS = 1_000;
const MAX_RETRY_MS = 8_000;
/** A page that nobody sees gives its place to others. */
const HIDDEN_MS = 60_000;

/** Listens to `/events` for as long as the page is looked at, whatever becomes of the connection. */
export function follow(followed: Followed): void {
  let source: EventSource | undefined;
  let [silence, retry, hidden]: (number | undefined)[] = [];
  let retryMs = RETRY_MS;

  const open = () => {
    stop();
    const opened = new EventSource('events');
    source = opened;
    heard();
    const on = (name: string, act: (data: string) => void) =>
      opened.addEventListener(name, ({ data }: MessageEvent<string>) => {
        heard();
        retryMs = RETRY_MS;
        act(data);
      });
    on('past', (data) => followed.onPast(JSON.parse(data) as PastMessage));
    on('state', (data) => followed.onState(JSON.parse(data) as StateMessage));
    on('beat', (data) => followed.onBeat((JSON.parse(data) as BeatMessage).nowMs));
    // The browser comes again by itself after a cut, but not after an answer that is no stream.
    opened.addEventListener('error', lost);
  };
  const lost = () => {
    stop();
    followed.onLost();
    retry = setTimeout(open, retryMs);
    retryMs = Math.min(retryMs * 1.5, MAX_RETRY_MS);
  };
  const heard = () => {
    clearTimeout(silence);
    silence = setTimeout(lost, SILENCE_MS);
  };
  const stop = () => {
    source?.close();
    source = undefined;
    clearTimeout(silence);
    clearTimeout(retry);
  };

  document.addEventListener('visibilitychange', () => {
    clearTimeout(hidden);
    if (document.hidden) hidden = setTimeout(stop, HIDDEN_MS);
    else if (source === undefined) open();
  });
  open();
}
