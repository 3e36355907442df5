import { unlinkSync } from 'node:fs';
import type { ListenOptions } from 'node:net';
import { plainIp } from '../../core/ip-bytes.ts';
import type { Opener } from '../listen-all.ts';
import { bindWithMode } from '../socket-rights.ts';
import { systemError } from './errno.ts';
import type { Records } from './records.ts';
import { systemAddress } from './system-address.ts';
import type { NativeThread } from './thread.ts';

/** One listening socket; the thread accepts its clients. */
export interface OpenedSocket {
  readonly id: number;
  readonly descriptor: number;
  /** Of a Unix socket. */
  readonly path: string | undefined;
  /** Undefined on a Unix socket. The host is undefined where clients may connect to several addresses. */
  readonly bound: { readonly host: string; readonly port: number } | undefined;
}

export interface NativeOpenerOptions {
  readonly thread: NativeThread;
  /** Of accepted connections, 0: none. */
  readonly keepAliveMs: number;
  readonly accepted: (records: Records, socket: OpenedSocket) => void;
  readonly acceptFailed: (errno: number) => void;
}

/** What a machine without IPv6 says. */
const NO_IPV6: ReadonlySet<string> = new Set(['EAFNOSUPPORT', 'EINVAL', 'EADDRNOTAVAIL']);
const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/** Opens listening sockets for the thread, and closes them. */
export class NativeOpener implements Opener<OpenedSocket> {
  readonly #options: NativeOpenerOptions;

  constructor(options: NativeOpenerOptions) {
    this.#options = options;
  }

  async open(where: ListenOptions, mode: number): Promise<OpenedSocket> {
    // What is thrown is a rejection, as it is where opening takes time.
    await Promise.resolve();
    const { path } = where;
    const descriptor = path === undefined ? this.#bindTcp(where) : this.#bindUnix(path, mode);
    return this.#hand(descriptor, path);
  }

  /** New clients are refused when this returns. */
  close({ id, descriptor, path }: OpenedSocket): void {
    const { addon, commands } = this.#options.thread;
    addon.refuse(descriptor);
    commands.unlisten(id);
    this.#options.thread.removeListener(id);
    if (path !== undefined) unlink(path);
  }

  boundTo({ bound }: OpenedSocket): OpenedSocket['bound'] {
    return bound;
  }

  #hand(descriptor: number, path: string | undefined): OpenedSocket {
    const { thread, accepted, acceptFailed } = this.#options;
    const found = path === undefined ? thread.addon.bound(descriptor) : undefined;
    const bound = found && { host: plainIp(found.host), port: found.port };
    const id: number = thread.addListener({ accepted: (records) => accepted(records, socket), acceptFailed });
    const socket: OpenedSocket = { id, descriptor, path, bound };
    const isWild = found !== undefined && WILDCARDS.has(found.host);
    thread.commands.listen({ id, descriptor, isTcp: path === undefined, isWild });
    return socket;
  }

  #bindTcp({ host, port = 0, ipv6Only = false }: ListenOptions): number {
    if (host !== undefined) return this.#bind(host, port, ipv6Only);
    try {
      return this.#bind('::', port, false);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && NO_IPV6.has(String(error.code)))) throw error;
      return this.#bind('0.0.0.0', port, false);
    }
  }

  #bindUnix(path: string, mode: number): number {
    let descriptor = -1;
    try {
      bindWithMode(path, mode, () => {
        descriptor = this.#bind(path, -1, false);
      });
    } catch (error) {
      if (descriptor >= 0) {
        this.close(this.#hand(descriptor, path));
      }
      throw error;
    }
    return descriptor;
  }

  #bind(host: string, port: number, isIpv6Only: boolean): number {
    const { thread, keepAliveMs } = this.#options;
    const address = systemAddress(thread.addon, host, port);
    if (address === undefined) throw Object.assign(new Error(`${host} is no address`), { code: 'EINVAL' });
    const descriptor = thread.addon.listen(address, isIpv6Only, keepAliveMs);
    if (descriptor < 0) throw systemError(-descriptor, `listen on ${host}`);
    return descriptor;
  }
}

function unlink(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Somebody has removed it.
  }
}
