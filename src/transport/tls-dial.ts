import { isIP, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Address } from '../core/address.ts';
import type { TlsMaterial } from '../identity/material.ts';
import { WRITE_HIGH_WATER_BYTES } from './high-water.ts';
import type { PeerCheck } from './tls-peer.ts';
import type { TlsSessions } from './tls-sessions.ts';
import { nodeTls } from './node-tls.ts';

/** How candidates of a service are spoken to by TLS. One object per service. */
export interface TlsDialSettings {
  /** What new connections use; undefined while there is none. */
  readonly material: () => TlsMaterial | undefined;
  /** Sent as SNI and checked in the candidate's certificate; default: the candidate's host. */
  readonly serverName: string | undefined;
  readonly peers: PeerCheck;
  readonly sessions: TlsSessions;
}

export interface TlsConnectOptions {
  /** Connected. */
  readonly raw: Socket;
  readonly address: Address;
  /** The candidate's name among the sessions. */
  readonly key: string;
  readonly material: TlsMaterial;
  readonly settings: TlsDialSettings;
}

/**
 * Begins the handshake with a candidate on a connected socket. It emits `secureConnect` once chain and name are verified,
 * `error` otherwise; nothing but the handshake is sent before.
 */
export function tlsConnect({ raw, address, key, material, settings }: TlsConnectOptions): TLSSocket {
  const { sessions, serverName } = settings;
  const { fingerprint, secureContext } = material;
  const name = serverName ?? (address.kind === 'tcp' ? address.host : 'localhost');
  const session = sessions.get(key, fingerprint);
  const socket = nodeTls().connect({
    socket: raw,
    secureContext,
    // Checked in the certificate when there is no `servername`, which must not be an address (RFC 6066).
    host: name,
    servername: isIP(name) === 0 ? name : '',
    rejectUnauthorized: true,
    ...(session === undefined ? {} : { session }),
    // Not in the types: it goes to the stream.
    ...{ highWaterMark: WRITE_HIGH_WATER_BYTES },
  });
  socket.disableRenegotiation();
  // Emitted only for a candidate that has been verified.
  socket.on('session', (latest) => sessions.put(key, fingerprint, latest));
  return socket;
}
