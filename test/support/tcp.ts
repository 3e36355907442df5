import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type ServerOpts, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type { TcpAddress } from '../../src/core/address.ts';

/** A TCP server on a free loopback port, ended with the test together with what it accepted. */
export interface TestServer {
  readonly server: Server;
  readonly address: TcpAddress;
  readonly port: number;
  /** Every socket accepted so far. */
  readonly sockets: readonly Socket[];
  /** The next socket that is accepted, or one already accepted and not asked for yet. */
  accepted(): Promise<Socket>;
  /** Stops listening and closes every socket. */
  stop(): Promise<void>;
}

export interface TestServerOptions extends ServerOpts {
  readonly onConnection?: (socket: Socket) => void;
  /** Default 0: a free one. */
  readonly port?: number;
}

export async function startServer(t: TestContext, options: TestServerOptions = {}): Promise<TestServer> {
  const { onConnection, port = 0, ...serverOptions } = options;
  const sockets: Socket[] = [];
  const unclaimed: Socket[] = [];
  const claims: ((socket: Socket) => void)[] = [];
  const server = createServer({ allowHalfOpen: true, ...serverOptions }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    onConnection?.(socket);
    const claim = claims.shift();
    if (claim === undefined) unclaimed.push(socket);
    else claim(socket);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const bound = (server.address() as AddressInfo).port;
  const stop = async () => {
    for (const socket of sockets) socket.destroy();
    if (!server.listening) return;
    server.close();
    await once(server, 'close');
  };
  t.after(stop);
  return {
    server,
    address: { kind: 'tcp', host: '127.0.0.1', port: bound },
    port: bound,
    sockets,
    accepted() {
      const socket = unclaimed.shift();
      if (socket !== undefined) return Promise.resolve(socket);
      return new Promise((resolve) => claims.push(resolve));
    },
    stop,
  };
}

/** A server that answers every connection with `name` and ends. */
export function startNamed(t: TestContext, name: string, port?: number): Promise<TestServer> {
  const base = { onConnection: (socket: Socket) => socket.end(name) };
  return startServer(t, port === undefined ? base : { ...base, port });
}

/** A server that sends back what it gets, each direction for itself. */
export function startEcho(t: TestContext): Promise<TestServer> {
  return startServer(t, { onConnection: (socket) => socket.pipe(socket) });
}

/** A loopback port that nothing listens on (and that nothing else is likely to be given soon). */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/**
 * A candidate that never answers: its backlog is full, so the kernel drops every further SYN, as a black hole would.
 */
export async function startBlackHole(t: TestContext): Promise<TcpAddress> {
  const { spawn } = await import('node:child_process');
  // Its accept queue holds one; Node itself always accepts, so the server is a Python one that does not.
  const script = [
    'import socket,sys,time',
    's=socket.socket();s.bind(("127.0.0.1",0));s.listen(0)',
    'c=[]',
    'for _ in range(3):\n x=socket.socket();x.setblocking(False)\n try: x.connect(s.getsockname())\n except BlockingIOError: pass\n c.append(x)',
    'print(s.getsockname()[1],flush=True)',
    'sys.stdin.read()',
  ].join('\n');
  const child = spawn('python3', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { kind: 'tcp', host: '127.0.0.1', port: Number(line.toString()) };
}

/** A client that keeps both directions apart and never throws. */
export async function connectTo(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** Everything until the end of the stream; what came before a reset too, with how it ended. */
export function readAll(socket: Socket): Promise<{ readonly bytes: Buffer; readonly end: 'eof' | 'reset' | 'closed' }> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let end: 'eof' | 'reset' | 'closed' = 'closed';
    socket
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .on('end', () => {
        end = 'eof';
        resolve({ bytes: Buffer.concat(chunks), end });
      })
      .on('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'ECONNRESET' || error.code === 'EPIPE') end = 'reset';
      })
      .on('close', () => resolve({ bytes: Buffer.concat(chunks), end }));
  });
}

/** Connects, reads until the end, and answers what came: what `nc host port </dev/null` would print. */
export async function ask(port: number): Promise<string> {
  const socket = await connectTo(port);
  const { bytes } = await readAll(socket);
  socket.destroy();
  return bytes.toString();
}
