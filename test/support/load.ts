import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { startAttache } from './attache.ts';
import { openDescriptors } from './kernel.ts';
import { probeArgs, proberOf, type Probe } from './prober.ts';
import { eventually } from './wait.ts';

/** The real program before an echo server, each a process of its own, so that each has its own descriptors. */
export interface LoadedProgram {
  readonly pid: number;
  readonly echoPid: number;
  /** What the program says of its memory, and of its event loop since the last time. */
  probe(): Promise<Probe>;
  readonly port: number;
  /** A client from one of many loopback addresses: each has its own ephemeral ports. */
  join(): Promise<Socket>;
  /** Waits until the program has no more descriptors open than before the load. */
  settled(): Promise<void>;
}

const BACKENDS = ['127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5'];
const CLIENT_ADDRESSES = 8;
const JOIN_LIMIT_MS = 20_000;

/** @param env further settings of the configuration */
export async function startLoadedProgram(
  t: TestContext,
  env: Readonly<Record<string, string>> = {},
): Promise<LoadedProgram> {
  const echo = await startEchoProcess(t);
  const dst = BACKENDS.map((host) => `${host}:${echo.port}`).join();
  const attache = startAttache(t, {
    nodeArgs: probeArgs,
    env: { SRC: '127.0.0.1:0', DST: dst, LB: 'true', ACCESS_LOG: 'false', ...env },
  });
  const port = await attache.port();
  const pid = attache.child.pid ?? 0;
  let joined = 0;
  const join = async () => {
    joined += 1;
    const localAddress = `127.0.1.${1 + (joined % CLIENT_ADDRESSES)}`;
    const socket = connect({ port, host: '127.0.0.1', localAddress });
    t.after(() => socket.destroy());
    await once(socket, 'connect', { signal: AbortSignal.timeout(JOIN_LIMIT_MS) });
    return socket.on('error', () => undefined);
  };
  // What is opened once and kept: the first connection has it opened.
  const first = await join();
  await echoed(first);
  // While both ends of it are open for sure: they are gone faster than they can be counted.
  const before = openDescriptors(pid) - 2;
  first.destroy();
  const settled = () =>
    eventually(() => openDescriptors(pid) <= before, `the program is back at ${before} descriptors`, 20_000);
  await settled();
  return { pid, echoPid: echo.pid, port, join, settled, probe: proberOf(attache) };
}

/** Sends a byte and waits for it to come back; resolves to the ms that took. */
export async function echoed(socket: Socket): Promise<number> {
  const began = performance.now();
  socket.write('x');
  await once(socket, 'data', { signal: AbortSignal.timeout(JOIN_LIMIT_MS) });
  return performance.now() - began;
}

async function startEchoProcess(t: TestContext): Promise<{ readonly port: number; readonly pid: number }> {
  const script = `const s = require('node:net').createServer({ allowHalfOpen: true }, (c) => {
      c.on('error', () => {}).on('data', (d) => c.write(d)).on('end', () => c.end());
    }).listen({ port: 0, host: '0.0.0.0', backlog: 4096 }, () => process.stdout.write(String(s.address().port)));`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const [port] = (await once(child.stdout, 'data')) as [Buffer];
  return { port: Number(port.toString()), pid: child.pid ?? 0 };
}
