import type { ProxyEnds } from '../core/proxy-header.ts';
import { writeProxyHeader } from '../core/write-proxy-header.ts';
import type { TlsPeer } from '../transport/engine.ts';

/** What each candidate is told of a client, ahead of its first byte: a PROXY protocol header. */
export class Preface {
  readonly #version: 'v1' | 'v2';
  #ends: ProxyEnds | undefined;
  #tls: TlsPeer | undefined;
  #bytes: Buffer | undefined;

  /** @param ends of the client's own connection */
  constructor(version: 'v1' | 'v2', ends: ProxyEnds | undefined) {
    this.#version = version;
    this.#ends = ends;
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
