import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { spawnSync } from 'node:child_process';
import { probe } from '../../../src/admin/healthcheck.ts';
import type { HttpEndpoint } from '../../../src/admin/http-endpoint.ts';
import { adminServer, healthServer } from '../../../src/admin/server.ts';
import type { ProcessStatus } from '../../../src/core/status.ts';
import type { Address } from '../../../src/core/address.ts';
import { Stopwatch } from '../../support/stopwatch.ts';
import { startServer } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

const LOOPBACK: Address = { kind: 'tcp', host: '127.0.0.1', port: 0 };

const serving: ProcessStatus = {
  phase: 'serving',
  services: [
    {
      name: 'redis',
      listeners: [{ asked: LOOPBACK, status: { phase: 'listening', address: LOOPBACK } }],
      candidates: ['10.0.0.1:6379'],
      known: true,
      discovery: { status: 'synced', lastOkAt: Date.now() },
      connections: 0,
      drained: [],
      candidateStates: [],
      held: 0,
    },
  ],
};

function fail(error: unknown): never {
  throw error;
}

async function startHealth(
  t: TestContext,
  status: () => ProcessStatus = () => serving,
  options: { readonly address?: Address; readonly onError?: (error: unknown) => void } = {},
): Promise<HttpEndpoint> {
  const { address = LOOPBACK, onError = fail } = options;
  const server = healthServer({
    address,
    status,
    minCandidates: 0,
    onListenFailed: (errno) => fail(new Error(errno)),
    onError,
  });
  t.after(() => server.close());
  await server.start();
  return server;
}

async function startAdmin(t: TestContext, quit: () => void): Promise<HttpEndpoint> {
  const none = () => fail(new Error('not asked for'));
  const server = adminServer({
    address: LOOPBACK,
    actions: {
      quit,
      reload: none,
      drain: none,
      setLogLevel: none,
      services: none,
      natMap: none,
      replaceServices: none,
    },
    onListenFailed: (errno) => fail(new Error(errno)),
    onError: fail,
  });
  t.after(() => server.close());
  await server.start();
  return server;
}

function portOf(server: HttpEndpoint): number {
  const address = server.address();
  assert.ok(address?.kind === 'tcp');
  return address.port;
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

async function ask(
  server: HttpEndpoint,
  path: string,
  options: { readonly method?: string; readonly headers?: Record<string, string>; readonly body?: string } = {},
): Promise<Answer> {
  const { method = 'GET', headers = {}, body } = options;
  const signal = AbortSignal.timeout(10_000);
  const asked = request({ host: '127.0.0.1', port: portOf(server), path, method, headers, agent: false, signal });
  asked.end(body);
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

/** What comes back for these bytes until the other side hangs up. */
async function raw(t: TestContext, server: HttpEndpoint, bytes: string): Promise<string> {
  const socket = await open(t, server);
  socket.write(bytes);
  return text(socket);
}

async function open(t: TestContext, server: HttpEndpoint): Promise<Socket> {
  const socket = connect(portOf(server), '127.0.0.1');
  socket.on('error', () => undefined);
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

test('/healthz answers ok whatever the state of the services, to GET and HEAD', async (t) => {
  const server = await startHealth(t, () => fail(new Error('not asked')));
  const get = await ask(server, '/healthz?probe=1');
  assert.deepEqual([get.status, get.body], [200, 'ok\n']);
  const head = await ask(server, '/healthz', { method: 'HEAD' });
  assert.deepEqual([head.status, head.body, head.headers['content-length']], [200, '', '3']);
});

test('/readyz is 200 while every service is ready, 503 with the reasons while not, and back', async (t) => {
  let status: ProcessStatus = serving;
  const server = await startHealth(t, () => status);
  assert.equal((await ask(server, '/readyz')).status, 200);
  status = { ...serving, phase: 'draining' };
  const answer = await ask(server, '/readyz');
  assert.equal(answer.status, 503);
  assert.equal(answer.headers['content-type'], 'application/json');
  const health = JSON.parse(answer.body) as { ready: boolean; services: { name: string; reasons: string[] }[] };
  assert.equal(health.ready, false);
  assert.deepEqual(
    health.services.map(({ name, reasons }) => [name, reasons]),
    [['redis', ['draining']]],
  );
  status = serving;
  assert.equal((await ask(server, '/readyz')).status, 200);
});

test('the health port says nothing of the software and keeps no connection', async (t) => {
  const { headers } = await ask(await startHealth(t), '/readyz');
  assert.equal(headers.connection, 'close');
  assert.equal(headers['cache-control'], 'no-store');
  assert.deepEqual([headers['server'], headers['x-powered-by']], [undefined, undefined]);
});

for (const [method, path, status] of [
  ['POST', '/readyz', 405],
  ['DELETE', '/healthz', 405],
  ['POST', '/quit', 405],
  ['OPTIONS', '/', 405],
  ['GET', '/', 404],
  ['GET', '/quit', 404],
  ['GET', '/readyz/', 404],
] as const) {
  test(`promise 40: the health port answers ${method} ${path} with ${status}`, async (t) => {
    const answer = await ask(await startHealth(t), path, { method });
    assert.equal(answer.status, status);
    assert.equal(answer.headers.allow, status === 405 ? 'GET, HEAD' : undefined);
  });
}

test('a request with a body is refused, be its length given or not', async (t) => {
  const server = await startHealth(t);
  assert.equal((await ask(server, '/readyz', { body: 'x', headers: { 'content-length': '1' } })).status, 413);
  assert.equal((await ask(server, '/readyz', { body: 'x', headers: { 'transfer-encoding': 'chunked' } })).status, 413);
  assert.equal((await ask(server, '/readyz', { headers: { 'content-length': '0' } })).status, 200);
});

test('headers without end are refused, garbage too, and neither harms the next request', async (t) => {
  const server = await startHealth(t);
  assert.match(await raw(t, server, `GET /readyz HTTP/1.1\r\nx: ${'y'.repeat(20_000)}`), /^HTTP\/1\.1 431 /);
  assert.match(await raw(t, server, '\u0000\u0001garbage\r\n\r\n'), /^HTTP\/1\.1 400 /);
  assert.match(await raw(t, server, 'GET /readyz HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 200 /);
  assert.equal((await ask(server, '/readyz')).status, 200);
});

test('a client that is slow on purpose is cut within seconds: silent, or a byte at a time', async (t) => {
  const server = await startHealth(t);
  const silent = await open(t, server);
  const trickling = await open(t, server);
  trickling.write('GET /readyz HTTP/1.1\r\nhost: x\r\nx: ');
  const trickle = setInterval(() => trickling.write('y'), 50);
  t.after(() => clearInterval(trickle));
  const since = new Stopwatch();
  // Cut by FIN or, when bytes were under way, by RST: both are an end.
  const gone = (socket: Socket) => eventually(() => socket.resume().closed, 'cut', 20_000);
  await Promise.all([gone(silent), gone(trickling)]);
  assert.ok(since.ms() < 10_000);
  assert.equal((await ask(server, '/readyz')).status, 200);
});

test('the oldest silent connections give way to new ones, and whoever asks at once is served', async (t) => {
  const server = await startHealth(t);
  const crowd: Socket[] = [];
  for (let i = 0; i < 160; i += 1) crowd.push(await open(t, server));
  for (const socket of crowd) socket.resume();
  await eventually(() => crowd.slice(0, 64).every((socket) => socket.closed), '64 of 160 gone');
  assert.ok(crowd.slice(64).every((socket) => !socket.readableEnded));
  assert.equal((await ask(server, '/healthz')).status, 200);
  const last = crowd.at(-1);
  last?.write('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n');
  await eventually(() => last?.closed === true && last.bytesRead > 0, 'the youngest is heard');
});

test('a status that throws is a 500 without a word of it, and is reported', async (t) => {
  const errors: unknown[] = [];
  const broken = () => fail(new Error('inner secret'));
  const server = await startHealth(t, broken, { onError: (error) => errors.push(error) });
  const answer = await ask(server, '/readyz');
  assert.deepEqual([answer.status, answer.body], [500, 'internal error\n']);
  assert.match(String(errors[0]), /inner secret/);
  assert.equal((await ask(server, '/healthz')).status, 200);
});

test('a port that is taken is reported and tried again until it is free', async (t) => {
  const owner = await startServer(t);
  const failures: [string, number][] = [];
  const server = healthServer({
    address: { kind: 'tcp', host: '127.0.0.1', port: owner.port },
    status: () => serving,
    minCandidates: 0,
    onListenFailed: (errno, retryInMs) => failures.push([errno, retryInMs]),
    onError: fail,
  });
  t.after(() => server.close());
  await server.start();
  assert.equal(failures[0]?.[0], 'EADDRINUSE');
  assert.equal(server.address(), undefined);
  await eventually(() => failures.length >= 2, 'a second try');
  await owner.stop();
  await eventually(() => server.address() !== undefined, 'the port');
  assert.equal((await ask(server, '/healthz')).status, 200);
});

test('a close ends it for good: at once, twice, before the start, while starting and between two tries', async (t) => {
  const owner = await startServer(t);
  const make = (port: number) =>
    healthServer({
      address: { kind: 'tcp', host: '127.0.0.1', port },
      status: () => serving,
      minCandidates: 0,
      onListenFailed: () => undefined,
      onError: fail,
    });
  const unstarted = make(0);
  await unstarted.close();
  await unstarted.start();
  assert.equal(unstarted.address(), undefined);

  const starting = make(0);
  const start = starting.start();
  await starting.close();
  await start;
  assert.equal(starting.address(), undefined);

  const retrying = make(owner.port);
  await retrying.start();
  await retrying.close();

  const server = make(0);
  await server.start();
  const idle = await open(t, server);
  const port = portOf(server);
  const closes = [server.close(), server.close()];
  await Promise.all([...closes, once(idle.resume(), 'close')]);
  const refused = connect(port, '127.0.0.1');
  const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException];
  assert.equal(error.code, 'ECONNREFUSED');
  await owner.stop();
  await eventually(
    () => !process.getActiveResourcesInfo().some((kind) => kind === 'TCPServerWrap' || kind === 'Timeout'),
    `nothing left of any of them: ${process.getActiveResourcesInfo().join()}`,
  );
});

test('a close does not wait for a client that never ends its request', async (t) => {
  const server = await startHealth(t);
  const client = await open(t, server);
  client.write('GET /healthz HTTP/1.1\r\nhost: x\r\n');
  // By the time a later request is answered the half one has been read.
  await ask(server, '/healthz');
  await server.close();
});

test('promise 40: POST /quit calls quit and is accepted, and nothing else of that port does anything', async (t) => {
  let quits = 0;
  const server = await startAdmin(t, () => (quits += 1));
  const get = await ask(server, '/quit');
  assert.deepEqual([get.status, get.headers.allow], [405, 'POST']);
  assert.equal((await ask(server, '/', { method: 'POST' })).status, 404);
  assert.equal((await ask(server, '/readyz')).status, 404);
  assert.equal((await ask(server, '/quit', { method: 'POST', body: 'x' })).status, 413);
  assert.equal(quits, 0);
  assert.equal((await ask(server, '/quit', { method: 'POST' })).status, 202);
  assert.equal(quits, 1);
});

for (const [headers, status] of [
  [{ origin: 'https://evil.example' }, 403],
  [{ origin: 'null' }, 403],
  [{ origin: 'http://127.0.0.1:29092' }, 403],
  [{ host: 'evil.example:29092' }, 403],
  [{ host: 'localhost.evil.example' }, 403],
  [{ host: '127.0.0.1.evil.example' }, 403],
  [{ host: 'localhost:29092' }, 202],
  [{ host: 'LOCALHOST' }, 202],
  [{ host: '127.0.0.1:29092' }, 202],
  [{ host: '[::1]:29092' }, 202],
  [{ host: '10.0.0.5:29092' }, 202],
] as const) {
  test(`POST /quit with ${JSON.stringify(headers)} is answered ${status}`, async (t) => {
    let quits = 0;
    const server = await startAdmin(t, () => (quits += 1));
    assert.equal((await ask(server, '/quit', { method: 'POST', headers })).status, status);
    assert.equal(quits, status === 202 ? 1 : 0);
  });
}

test('POST /quit without a Host is refused', async (t) => {
  const server = await startAdmin(t, () => fail(new Error('quit')));
  assert.match(await raw(t, server, 'POST /quit HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 403 /);
  assert.match(await raw(t, server, 'POST /quit HTTP/1.1\r\nhost:\r\n\r\n'), /^HTTP\/1\.1 403 /);
});

test('the health check says ready, or which service is not and why', async (t) => {
  let status: ProcessStatus = serving;
  const server = await startHealth(t, () => status);
  const address = { kind: 'tcp', host: '', port: portOf(server) } as const;
  assert.deepEqual(await probe(address), { ok: true, detail: 'ready' });
  assert.deepEqual(await probe({ ...address, host: '0.0.0.0' }), { ok: true, detail: 'ready' });
  const [redis] = serving.services;
  assert.ok(redis !== undefined);
  const discovery = { status: 'starting', error: 'ECONNREFUSED\u001b[31m' } as const;
  status = { ...serving, services: [redis, { ...redis, name: 'pg', known: false, discovery }] };
  const detail = 'pg: discovery has not answered yet: ECONNREFUSED?[31m';
  assert.deepEqual(await probe(address), { ok: false, detail });
});

test('the health check asks at a Unix socket too, and a stale socket file does not keep it from being made', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'attache-health-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const address = { kind: 'unix', path: join(folder, 'health.sock') } as const;
  // A process that is killed leaves its socket file.
  const killed = `require('net').createServer().listen(${JSON.stringify(address.path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', killed]);
  assert.ok((await stat(address.path)).isSocket());
  const server = await startHealth(t, () => serving, { address });
  assert.deepEqual(await probe(address), { ok: true, detail: 'ready' });
  await server.close();
  assert.deepEqual(await probe(address), { ok: false, detail: 'no answer: ENOENT' });
});

test('the health check gives up: nobody there, a server that is silent, endless or another one', async (t) => {
  const at = (port: number) => ({ kind: 'tcp', host: '127.0.0.1', port }) as const;
  const gone = await startServer(t);
  await gone.stop();
  assert.deepEqual(await probe(at(gone.port)), { ok: false, detail: 'no answer: ECONNREFUSED' });
  const silent = await startServer(t);
  assert.deepEqual(await probe(at(silent.port), { deadlineMs: 50 }), { ok: false, detail: 'no answer within 50 ms' });
  const endless = await startServer(t, {
    onConnection: (socket) => {
      socket.write('HTTP/1.1 503 no\r\n\r\n');
      const more = () => socket.writable && socket.write('x'.repeat(65_536), more);
      more();
    },
  });
  assert.match((await probe(at(endless.port))).detail, /longer than an answer of attache/);
  const stalled = await startServer(t, {
    onConnection: (socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nx'),
  });
  assert.deepEqual(await probe(at(stalled.port), { deadlineMs: 50 }), { ok: false, detail: 'no answer within 50 ms' });
  const other = await startServer(t, { onConnection: (socket) => socket.end('HTTP/1.1 404 no\r\n\r\nnot ours') });
  assert.deepEqual(await probe(at(other.port)), { ok: false, detail: 'answered 404' });
  const garbage = await startServer(t, { onConnection: (socket) => socket.end('+PONG\r\n') });
  assert.equal((await probe(at(garbage.port))).ok, false);
});
