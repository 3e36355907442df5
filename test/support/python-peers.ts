import { spawn } from 'node:child_process';
import type { TestContext } from 'node:test';
import type { TcpAddress } from '../../src/core/address.ts';
import type { CertificateFiles } from './certificates.ts';
import { spoken } from './spoken.ts';
import { eventually } from './wait.ts';

/** A peer written in Python, whose `close()` of a TLS socket sends a FIN and no close_notify. */
export interface PythonPeer {
  /** What it printed. */
  output(): string;
  /** Resolves when it has ended by itself. */
  readonly gone: Promise<unknown>;
}

/** Certificates of its own, and whom it trusts. */
export interface PythonTls extends Pick<CertificateFiles, 'chainPath' | 'keyPath'> {
  readonly caPath: string;
}

/** @param body Python that has a TLS socket `s` with its handshake done, and arguments from `sys.argv[5]` on */
export function startPythonClient(t: TestContext, options: { port: number; tls: PythonTls; body: string }): PythonPeer {
  const { port, tls, body } = options;
  const script = `${IMPORTS}
context = ssl.create_default_context(cafile=sys.argv[1])
context.load_cert_chain(sys.argv[2], sys.argv[3])
s = context.wrap_socket(socket.create_connection(("127.0.0.1", int(sys.argv[4]))), server_hostname="localhost", suppress_ragged_eofs=False)
${body}`;
  return startPython(t, script, [tls.caPath, tls.chainPath, tls.keyPath, String(port)]);
}

/** @param body Python that has a TLS socket `s` of the first client, with its handshake done */
export async function startPythonServer(
  t: TestContext,
  options: { tls: PythonTls; body: string },
): Promise<PythonPeer & { readonly address: TcpAddress }> {
  const { tls, body } = options;
  const script = `${IMPORTS}
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=sys.argv[1])
context.load_cert_chain(sys.argv[2], sys.argv[3])
listener = socket.create_server(("127.0.0.1", 0))
print(f"port {listener.getsockname()[1]}", flush=True)
s = context.wrap_socket(listener.accept()[0], server_side=True)
${body}`;
  const peer = startPython(t, script, [tls.caPath, tls.chainPath, tls.keyPath]);
  const port = (): number => Number(/port (\d+)/.exec(peer.output())?.[1] ?? 0);
  await eventually(() => port() !== 0, 'the Python server listens');
  return { ...peer, address: { kind: 'tcp', host: 'localhost', port: port() } };
}

const IMPORTS = 'import hashlib, socket, ssl, sys, time';

function startPython(t: TestContext, script: string, args: readonly string[]): PythonPeer {
  const child = spawn('python3', ['-c', script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  return spoken(t, child);
}
