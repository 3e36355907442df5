import type { FailureCode } from '../core/dial-failure.ts';
import type { TlsPeer } from './engine.ts';

/** What an engine decides about a peer when its handshake is done. */
export type PeerVerdict =
  | { readonly ok: true; readonly peer: TlsPeer }
  /** `NOT_ALLOWED`: `TLS_ALLOW` does not admit the peer. `peer` is the name in its certificate. */
  | { readonly ok: false; readonly code: FailureCode; readonly peer: string | undefined };
