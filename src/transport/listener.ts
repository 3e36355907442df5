import { createServer, isIP, type ListenOptions, type Server, type Socket } from 'node:net';
import type { Address } from '../core/address.ts';
import { fullJitterBackoff, type Backoff } from '../core/backoff.ts';
import { errnoOf } from '../core/errors.ts';
import { acceptDirectly } from './direct-accept.ts';
import { directAcceptWorks } from './direct-accept-check.ts';
import { WRITE_HIGH_WATER_BYTES } from './high-water.ts';
import { keepAliveDelayMs } from './leg.ts';
import type { Family, Resolver } from './resolver.ts';
import { removeStaleSocket } from './stale-socket.ts';

export interface ListenerOptions {
  readonly address: Address;
  /** 4 and 6 listen in that family alone, 0 in both. */
  readonly family: Family;
  readonly resolver: Resolver;
  /** TCP keep-alive of accepted connections, 0 for none. */
  readonly keepAliveMs: number;
  /** Whether accepted sockets read into buffers of ours; `auto`: if a check in this process finds that it works. */
  readonly directIo: DirectIo;
  readonly onConnection: (socket: Socket) => void;
  /** @param address where it really listens: the port the system picked for 0 */
  readonly onListening: (address: Address) => void;
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
  | { readonly phase: 'opening'; readonly server: Server | undefined; readonly retry: NodeJS.Timeout | undefined }
  | { readonly phase: 'listening'; readonly server: Server; readonly address: Address };

/** Accepts clients on one address. While the address cannot be had it tries again, and says so each time. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #backoff: Backoff;
  #state: State = { phase: 'closed' };
  /** Counts openings and closings, so that an attempt begun before one of them ends without effect. */
  #epoch = 0;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#backoff = fullJitterBackoff({
      initialMs: RETRY_INITIAL_MS,
      maxMs: RETRY_MAX_MS,
      minMs: RETRY_INITIAL_MS / 2,
    });
  }

  /** Where it listens; undefined while it does not. */
  get address(): Address | undefined {
    return this.#state.phase === 'listening' ? this.#state.address : undefined;
  }

  /** Begins to listen; returns at once. */
  open(): void {
    if (this.#state.phase !== 'closed') return;
    this.#backoff.reset();
    this.#state = { phase: 'opening', server: undefined, retry: undefined };
    this.#epoch += 1;
    void this.#attempt(this.#epoch);
  }

  /** Stops accepting: new clients are refused at once. Accepted connections are not touched. */
  close(): void {
    const state = this.#state;
    this.#state = { phase: 'closed' };
    this.#epoch += 1;
    if (state.phase === 'closed') return;
    if (state.phase === 'opening') clearTimeout(state.retry);
    state.server?.close();
  }

  /** Never rejects. */
  async #attempt(epoch: number): Promise<void> {
    const { address } = this.#options;
    try {
      const where = await this.#listenOptions();
      if (epoch === this.#epoch) await this.#listen(where, epoch);
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

  async #listenOptions(): Promise<ListenOptions> {
    const { address, family, resolver } = this.#options;
    if (address.kind === 'unix') return { path: address.path, backlog: BACKLOG };
    const { host, port } = address;
    const base = { port, backlog: BACKLOG, ipv6Only: family === 6 };
    if (host !== '') {
      const [ip] = isIP(host) === 0 ? await resolver.resolve(host, family) : [host];
      return { ...base, host: ip };
    }
    // Without a host Node listens in both families, and in IPv4 alone where there is no IPv6.
    if (family === 0) return base;
    return { ...base, host: family === 4 ? '0.0.0.0' : '::' };
  }

  #listen(where: ListenOptions, epoch: number): Promise<void> {
    const { onConnection, keepAliveMs, onListening, onAcceptError } = this.#options;
    const server = createServer({
      allowHalfOpen: true,
      pauseOnConnect: true,
      noDelay: true,
      keepAlive: keepAliveMs > 0,
      keepAliveInitialDelay: keepAliveDelayMs(keepAliveMs),
      highWaterMark: WRITE_HIGH_WATER_BYTES,
    });
    this.#state = { phase: 'opening', server, retry: undefined };
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(where, () => {
        server.off('error', reject);
        server.on('error', (error) => onAcceptError(errnoOf(error)));
        server.on('connection', onConnection);
        if (epoch === this.#epoch) {
          const address = boundAddress(server, this.#options.address);
          this.#state = { phase: 'listening', server, address };
          this.#backoff.reset();
          onListening(address);
          this.#goDirect(server);
        }
        resolve();
      });
    });
  }

  /** Until it is found to work sockets come the usual way, so that nobody waits for it. */
  #goDirect(server: Server): void {
    const { directIo, onConnection, keepAliveMs } = this.#options;
    if (directIo === 'off') return;
    const options = { keepAliveDelayMs: keepAliveDelayMs(keepAliveMs), onConnection };
    if (directIo === 'on') acceptDirectly(server, options);
    else void directAcceptWorks().then((works) => works && acceptDirectly(server, options));
  }

  #retryLater(errno: string): void {
    const retryInMs = this.#backoff.next();
    const retry = setTimeout(() => void this.#attempt(this.#epoch), retryInMs);
    this.#state = { phase: 'opening', server: undefined, retry };
    this.#options.onFailed(errno, retryInMs);
  }
}

function boundAddress(server: Server, asked: Address): Address {
  const bound = server.address();
  if (asked.kind === 'unix' || bound === null || typeof bound === 'string') return asked;
  return { kind: 'tcp', host: asked.host === '' ? '' : bound.address, port: bound.port };
}
