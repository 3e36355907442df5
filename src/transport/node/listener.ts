import { createServer, type Server, type Socket } from 'node:net';
import type { Address } from '../../core/address.ts';
import { fullJitterBackoff, type Backoff } from '../../core/backoff.ts';
import { errnoOf } from '../../core/errors.ts';
import { acceptDirectly } from './direct-accept.ts';
import { directAcceptWorks } from './direct-accept-check.ts';
import { WRITE_HIGH_WATER_BYTES } from './high-water.ts';
import { keepAliveDelayMs } from './leg.ts';
import type { Listener } from '../engine.ts';
import { listenOnAll, serverOpener, type ListenAllOptions, type MissingAddress } from '../listen-all.ts';
import { removeStaleSocket } from '../stale-socket.ts';

export interface SocketListenerOptions extends Pick<
  ListenAllOptions<Server>,
  'address' | 'family' | 'resolver' | 'socketMode'
> {
  /** TCP keep-alive of accepted connections, 0 for none. */
  readonly keepAliveMs: number;
  /**
   * Whether accepted sockets read into buffers of ours, if a check in this process finds that it works; `on`: the listener
   * waits for the check.
   */
  readonly directIo: DirectIo;
  readonly onConnection: (socket: Socket) => void;
  /**
   * @param addresses where it really listens: all addresses of a name, the port the system picked for 0
   * @param missing addresses of the name that this machine does not have
   */
  readonly onListening: (addresses: readonly [Address, ...Address[]], missing: readonly MissingAddress[]) => void;
  readonly onFailed: (errno: string, retryInMs: number) => void;
  /** A connection could not be accepted: `EMFILE`, `ENFILE`, `ENOBUFS`, ... The listener goes on. */
  readonly onAcceptError: (errno: string) => void;
}

export type DirectIo = 'auto' | 'on' | 'off';

const BACKLOG = 4096;
const RETRY_INITIAL_MS = 200;
const RETRY_MAX_MS = 5_000;

type State =
  | { readonly phase: 'closed' }
  | { readonly phase: 'opening'; readonly retry: NodeJS.Timeout | undefined }
  | { readonly phase: 'listening'; readonly servers: readonly Server[]; readonly address: Address };

/** Accepts clients on one address, or on all addresses of a name. While the address cannot be had it tries again, and says so each time. */
export class SocketListener implements Listener {
  readonly #options: SocketListenerOptions;
  readonly #backoff: Backoff;
  #state: State = { phase: 'closed' };
  /** Counts openings and closings, so that an attempt begun before one of them ends without effect. */
  #epoch = 0;

  constructor(options: SocketListenerOptions) {
    this.#options = options;
    this.#backoff = fullJitterBackoff({
      initialMs: RETRY_INITIAL_MS,
      maxMs: RETRY_MAX_MS,
      minMs: RETRY_INITIAL_MS / 2,
    });
  }

  /** Where it listens, of several addresses the first; undefined while it does not. */
  get address(): Address | undefined {
    return this.#state.phase === 'listening' ? this.#state.address : undefined;
  }

  /** Begins to listen; returns at once. */
  open(): void {
    if (this.#state.phase !== 'closed') return;
    this.#backoff.reset();
    this.#state = { phase: 'opening', retry: undefined };
    this.#epoch += 1;
    void this.#attempt(this.#epoch);
  }

  /** Stops accepting: new clients are refused at once. Accepted connections are not touched. */
  close(): void {
    const state = this.#state;
    this.#state = { phase: 'closed' };
    this.#epoch += 1;
    if (state.phase === 'closed') return;
    // An attempt that is under way sees the epoch when it is through.
    if (state.phase === 'opening') clearTimeout(state.retry);
    else for (const server of state.servers) server.close();
  }

  /** Never rejects. */
  async #attempt(epoch: number): Promise<void> {
    const { address } = this.#options;
    try {
      if (this.#options.directIo === 'on') await directAcceptWorks();
      if (epoch === this.#epoch) await this.#listen(epoch);
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

  /** Heard of from its birth on, so that no client that comes early is lost. */
  #createServer(): Server {
    const { onConnection, keepAliveMs } = this.#options;
    const server = createServer({
      allowHalfOpen: true,
      pauseOnConnect: true,
      noDelay: true,
      keepAlive: keepAliveMs > 0,
      keepAliveInitialDelay: keepAliveDelayMs(keepAliveMs),
      highWaterMark: WRITE_HIGH_WATER_BYTES,
    });
    return server.on('connection', onConnection);
  }

  async #listen(epoch: number): Promise<void> {
    const { onListening, onAcceptError } = this.#options;
    const opener = serverOpener(() => this.#createServer());
    const { servers, addresses, missing } = await listenOnAll({ ...this.#options, backlog: BACKLOG, opener });
    for (const server of servers) server.on('error', (error) => onAcceptError(errnoOf(error)));
    if (epoch !== this.#epoch) {
      for (const server of servers) server.close();
      return;
    }
    this.#state = { phase: 'listening', servers, address: addresses[0] };
    this.#backoff.reset();
    onListening(addresses, missing);
    for (const server of servers) this.#goDirect(server);
  }

  /** Until it is found to work sockets come the usual way, so that nobody waits for it; `on` has waited. */
  #goDirect(server: Server): void {
    const { directIo, onConnection, keepAliveMs } = this.#options;
    if (directIo === 'off') return;
    const options = { keepAliveDelayMs: keepAliveDelayMs(keepAliveMs), onConnection };
    void directAcceptWorks().then((works) => works && acceptDirectly(server, options));
  }

  #retryLater(errno: string): void {
    const retryInMs = this.#backoff.next();
    const retry = setTimeout(() => void this.#attempt(this.#epoch), retryInMs);
    this.#state = { phase: 'opening', retry };
    this.#options.onFailed(errno, retryInMs);
  }
}
