import type { Socket } from 'node:net';
import type { ProxyEnds } from '../core/proxy-header.ts';
import { writeProxyHeader } from '../core/write-proxy-header.ts';
import { endsOf } from '../transport/socket-ends.ts';
import type { TlsPeer } from '../transport/tls-peer.ts';

/** What each candidate is told of a client, ahead of its first byte: a PROXY protocol header. */
export class Preface {
  readonly #version: 'v1' | 'v2';
  #ends: ProxyEnds | undefined;
  #tls: TlsPeer | undefined;
  #bytes: Buffer | undefined;

  constructor(version: 'v1' | 'v2', socket: Socket) {
    this.#version = version;
    this.#ends = endsOf(socket);
  }

  /** Somebody before us has told of the client in the same way. */
  carried(ends: ProxyEnds): void {
    this.#ends = ends;
  }

  /** The client's TLS ends here. */
  secured(peer: TlsPeer): void {
    this.#tls = peer;
  }

  /** The same for every candidate. */
  get bytes(): Buffer {
    this.#bytes ??= writeProxyHeader({ version: this.#version, ends: this.#ends, tls: this.#tls });
    return this.#bytes;
  }
}
