import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type ServerOpts, type Server, type Socket } from 'node:net';
import { errnoOf } from '../../src/core/errors.ts';
import type { TestContext } from 'node:test';
import type { TcpAddress } from '../../src/core/address.ts';
import { reservePorts } from './ports.ts';
import type { Scope } from './scope.ts';
import { eventually } from './wait.ts';

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
  /** Default 127.0.0.1. */
  readonly host?: string;
}

export async function startServer(t: Scope, options: TestServerOptions = {}): Promise<TestServer> {
  const { onConnection, port = 0, host = '127.0.0.1', ...serverOptions } = options;
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
  server.listen(port, host);
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
    address: { kind: 'tcp', host, port: bound },
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
export function startNamed(t: Scope, name: string, port?: number): Promise<TestServer> {
  const base = { onConnection: (socket: Socket) => socket.end(name) };
  return startServer(t, port === undefined ? base : { ...base, port });
}

/** A server that sends back what it gets, each direction for itself. */
export function startEcho(t: Scope): Promise<TestServer> {
  return startServer(t, { onConnection: (socket) => socket.pipe(socket) });
}

/** A loopback port that nothing listens on, and that no outgoing connection will be given. */
export async function freePort(): Promise<number> {
  const reserved = await reservePorts(1);
  await reserved.release();
  return reserved.ports[0] ?? 0;
}

/** Connections the kernel completes by itself for a listener with a backlog of 1. */
const QUEUE_OF_BACKLOG_1 = 2;

/**
 * A candidate that never answers: a stopped process whose accept queue is full, so that the kernel drops every further
 * SYN, as a black hole does.
 */
export async function startBlackHole(t: TestContext): Promise<TcpAddress> {
  const script = `const s = require('node:net').createServer();
    s.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      process.stdout.write(String(s.address().port));
      process.kill(process.pid, 'SIGSTOP');
    });`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const port = Number(line.toString());
  await waitUntilStopped(child.pid);
  await new Promise<void>((resolve) => {
    let connected = 0;
    for (let i = 0; i < 2 * QUEUE_OF_BACKLOG_1; i += 1) {
      const filler = connect({ port, host: '127.0.0.1' });
      filler
        .on('error', () => undefined)
        .on('connect', () => {
          connected += 1;
          if (connected === QUEUE_OF_BACKLOG_1) resolve();
        });
      t.after(() => filler.destroy());
    }
  });
  return { kind: 'tcp', host: '127.0.0.1', port };
}

/** The process has really stopped: its state in /proc is T. */
async function waitUntilStopped(pid: number | undefined): Promise<void> {
  await eventually(async () => {
    const stat = await readFile(`/proc/${pid ?? 0}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).startsWith('T');
  }, 'the black hole is stopped');
}

/** A client that keeps both directions apart and never throws. */
export async function connectTo(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => undefined);
  await once(socket, 'connect').catch((error: unknown) => {
    // It was accepted, and cut before this side has looked: the next read finds out.
    if (errnoOf(error) !== 'ECONNRESET') throw error;
  });
  return socket;
}

/** Everything until the end of the stream; what came before a reset too, with how it ended. */
export function readAll(socket: Socket): Promise<{ readonly bytes: Buffer; readonly end: 'eof' | 'reset' | 'closed' }> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let end: 'eof' | 'reset' | 'closed' = 'closed';
    // A reset may have come before somebody asks.
    const closed = () => {
      const isCut = isReset(socket.errored) || errnoOf(socket.errored) === 'EPIPE';
      resolve({ bytes: Buffer.concat(chunks), end: isCut ? 'reset' : end });
    };
    if (socket.closed) closed();
    socket
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .on('end', () => {
        // libuv before 1.52 may call a reset an end; then an empty write fails, and 'error' and 'close' follow.
        if (socket.writable && socket.writableLength === 0) socket.write(Buffer.alloc(0));
        const conclude = () => {
          if (isReset(socket.errored)) return;
          end = 'eof';
          resolve({ bytes: Buffer.concat(chunks), end });
        };
        // What is being written fails by itself, in this turn of the event loop or the next.
        if (socket.writableLength > 0) setImmediate(() => setImmediate(conclude));
        else conclude();
      })
      .on('error', () => undefined)
      .on('close', closed);
  });
}

function isReset(error: NodeJS.ErrnoException | null): boolean {
  return error?.code === 'ECONNRESET';
}

/** Connects, reads until the end, and answers what came: what `nc host port </dev/null` would print. */
export async function ask(port: number): Promise<string> {
  const socket = await connectTo(port);
  const { bytes } = await readAll(socket);
  socket.destroy();
  return bytes.toString();
}
