import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type ConnectionOptions, type TLSSocket, type TlsOptions } from 'node:tls';
import { readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import type { TcpAddress } from '../../src/core/address.ts';
import { parsePeerRule } from '../../src/core/peer-rule.ts';
import type { MaterialPurpose, TlsMaterial, TlsVersion } from '../../src/identity/material.ts';
import { parseMaterial } from '../../src/identity/parse-material.ts';
import { peerName, peerPolicy } from '../../src/identity/peer.ts';
import type { TlsAcceptSettings, TlsDialSettings } from '../../src/transport/engine.ts';
import { Handshakes } from '../../src/transport/handshakes.ts';
import { TlsSessions } from '../../src/transport/tls-sessions.ts';
import type { CertificateFiles } from './certificates.ts';
import { partsOf } from './material.ts';

export interface TlsFiles {
  readonly caPath: string;
  readonly identity?: CertificateFiles;
  readonly minVersion?: TlsVersion;
  readonly ciphers?: readonly string[];
  readonly clientAuth?: 'require' | 'none';
  readonly allow?: readonly string[];
}

/** Server mode from files. */
export function accepting(files: TlsFiles, more: Partial<TlsAcceptSettings> = {}): TlsAcceptSettings {
  const { clientAuth = 'require' } = files;
  const material = materialOf(files, 'server');
  return {
    material: () => material,
    clientAuth,
    peers: peers(files),
    timeoutMs: 5_000,
    handshakes: new Handshakes(),
    ...more,
  };
}

/** Client mode from files. */
export function dialingTls(files: TlsFiles, more: Partial<TlsDialSettings> = {}): TlsDialSettings {
  const material = materialOf(files, 'client');
  return {
    material: () => material,
    serverName: undefined,
    peers: peers(files),
    sessions: new TlsSessions(),
    handshakes: new Handshakes(),
    ...more,
  };
}

export function materialOf(files: TlsFiles, role: 'client' | 'server'): TlsMaterial {
  const { caPath, identity, minVersion = 'TLSv1.2', ciphers, clientAuth = 'require' } = files;
  const shared = { minVersion, ciphers };
  const purpose: MaterialPurpose = role === 'server' ? { role, clientAuth, ...shared } : { role, ...shared };
  const own = identity && { cert: identity.chainPath, key: identity.keyPath };
  return parseMaterial({ purpose, parts: partsOf({ ca: caPath, ...own }) });
}

function peers({ allow = [] }: TlsFiles): TlsAcceptSettings['peers'] {
  const rules = allow.map((text) => {
    const parsed = parsePeerRule(text);
    if (!parsed.ok) throw new Error(parsed.reason);
    return parsed.rule;
  });
  return { policy: peerPolicy(rules), nameOf: peerName };
}

/** Node's own options for one end. */
export function pemOf({ caPath, identity }: TlsFiles): {
  readonly ca: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
} {
  return {
    ca: readFileSync(caPath),
    ...(identity && { cert: readFileSync(identity.chainPath), key: readFileSync(identity.keyPath) }),
  };
}

/** A client that has done its handshake, keeps both directions apart and never throws. */
export async function connectTls(port: number, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = openTls(port, options);
  await once(socket, 'secureConnect');
  return socket;
}

export function openTls(port: number, options: ConnectionOptions): TLSSocket {
  const socket = connect({
    port,
    host: '127.0.0.1',
    servername: 'localhost',
    ...options,
    // Missing in the types.
    ...{ allowHalfOpen: true },
  });
  socket.on('error', () => undefined);
  return socket;
}

export interface TlsTestServer {
  readonly address: TcpAddress;
  readonly port: number;
  /** Handshakes that were done. */
  readonly sockets: readonly TLSSocket[];
  /** Who the clients were. */
  readonly subjects: readonly (string | undefined)[];
  /** Bytes of plain text that came. */
  received(): number;
}

/** A TLS server on a free loopback port that asks for a certificate, ended with the test. */
export async function startTlsServer(
  t: TestContext,
  options: TlsOptions,
  onConnection: (socket: TLSSocket) => void = (socket) => socket.pipe(socket),
): Promise<TlsTestServer> {
  const sockets: TLSSocket[] = [];
  const subjects: (string | undefined)[] = [];
  let received = 0;
  const server = createServer({ allowHalfOpen: true, requestCert: true, ...options }, (socket) => {
    sockets.push(socket);
    subjects.push(socket.getPeerX509Certificate()?.subject);
    socket.on('error', () => undefined).on('data', (chunk: Buffer) => (received += chunk.length));
    onConnection(socket);
  });
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { address: { kind: 'tcp', host: 'localhost', port }, port, sockets, subjects, received: () => received };
}
