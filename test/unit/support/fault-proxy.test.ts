import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { startFaultProxy, type Fault, type FaultProxy } from '../../support/fault-proxy.ts';
import { connectTo, readAll, startEcho, startServer, type TestServer } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

const QUIET_MS = 200;

async function startProxy(t: TestContext, fault: Fault): Promise<{ proxy: FaultProxy; server: TestServer }> {
  const server = await startEcho(t);
  const proxy = await startFaultProxy(t, server.port);
  await proxy.set(fault);
  return { proxy, server };
}

test('pass: megabytes and the end come back whole', async (t) => {
  const { proxy } = await startProxy(t, { mode: 'pass' });
  const client = await connectTo(proxy.port);
  const sent = Buffer.alloc(4 * 1024 * 1024, 'attache');
  client.end(sent);
  const { bytes, end } = await readAll(client);
  assert.ok(bytes.equals(sent));
  assert.equal(end, 'eof');
  await eventually(() => proxy.open === 0, 'it is forgotten');
});

test('refuse: the kernel refuses, open connections are reset, and pass listens again', async (t) => {
  const { proxy } = await startProxy(t, { mode: 'pass' });
  const open = await connectTo(proxy.port);
  open.write('x');
  await once(open, 'data');
  const ended = readAll(open);
  await proxy.set({ mode: 'refuse' });
  assert.equal((await ended).end, 'reset');
  const [error] = (await once(connect(proxy.port, '127.0.0.1'), 'error').catch((e: unknown) => [e])) as [
    NodeJS.ErrnoException,
  ];
  assert.equal(error.code, 'ECONNREFUSED');
  await proxy.set({ mode: 'pass' });
  const again = await connectTo(proxy.port);
  again.end('y');
  assert.equal((await readAll(again)).bytes.toString(), 'y');
});

test('accept-and-swallow: connects, takes bytes, answers none, reaches no server; a client that leaves is forgotten', async (t) => {
  const { proxy, server } = await startProxy(t, { mode: 'accept-and-swallow' });
  const client = await connectTo(proxy.port);
  client.write('x');
  const heard: unknown[] = [];
  client.on('data', (chunk) => heard.push(chunk));
  await pause(QUIET_MS);
  assert.deepEqual([heard.length, server.sockets.length, proxy.open, client.destroyed], [0, 0, 1, false]);
  client.destroy();
  await eventually(() => proxy.open === 0, 'it is forgotten');
});

test('reset-on-accept: RST without a byte, and the server is not reached', async (t) => {
  const { proxy, server } = await startProxy(t, { mode: 'reset-on-accept' });
  const client = connect(proxy.port, '127.0.0.1');
  const { bytes, end } = await readAll(client);
  assert.deepEqual([bytes.length, end, server.sockets.length], [0, 'reset', 0]);
});

test('resetNth: that connection alone is reset', async (t) => {
  const { proxy } = await startProxy(t, { mode: 'pass' });
  proxy.resetNth(1);
  const ends = [];
  for (let n = 0; n < 3; n += 1) {
    const client = connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true });
    client.end('x');
    ends.push((await readAll(client)).end);
  }
  assert.deepEqual(ends, ['eof', 'reset', 'eof']);
});

for (const [by, end] of [
  ['fin', 'eof'],
  ['rst', 'reset'],
] as const) {
  test(`cut by ${by}: exactly so many bytes arrive, then ${end}`, async (t) => {
    const server = await startServer(t, { onConnection: (socket) => void socket.write(Buffer.alloc(500_000)) });
    const proxy = await startFaultProxy(t, server.port);
    await proxy.set({ mode: 'cut', afterBytes: 70_000, by });
    const client = await connectTo(proxy.port);
    const got = await readAll(client);
    assert.equal(got.end, end);
    // A RST may overtake what the kernel still held; it never lets more through.
    if (by === 'fin') assert.equal(got.bytes.length, 70_000);
    else assert.ok(got.bytes.length <= 70_000);
    client.destroy();
  });
}

test('stall: so many bytes arrive, then none and no end, until pass moves on where it stopped', async (t) => {
  const { proxy } = await startProxy(t, { mode: 'pass' });
  const client = await connectTo(proxy.port);
  client.write('1');
  await once(client, 'data');
  await proxy.set({ mode: 'stall', afterBytes: 3 });
  const all = readAll(client);
  client.end('23456');
  await pause(QUIET_MS);
  assert.ok(!client.readableEnded && client.bytesRead < 6);
  await proxy.set({ mode: 'pass' });
  const { bytes, end } = await all;
  assert.deepEqual([bytes.toString(), end], ['23456', 'eof']);
});

test('delay: a byte comes back no earlier than both delays, and whole', async (t) => {
  const { proxy } = await startProxy(t, { mode: 'delay', ms: 150 });
  const client = await connectTo(proxy.port);
  const began = performance.now();
  client.end('late');
  const { bytes, end } = await readAll(client);
  assert.ok(performance.now() - began >= 290, 'not delayed');
  assert.deepEqual([bytes.toString(), end], ['late', 'eof']);
});

test('drip: so many bytes per interval, in order, whole', async (t) => {
  const { proxy } = await startProxy(t, { mode: 'drip', bytes: 10, everyMs: 20 });
  const client = await connectTo(proxy.port);
  const began = performance.now();
  const sent = Buffer.from(Array.from({ length: 100 }, (_, n) => n));
  client.end(sent);
  const { bytes, end } = await readAll(client);
  assert.ok(performance.now() - began >= 150, 'not slowed');
  assert.deepEqual([bytes.equals(sent), end], [true, 'eof']);
});

test('silence: one open connection moves nothing any more and stays open, the other goes on', async (t) => {
  const { proxy } = await startProxy(t, { mode: 'pass' });
  const [first, second] = [await connectTo(proxy.port), await connectTo(proxy.port)];
  for (const client of [first, second]) {
    client.write('x');
    await once(client, 'data');
  }
  proxy.silence(0);
  first.write('y');
  second.write('y');
  await once(second, 'data');
  await pause(QUIET_MS);
  assert.deepEqual([first.bytesRead, first.destroyed], [1, false]);
  for (const client of [first, second]) client.destroy();
});
