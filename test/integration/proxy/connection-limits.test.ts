import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { openDescriptors } from '../../support/kernel.ts';
import { startService } from '../../support/service.ts';
import { Stopwatch } from '../../support/stopwatch.ts';
import { connectTo, readAll, startBlackHole, startEcho, startServer } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

test('promise 8: a half-closed connection without a byte ends after the half-close time-out, by reset', async (t) => {
  const server = await startServer(t);
  const { port, closedOne } = await startService(t, { candidates: [server.address], halfCloseTimeoutMs: 300 });
  const client = await connectTo(port);
  client.write('x');
  const candidate = await server.accepted();
  await once(candidate, 'data');
  const [atClient, atCandidate] = [readAll(client), readAll(candidate)];
  client.end();
  const started = performance.now();
  assert.equal((await atClient).end, 'reset');
  assert.ok(performance.now() - started >= 290);
  assert.equal((await atCandidate).end, 'eof');
  const { reason, endedBy } = await closedOne();
  assert.deepEqual([reason, endedBy], ['half_close_timeout', 'attache']);
});

test('promise 8: a half-closed connection lives as long as bytes move in the open direction', async (t) => {
  const server = await startServer(t);
  const { port, closedOne } = await startService(t, { candidates: [server.address], halfCloseTimeoutMs: 300 });
  const client = await connectTo(port);
  const candidate = await server.accepted();
  client.end();
  const got = readAll(client);
  for (let i = 0; i < 20; i += 1) {
    candidate.write('y');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  candidate.end();
  assert.equal((await got).bytes.length, 20);
  assert.equal((await closedOne()).reason, 'finished');
});

test('an open connection is not touched by the half-close time-out', async (t) => {
  const server = await startEcho(t);
  const { port, closed } = await startService(t, { candidates: [server.address], halfCloseTimeoutMs: 50 });
  const client = await connectTo(port);
  for (let i = 0; i < 3; i += 1) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    client.write('z');
    await once(client, 'data');
  }
  assert.equal(closed().length, 0);
  client.destroy();
});

test('IDLE_TIMEOUT: a connection on which no byte moves is closed, one that is used is not', async (t) => {
  const server = await startEcho(t);
  const { port, closedOne, closed } = await startService(t, { candidates: [server.address], idleTimeoutMs: 400 });
  const [idle, busy] = [await connectTo(port), await connectTo(port)];
  const talk = setInterval(() => busy.write('.'), 20);
  t.after(() => clearInterval(talk));
  busy.resume();
  assert.equal((await readAll(idle)).end, 'eof');
  const { reason, endedBy, totalMs } = await closedOne();
  assert.deepEqual([reason, endedBy], ['idle_timeout', 'attache']);
  assert.ok(totalMs >= 390, `closed after ${totalMs} ms`);
  assert.equal(closed().length, 1);
  clearInterval(talk);
  busy.destroy();
});

test('MAX_CONNECTIONS: one too many is closed at once and counted, and a place that is freed is used again', async (t) => {
  const server = await startEcho(t);
  const { port, closedOne, service } = await startService(t, { candidates: [server.address], maxConnections: 2 });
  const [first, second] = [await connectTo(port), await connectTo(port)];
  await eventually(() => service.connections === 2, 'two are open');
  const third = await connectTo(port);
  assert.equal((await readAll(third)).bytes.length, 0);
  const { reason, endedBy, attempts } = await closedOne();
  assert.deepEqual([reason, endedBy, attempts.length], ['max_connections', 'attache', 0]);
  first.destroy();
  await closedOne(2);
  const fourth = await connectTo(port);
  fourth.write('in');
  await once(fourth, 'data');
  for (const socket of [second, fourth]) socket.destroy();
});

test('MAX_CONNECTIONS: a client whose candidate is still being dialed counts', async (t) => {
  const hole = await startBlackHole(t);
  const { port, closedOne, service } = await startService(t, { candidates: [hole], maxConnections: 1 });
  const dialing = await connectTo(port);
  await eventually(() => service.connections === 1, 'it is dialed for');
  assert.equal((await readAll(await connectTo(port))).bytes.length, 0);
  assert.equal((await closedOne()).reason, 'max_connections');
  dialing.resetAndDestroy();
});

test('promise 9: 2,000 churned connections leave descriptors, timers and listeners where they were', async (t) => {
  const server = await startEcho(t);
  const { port, service, closed } = await startService(t, { candidates: [server.address], idleTimeoutMs: 60_000 });
  const one = async (n: number) => {
    const client = await connectTo(port);
    client.write('ping');
    await once(client, 'data');
    if (n % 3 === 0) client.resetAndDestroy();
    else if (n % 3 === 1) client.destroy();
    else client.end();
    if (!client.closed) await once(client.resume(), 'close');
  };
  await one(0);
  await eventually(() => service.connections === 0 && server.sockets.every((socket) => socket.closed), 'settled');
  const count = () => ({ fds: openDescriptors(), resources: process.getActiveResourcesInfo().length });
  const before = count();
  for (let batch = 0; batch < 40; batch += 1) await Promise.all(Array.from({ length: 50 }, (_, n) => one(n)));
  await eventually(() => closed().length === 2_001 && service.connections === 0, 'every connection is closed');
  await eventually(() => server.sockets.every((socket) => socket.closed), 'the candidate side too');
  await eventually(
    () => {
      const now = count();
      return now.fds <= before.fds && now.resources <= before.resources;
    },
    `back to ${JSON.stringify(before)}, now ${JSON.stringify(count())}`,
  );
});

test('promise 9: with thousands of idle connections a new one is still prompt', async (t) => {
  const server = await startEcho(t);
  const { port, service } = await startService(t, { candidates: [server.address] });
  const clients = [];
  // Four descriptors each in this one process, so the number is what the machine's limit leaves room for.
  for (let i = 0; i < 2_000; i += 1) clients.push(await connectTo(port));
  await eventually(() => service.connections === 2_000, 'all are open');
  const started = new Stopwatch();
  const client = await connectTo(port);
  client.write('now');
  await once(client, 'data');
  assert.ok(started.ms() < 1_000);
  for (const socket of [...clients, client]) socket.destroy();
  await eventually(() => service.connections === 0, 'all are closed');
});
