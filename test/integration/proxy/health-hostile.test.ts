import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import type { HealthCheck } from '../../../src/core/health-check.ts';
import { checking, healthChanges, healthOf, PRIMARY, TCP } from '../../support/health.ts';
import { heldBufferBytes } from '../../support/memory.ts';
import { openSockets } from '../../support/resources.ts';
import { startService, type TestService } from '../../support/service.ts';
import { startServer } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

const TIMEOUT = { timeout: 60_000 };
const MIB = 1024 * 1024;
const LOGIN = { username: undefined, password: undefined };
const HTTP: HealthCheck = { kind: 'http', isSecure: false, host: undefined, port: undefined, target: '/', ...LOGIN };
const POSTGRES: HealthCheck = { kind: 'postgres' };

interface Hostile {
  readonly check: HealthCheck;
  readonly says: (socket: Socket) => void;
  /** What is told of it. */
  readonly error: RegExp;
}

/** Checks it many times, and sees that nothing of them stays: no socket on either side, no memory. */
async function checkedMany(t: TestContext, { check, says, error }: Hostile): Promise<TestService> {
  const server = await startServer(t, { onConnection: says });
  const sockets = openSockets();
  const health = checking(check, { intervalMs: 20, timeoutMs: 100 });
  const started = await startService(t, { candidates: [server.address], health });
  const checks = () => started.events.filter(({ type }) => type === 'health-checked').length;
  // The first ones make what all others share.
  await eventually(() => checks() >= 5, 'it is checked', 30_000);
  const bytes = heldBufferBytes();
  await eventually(() => checks() >= 25, 'it is checked again and again', 30_000);
  assert.deepEqual(healthOf(started), ['unhealthy']);
  assert.match(started.service.status.candidateStates[0]?.health?.error ?? '', error);
  assert.equal(healthChanges(started).length, 1, 'it is told once');
  await started.service.close();
  for (const socket of server.sockets) socket.destroy();
  await eventually(() => openSockets() <= sockets, 'no socket is left');
  const grown = heldBufferBytes() - bytes;
  assert.ok(grown < MIB, `${grown} bytes are left`);
  return started;
}

test('half-open: it accepts and never answers', TIMEOUT, async (t) => {
  const says = (socket: Socket) => void socket.resume();
  for (const check of [PRIMARY, HTTP, POSTGRES]) {
    await checkedMany(t, { check, says, error: /no answer within HEALTH_TIMEOUT/ });
  }
});

test('slow: a byte now and then, and never a whole answer', TIMEOUT, async (t) => {
  const says = (socket: Socket) => {
    const timer = setInterval(() => socket.write('*'), 20);
    socket.on('close', () => clearInterval(timer));
  };
  await checkedMany(t, { check: PRIMARY, says, error: /expected an answer of Redis, got "\*+"/ });
});

test('garbage', TIMEOUT, async (t) => {
  const says = (socket: Socket) => void socket.write(Buffer.alloc(3_000, 0x1b));
  await checkedMany(t, { check: PRIMARY, says, error: /expected an answer of Redis, got "\\u001b/ });
  await checkedMany(t, { check: HTTP, says, error: /expected an answer of HTTP\/1, got "\\u001b/ });
  await checkedMany(t, { check: POSTGRES, says, error: /expected S or N/ });
});

test('64 MB as an answer: 16 kB of it are read', TIMEOUT, async (t) => {
  const much = Buffer.alloc(64 * MIB, 'a');
  const check = { kind: 'tcp', send: '', expect: { kind: 'pattern', source: 'b', ignoreCase: false } } as const;
  const says = (socket: Socket) => void socket.write(much);
  await checkedMany(t, { check, says, error: /expected what HEALTH_EXPECT says, got "aaa/ });
});

test('a server that closes at once, or resets, is unhealthy by what was wanted of it', TIMEOUT, async (t) => {
  await checkedMany(t, { check: PRIMARY, says: (socket) => void socket.destroy(), error: /got none|ECONNRESET|EPIPE/ });
  await checkedMany(t, { check: HTTP, says: (socket) => void socket.resetAndDestroy(), error: /ECONNRESET|no answer/ });
});

test('flapping: each change is told, and new connections follow', TIMEOUT, async (t) => {
  let isWell = true;
  const server = createServer((_, response) => {
    response.statusCode = isWell ? 200 : 503;
    response.end('x');
  }).listen(0, '127.0.0.1');
  t.after(() => server.close().closeAllConnections());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const before = openSockets();
  const candidates = [{ kind: 'tcp', host: '127.0.0.1', port } as const];
  const health = checking(HTTP, { intervalMs: 20, fall: 1 });
  const started = await startService(t, { candidates, health });
  for (let n = 0; n < 10; n += 1) {
    const wanted = isWell ? 'healthy' : 'unhealthy';
    await eventually(() => healthOf(started)[0] === wanted, `it is ${wanted}`);
    isWell = !isWell;
  }
  assert.ok(healthChanges(started).length >= 10);
  await started.service.close();
  server.closeAllConnections();
  await eventually(() => openSockets() <= before, 'no socket is left');
});

test(
  'a candidate that leaves, or a service that closes, while a check is under way leaves nothing',
  TIMEOUT,
  async (t) => {
    const server = await startServer(t, { onConnection: (socket) => void socket.resume() });
    const before = openSockets();
    const health = checking(PRIMARY, { intervalMs: 20, timeoutMs: 60_000 });
    const started = await startService(t, { candidates: [server.address], health });
    await eventually(() => server.sockets.length === 1, 'it is being checked');
    started.source.put([]);
    await eventually(() => server.sockets.every(({ destroyed }) => destroyed), 'its check is over');
    started.source.put([server.address]);
    await eventually(() => server.sockets.length === 2, 'it is being checked again');
    await started.service.close();
    await eventually(() => server.sockets.every(({ destroyed }) => destroyed), 'this check is over, too');
    await eventually(() => openSockets() <= before, 'no socket is left');
    assert.deepEqual(healthChanges(started), []);
  },
);

test('PROXY protocol: a check tells that nobody is behind it, in front of what it asks', TIMEOUT, async (t) => {
  for (const [proxyProtocol, header] of [
    ['v1', Buffer.from('PROXY UNKNOWN\r\n')],
    ['v2', Buffer.from('0d0a0d0a000d0a515549540a20000000', 'hex')],
  ] as const) {
    const heard: Buffer[] = [];
    const server = await startServer(t, {
      onConnection: (socket) => socket.on('data', (bytes: Buffer) => heard.push(bytes)),
    });
    const started = await startService(t, {
      candidates: [server.address],
      proxyProtocol,
      health: checking(PRIMARY, { intervalMs: 600_000, timeoutMs: 100 }),
    });
    await eventually(() => healthOf(started)[0] === 'unhealthy', 'it is checked');
    const all = Buffer.concat(heard);
    assert.deepEqual(all.subarray(0, header.length), header);
    assert.equal(all.subarray(header.length).toString(), '*1\r\n$4\r\nROLE\r\n');
    await started.service.close();
  }
});

test('no check holds the process: with nothing else to do its timers are not waited for', TIMEOUT, async (t) => {
  const server = await startServer(t, { onConnection: (socket) => void socket.resume() });
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  const before = timers();
  const health = checking(TCP, { intervalMs: 600_000 });
  const started = await startService(t, { candidates: [server.address], health });
  await eventually(() => healthOf(started)[0] === 'healthy', 'it is checked');
  assert.ok(timers() <= before, 'its timer is no reason to go on');
});
