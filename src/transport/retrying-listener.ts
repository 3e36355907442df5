import type { Address } from '../core/address.ts';
import { fullJitterBackoff, type Backoff } from '../core/backoff.ts';
import { errnoOf } from '../core/errors.ts';
import type { Listener } from './engine.ts';
import { listenOnAll, type ListenAllOptions, type ListeningServers } from './listen-all.ts';
import { removeStaleSocket } from './stale-socket.ts';

export interface RetryingListenerOptions<S> extends ListenAllOptions<S> {
  readonly listening: (all: ListeningServers<S>) => void;
  /** An attempt failed; the next one begins after `retryInMs`. */
  readonly failed: (errno: string, retryInMs: number) => void;
}

const RETRY_INITIAL_MS = 200;
const RETRY_MAX_MS = 5_000;

type State<S> =
  | { readonly phase: 'closed' }
  | { readonly phase: 'opening'; readonly retry: NodeJS.Timeout | undefined }
  | { readonly phase: 'listening'; readonly servers: readonly S[]; readonly address: Address };

/** Listens on one address, or on all addresses of a name, with the opener of an engine. While it cannot listen it tries again. */
export class RetryingListener<S> implements Listener {
  readonly #options: RetryingListenerOptions<S>;
  readonly #backoff: Backoff;
  #state: State<S> = { phase: 'closed' };
  /** Counts openings and closings, so that an attempt begun before one of them ends without effect. */
  #epoch = 0;

  constructor(options: RetryingListenerOptions<S>) {
    this.#options = options;
    this.#backoff = fullJitterBackoff({
      initialMs: RETRY_INITIAL_MS,
      maxMs: RETRY_MAX_MS,
      minMs: RETRY_INITIAL_MS / 2,
    });
  }

  get address(): Address | undefined {
    return this.#state.phase === 'listening' ? this.#state.address : undefined;
  }

  open(): void {
    if (this.#state.phase !== 'closed') return;
    this.#backoff.reset();
    this.#state = { phase: 'opening', retry: undefined };
    this.#epoch += 1;
    void this.#attempt(this.#epoch);
  }

  close(): void {
    const state = this.#state;
    this.#state = { phase: 'closed' };
    this.#epoch += 1;
    if (state.phase === 'closed') return;
    // An attempt that is under way sees the epoch when it is through.
    if (state.phase === 'opening') clearTimeout(state.retry);
    else this.#closeAll(state.servers);
  }

  /** Never rejects. */
  async #attempt(epoch: number): Promise<void> {
    const { address } = this.#options;
    try {
      await this.#listen(epoch);
    } catch (error) {
      if (epoch !== this.#epoch) return;
      const stale =
        address.kind === 'unix' && errnoOf(error) === 'EADDRINUSE' && (await removeStaleSocket(address.path));
      // Another opening or closing may have come while the file was looked at.
      if (epoch !== this.#epoch) return;
      if (stale) void this.#attempt(epoch);
      else this.#retryLater(errnoOf(error));
    }
  }

  async #listen(epoch: number): Promise<void> {
    const all = await listenOnAll(this.#options);
    if (epoch !== this.#epoch) {
      this.#closeAll(all.servers);
      return;
    }
    this.#state = { phase: 'listening', servers: all.servers, address: all.addresses[0] };
    this.#backoff.reset();
    this.#options.listening(all);
  }

  #closeAll(servers: readonly S[]): void {
    for (const server of servers) this.#options.opener.close(server);
  }

  #retryLater(errno: string): void {
    const retryInMs = this.#backoff.next();
    const retry = setTimeout(() => void this.#attempt(this.#epoch), retryInMs);
    this.#state = { phase: 'opening', retry };
    this.#options.failed(errno, retryInMs);
  }
}
