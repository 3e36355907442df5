import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { test, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { faultyProcess, type FaultyProcess } from '../../support/process-faults.ts';
import { connectTo, freePort } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

const ECHO = `const [port] = process.argv.slice(1);
  require('node:net').createServer((socket) => socket.pipe(socket)).listen(Number(port), '127.0.0.1');`;

async function startEchoProcess(t: TestContext): Promise<{ readonly server: FaultyProcess; readonly port: number }> {
  const port = await freePort();
  const ready = async () => (await echoes(port)) === 'x';
  const server = faultyProcess(t, { command: process.execPath, args: ['-e', ECHO, `${port}`], ready });
  await server.start();
  return { server, port };
}

/** What comes back for a byte within half a second: it, `silence`, or the code of the failure. */
async function echoes(port: number): Promise<string> {
  try {
    const socket = await connectTo(port);
    try {
      socket.write('x');
      const answer = new Promise<string>((resolve) => {
        socket.once('data', (chunk) => resolve(chunk.toString())).once('close', () => resolve('closed'));
      });
      return await Promise.race([answer, pause(500, 'silence')]);
    } finally {
      socket.destroy();
    }
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'failed';
  }
}

test('freeze: new connections are accepted and nothing answers, until thaw', async (t) => {
  const { server, port } = await startEchoProcess(t);
  server.freeze();
  await eventually(() => stateOf(server.pid) === 'T', 'it is stopped');
  assert.equal(await echoes(port), 'silence');
  server.thaw();
  await eventually(async () => (await echoes(port)) === 'x', 'it answers again');
});

test('freeze: an open connection stays open, and gets what was sent meanwhile after thaw', async (t) => {
  const { server, port } = await startEchoProcess(t);
  const socket = await connectTo(port);
  t.after(() => socket.destroy());
  let got = '';
  socket.on('data', (chunk: Buffer) => (got += chunk.toString()));
  server.freeze();
  await eventually(() => stateOf(server.pid) === 'T', 'it is stopped');
  socket.write('meanwhile');
  await pause(100);
  assert.deepEqual([got, socket.destroyed], ['', false]);
  server.thaw();
  await eventually(() => got === 'meanwhile', 'it is answered');
});

test('kill: it is gone at once, its port refuses, and killing it again does nothing', async (t) => {
  const { server, port } = await startEchoProcess(t);
  const { pid } = server;
  await server.kill();
  assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
  assert.equal(await echoes(port), 'ECONNREFUSED');
  assert.equal(server.pid, 0);
  await server.kill();
});

test('kill: one that is frozen is gone, too', async (t) => {
  const { server, port } = await startEchoProcess(t);
  server.freeze();
  await server.kill();
  assert.equal(await echoes(port), 'ECONNREFUSED');
});

test('restart: another process serves on the same port, whether the first was killed or not', async (t) => {
  const { server, port } = await startEchoProcess(t);
  const pids = [server.pid];
  await server.restart();
  pids.push(server.pid);
  assert.equal(await echoes(port), 'x');
  await server.kill();
  await server.restart();
  pids.push(server.pid);
  assert.equal(await echoes(port), 'x');
  assert.equal(new Set(pids).size, 3);
});

test('one that ends instead of serving is told with its last words', async (t) => {
  const args = ['-e', 'console.error("no, thank you"); process.exit(3)'];
  const server = faultyProcess(t, { command: process.execPath, args, ready: () => Promise.resolve(false) });
  await assert.rejects(server.start(), /ended \(3\)\n.*no, thank you/s);
  assert.equal(server.pid, 0);
});

test('one that is not installed is told with the way out', async (t) => {
  const server = faultyProcess(t, { command: 'no-such-server', args: [], ready: () => Promise.resolve(true) });
  await assert.rejects(server.start(), /no-such-server is not installed: run scripts\/setup-tests/);
});

test('one that does not serve in time is told, and killed with the test', async (t) => {
  const options = { command: process.execPath, args: ['-e', 'setInterval(() => 0, 1000)'], startTimeoutMs: 100 };
  const server = faultyProcess(t, { ...options, ready: () => Promise.resolve(false) });
  await assert.rejects(server.start(), /does not serve/);
});

test("another server's answer on the port is not taken for its own", async (t) => {
  const other = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
  t.after(() => other.close());
  await new Promise((resolve) => other.once('listening', resolve));
  const address = other.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  // Serves until the process that could not listen has ended.
  const ready = async () => {
    await eventually(() => server.pid === 0, 'it could not listen');
    return (await echoes(port)) === 'x';
  };
  const server = faultyProcess(t, { command: process.execPath, args: ['-e', ECHO, `${port}`], ready });
  await assert.rejects(server.start(), /EADDRINUSE/);
});

/** Its state in /proc, e.g. `T` for stopped. */
function stateOf(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
}
