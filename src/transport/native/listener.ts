import type { Address } from '../../core/address.ts';
import { fullJitterBackoff, type Backoff } from '../../core/backoff.ts';
import { errnoOf } from '../../core/errors.ts';
import type { Listener, ListenerOptions } from '../engine.ts';
import { listenOnAll } from '../listen-all.ts';
import { removeStaleSocket } from '../stale-socket.ts';
import { NativeClient } from './client.ts';
import { errnoName } from './errno.ts';
import { NativeOpener, type OpenedSocket } from './opener.ts';
import type { Records } from './records.ts';
import type { NativeThread } from './thread.ts';

const RETRY_INITIAL_MS = 200;
const RETRY_MAX_MS = 5_000;

type State =
  | { readonly phase: 'closed' }
  | { readonly phase: 'opening'; readonly retry: NodeJS.Timeout | undefined }
  | { readonly phase: 'listening'; readonly sockets: readonly OpenedSocket[]; readonly address: Address };

/** Listens on one address, or on all addresses of a name; the thread accepts. While the address cannot be had it tries again. */
export class NativeListener implements Listener {
  readonly #options: ListenerOptions;
  readonly #thread: NativeThread;
  readonly #opener: NativeOpener;
  readonly #backoff: Backoff;
  #state: State = { phase: 'closed' };
  /** Counts openings and closings, so that an attempt begun before one of them ends without effect. */
  #epoch = 0;

  constructor(thread: NativeThread, options: ListenerOptions) {
    this.#options = options;
    this.#thread = thread;
    this.#opener = new NativeOpener({
      thread,
      keepAliveMs: options.keepAliveMs,
      accepted: (records, socket) => this.#accepted(records, socket),
      acceptFailed: (errno) => options.owner.acceptFailed(errnoName(errno)),
    });
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
    else for (const socket of state.sockets) this.#opener.close(socket);
  }

  #accepted(records: Records, { bound }: OpenedSocket): void {
    const { address, handshake: settings, owner } = this.#options;
    const isUnix = address.kind === 'unix';
    const local = bound === undefined ? undefined : { ip: bound.host, port: bound.port };
    owner.client(new NativeClient({ thread: this.#thread, records, isUnix, settings, local }));
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
    const opener = this.#opener;
    const { servers: sockets, addresses, missing } = await listenOnAll({ ...this.#options, opener });
    if (epoch !== this.#epoch) {
      for (const socket of sockets) opener.close(socket);
      return;
    }
    this.#state = { phase: 'listening', sockets, address: addresses[0] };
    this.#backoff.reset();
    this.#options.owner.listening(addresses, missing);
  }

  #retryLater(errno: string): void {
    const retryInMs = this.#backoff.next();
    const retry = setTimeout(() => void this.#attempt(this.#epoch), retryInMs);
    this.#state = { phase: 'opening', retry };
    this.#options.owner.listenFailed(errno, retryInMs);
  }
}
