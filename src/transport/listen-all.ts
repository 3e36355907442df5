import { isIP, type ListenOptions, type Server } from 'node:net';
import type { Address } from '../core/address.ts';
import { errnoOf } from '../core/errors.ts';
import type { Family, Resolver } from '../core/resolver.ts';
import { listenWithRights, OPEN_SOCKET_MODE, type SocketRights } from './socket-rights.ts';

/** Listens on one place. */
export interface Opener<S> {
  /** @throws the system's error */
  open(where: ListenOptions, mode: number): Promise<S>;
  close(opened: S): void;
  /** Where it really listens; undefined: no TCP. */
  boundTo(opened: S): { readonly host: string; readonly port: number } | undefined;
}

export interface ListenAllOptions<S> {
  /** A name stands for all of its addresses. */
  readonly address: Address;
  /** 4 and 6 listen in that family alone, 0 in both. */
  readonly family: Family;
  readonly resolver: Resolver;
  readonly backlog?: number;
  /** Of the file, where the address is a Unix socket; default {@link OPEN_SOCKET_MODE}. */
  readonly socketMode?: number | undefined;
  /** See {@link serverOpener}. */
  readonly opener: Opener<S>;
}

/** What listens, in the order of the look-up. */
export interface ListeningServers<S> {
  readonly servers: readonly S[];
  /** Where they really listen: the port the system picked for 0, the same for all. */
  readonly addresses: readonly [Address, ...Address[]];
  /** Addresses that this machine does not have. */
  readonly missing: readonly MissingAddress[];
}

export interface MissingAddress {
  readonly address: Address;
  readonly errno: string;
}

/** A port that is free at one address may be taken at the next: the system is asked for another one. */
const MOST_PORTS = 10;
/** The machine has no such address, or no such family: what it has is listened on. */
const NOT_OURS: ReadonlySet<string> = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT']);

/**
 * Listens on every address of a name, or on none of them.
 *
 * @throws the look-up's error, or the system's for the first address that cannot be had although it is this machine's
 */
export async function listenOnAll<S>(options: ListenAllOptions<S>): Promise<ListeningServers<S>> {
  const places = await placesOf(options);
  for (let ports = 1; ; ports += 1) {
    const round = new Round(options);
    try {
      for (const place of places) await round.add(place);
      return round.result();
    } catch (error) {
      round.giveUp();
      const isClash = options.address.kind === 'tcp' && options.address.port === 0 && round.count > 0;
      if (!isClash || errnoOf(error) !== 'EADDRINUSE' || ports === MOST_PORTS) throw error;
    }
  }
}

class Round<S> {
  readonly #options: ListenAllOptions<S>;
  readonly #servers: S[] = [];
  readonly #addresses: Address[] = [];
  readonly #missing: MissingAddress[] = [];
  #lastError: unknown;

  constructor(options: ListenAllOptions<S>) {
    this.#options = options;
  }

  get count(): number {
    return this.#servers.length;
  }

  async add(place: ListenOptions): Promise<void> {
    const { opener, address: asked, socketMode: mode = OPEN_SOCKET_MODE } = this.#options;
    const [first] = this.#addresses;
    const port = first?.kind === 'tcp' ? { port: first.port } : {};
    let server: S;
    try {
      server = await opener.open({ ...place, ...port }, mode);
    } catch (error) {
      const errno = errnoOf(error);
      if (!NOT_OURS.has(errno) || asked.kind === 'unix') throw error;
      this.#lastError = error;
      this.#missing.push({ address: { ...asked, host: place.host ?? asked.host }, errno });
      return;
    }
    this.#servers.push(server);
    const bound = opener.boundTo(server);
    const isUnix = asked.kind === 'unix' || bound === undefined;
    this.#addresses.push(isUnix ? asked : { kind: 'tcp', host: asked.host === '' ? '' : bound.host, port: bound.port });
  }

  result(): ListeningServers<S> {
    const [first, ...others] = this.#addresses;
    if (first === undefined) throw this.#lastError;
    return { servers: this.#servers, addresses: [first, ...others], missing: this.#missing };
  }

  giveUp(): void {
    for (const server of this.#servers) this.#options.opener.close(server);
  }
}

async function placesOf<S>(options: ListenAllOptions<S>): Promise<readonly ListenOptions[]> {
  const { address, family, resolver, backlog } = options;
  const base = backlog === undefined ? {} : { backlog };
  if (address.kind === 'unix') return [{ ...base, path: address.path }];
  const { host, port } = address;
  if (host === '') {
    // Without a host Node listens in both families, and in IPv4 alone where there is no IPv6.
    if (family === 0) return [{ ...base, port }];
    return [{ ...base, port, ipv6Only: family === 6, host: family === 4 ? '0.0.0.0' : '::' }];
  }
  const ips = isIP(host) === 0 ? [...new Set(await resolver.resolve(host, family))] : [host];
  // Where each family has an address of its own, none may take the other's.
  return ips.map((ip) => ({ ...base, port, ipv6Only: family === 6 || ips.length > 1, host: ip }));
}

/** @param create makes one server, ready for clients; its errors are the caller's own once it listens */
export function serverOpener<S extends Server>(create: () => S): Opener<S> {
  return {
    async open(where, mode) {
      const server = create();
      await listen(server, { where, mode });
      return server;
    },
    close: (server) => void server.close(),
    boundTo(server) {
      const bound = server.address();
      return bound === null || typeof bound === 'string' ? undefined : { host: bound.address, port: bound.port };
    },
  };
}

function listen(server: Server, rights: SocketRights): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    listenWithRights(server, rights, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
