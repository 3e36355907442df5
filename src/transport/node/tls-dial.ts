import { isIP, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Address } from '../../core/address.ts';
import type { TlsMaterial } from '../../identity/material.ts';
import type { TlsDialSettings } from '../engine.ts';
import { WRITE_HIGH_WATER_BYTES } from './high-water.ts';
import { tlsStreamOptions } from './internals.ts';
import { nodeTls } from './node-tls.ts';

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
  const name = withoutFinalDot(serverName ?? (address.kind === 'tcp' ? address.host : 'localhost'));
  const session = sessions.get(key, fingerprint);
  const socket = nodeTls().connect({
    socket: raw,
    secureContext,
    // Checked in the certificate when there is no `servername`, which must not be an address (RFC 6066).
    host: name,
    servername: isIP(name) === 0 ? name : '',
    rejectUnauthorized: true,
    ...(session === undefined ? {} : { session }),
    ...tlsStreamOptions(WRITE_HIGH_WATER_BYTES),
  });
  socket.disableRenegotiation();
  // Emitted only for a candidate that has been verified.
  socket.on('session', (latest) => sessions.put(key, fingerprint, latest));
  return socket;
}

/** The dot that keeps a resolver from its search list is in no SNI (RFC 6066, 3), and in no certificate. */
function withoutFinalDot(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1) : name;
}
