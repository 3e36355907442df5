import type { HttpAnswer, HttpRequest, HttpStream } from '../http-endpoint.ts';
import { currentReport, type StatusRoutesOptions } from '../status-routes.ts';
import type { ThroughputHistory } from '../history.ts';
import type { LiveFeed } from './live-feed.ts';
import type { LiveState } from './wire.ts';

export interface PageRoutesOptions extends StatusRoutesOptions {
  /** What services have moved before the page is opened. */
  readonly history: Pick<ThroughputHistory, 'samples'>;
  /** Hears what went wrong while nobody waited for an answer. */
  readonly onError: (error: unknown) => void;
}

/** The status page at `/` and what keeps it up to date at `/events`. The page's code is loaded at the first request. */
export class PageRoutes {
  readonly #options: PageRoutesOptions;
  #page: Promise<HttpAnswer> | undefined;
  #feed: Promise<LiveFeed> | undefined;
  #closed = false;

  constructor(options: PageRoutesOptions) {
    this.#options = options;
  }

  /** @returns undefined for a path that is not of these */
  answer({ method, path, headers }: HttpRequest): Promise<HttpAnswer | HttpStream> | HttpAnswer | undefined {
    if (path === '/') return this.#document();
    if (path !== '/events') return undefined;
    // A browser that is on another site could use up the places; what it reads it would not be let see anyway.
    if (headers['origin'] !== undefined)
      return { status: 403, body: 'requests of other web pages are refused (Origin)' };
    if (method === 'HEAD') return { status: 200, body: '', type: 'text/event-stream' };
    return this.#events();
  }

  /** Ends every stream. */
  async close(): Promise<void> {
    this.#closed = true;
    (await this.#feed?.catch(() => undefined))?.close();
  }

  #document(): Promise<HttpAnswer> {
    this.#page ??= import('./document.ts').then(({ statusPage }) => statusPage());
    // A file that could not be read now may be there at the next request.
    this.#page.catch(() => (this.#page = undefined));
    return this.#page;
  }

  async #events(): Promise<HttpAnswer | HttpStream> {
    this.#feed ??= this.#createFeed();
    this.#feed.catch(() => (this.#feed = undefined));
    const feed = await this.#feed;
    if (this.#closed) feed.close();
    return feed.answer();
  }

  async #createFeed(): Promise<LiveFeed> {
    const [{ LiveFeed }, { liveState, MAX_CONNECTIONS }] = await Promise.all([
      import('./live-feed.ts'),
      import('./live-state.ts'),
    ]);
    const { ambassador, recorder, history, onError } = this.#options;
    const look = (): LiveState =>
      liveState({
        report: currentReport(this.#options),
        connections: ambassador.connections({ limit: MAX_CONNECTIONS }),
        finished: recorder.recent(RECENT),
        nowMs: Date.now(),
      });
    return new LiveFeed({ look, past: (services) => history.samples(services), onError });
  }
}

/** Of the connections that ended, the failures among so many are shown. */
const RECENT = 1_000;
