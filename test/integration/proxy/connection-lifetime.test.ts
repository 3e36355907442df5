import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises';
import { startService } from '../../support/service.ts';
import { Stopwatch } from '../../support/stopwatch.ts';
import { connectTo, readAll, startEcho, startServer } from '../../support/tcp.ts';

const LIFETIME_MS = 600;
/** Sends to each client all the time, whatever this process does; tells its port. */
const SENDER = `
const server = require('node:net').createServer((socket) => {
  const sending = setInterval(() => socket.write('more'), 5);
  socket.on('error', () => {}).on('close', () => clearInterval(sending));
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));`;

test('MAX_LIFETIME: a connection between two requests is closed when its time is over, by FIN on both sides', async (t) => {
  const server = await startServer(t);
  const { port, closedOne } = await startService(t, { candidates: [server.address], maxLifetimeMs: LIFETIME_MS });
  const client = await connectTo(port);
  const ends = [readAll(client), readAll(await server.accepted())];
  assert.deepEqual(
    (await Promise.all(ends)).map(({ end }) => end),
    ['eof', 'eof'],
  );
  const { reason, endedBy, totalMs } = await closedOne();
  assert.deepEqual([reason, endedBy], ['max_lifetime', 'attache']);
  assert.ok(totalMs >= 0.9 * LIFETIME_MS - 1, `closed after ${totalMs} ms`);
});

test('MAX_LIFETIME: a transfer that goes on is reset, so that it does not look complete', async (t) => {
  const server = await startServer(t);
  const { port, closedOne } = await startService(t, { candidates: [server.address], maxLifetimeMs: LIFETIME_MS });
  const client = await connectTo(port);
  const candidate = await server.accepted();
  const sending = setInterval(() => candidate.write('more'), 5);
  t.after(() => clearInterval(sending));
  const { end, bytes } = await readAll(client);
  assert.equal(end, 'reset');
  assert.ok(bytes.length > 0);
  assert.equal((await closedOne()).reason, 'max_lifetime');
});

test('MAX_LIFETIME: a transfer that went on while this process paused is reset, too', async (t) => {
  const sender = spawn(process.execPath, ['-e', SENDER], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => sender.kill('SIGKILL'));
  const [told] = (await once(sender.stdout, 'data')) as [Buffer];
  const { port, closedOne } = await startService(t, {
    candidates: [{ kind: 'tcp', host: '127.0.0.1', port: Number(told.toString()) }],
    maxLifetimeMs: LIFETIME_MS,
    random: () => 0.5,
  });
  const client = await connectTo(port);
  const began = performance.now();
  const all = readAll(client);
  await once(client, 'data');
  await delay(0.8 * LIFETIME_MS - (performance.now() - began));
  // Behind it come the timers, and only then the bytes.
  await turn();
  // Longer than a connection has to be quiet, and beyond the end of its lifetime.
  while (performance.now() - began < 1.3 * LIFETIME_MS);
  assert.equal((await all).end, 'reset');
  assert.equal((await closedOne()).reason, 'max_lifetime');
});

test('MAX_LIFETIME: a half-closed connection is reset, though it is quiet', async (t) => {
  const server = await startServer(t);
  const { port, closedOne } = await startService(t, { candidates: [server.address], maxLifetimeMs: LIFETIME_MS });
  const client = await connectTo(port);
  const candidate = await server.accepted();
  client.end();
  const [atClient] = await Promise.all([readAll(client), readAll(candidate)]);
  assert.equal(atClient.end, 'reset');
  assert.equal((await closedOne()).reason, 'max_lifetime');
});

test('MAX_LIFETIME: a client whose reader is slow is reset, and what waited for it is not called complete', async (t) => {
  const server = await startServer(t);
  const { port, closedOne } = await startService(t, { candidates: [server.address], maxLifetimeMs: LIFETIME_MS });
  const client = await connectTo(port);
  const candidate = await server.accepted();
  candidate.write(Buffer.alloc(32 * 1024 * 1024));
  assert.equal((await closedOne()).reason, 'max_lifetime');
  assert.equal((await readAll(client)).end, 'reset');
});

test('MAX_LIFETIME: each connection has its own time, within 10% of what was asked for', async (t) => {
  const server = await startEcho(t);
  const draws = [0, 0.999_999];
  const { port, closedOne } = await startService(t, {
    candidates: [server.address],
    maxLifetimeMs: 2_000,
    random: () => draws.shift() ?? 0.5,
  });
  for (const socket of [await connectTo(port), await connectTo(port)]) void readAll(socket);
  const [first, second] = [await closedOne(1), await closedOne(2)];
  assert.ok(first.totalMs >= 1_799, `the first after ${first.totalMs} ms`);
  assert.ok(second.totalMs >= 2_199, `the second after ${second.totalMs} ms`);
  assert.ok(second.totalMs - first.totalMs > 250, 'they do not end together');
});

test('IDLE_TIMEOUT counts from the last byte, not from when it was last looked at', async (t) => {
  const server = await startEcho(t);
  const { port, closedOne } = await startService(t, { candidates: [server.address], idleTimeoutMs: 1_000 });
  const client = await connectTo(port);
  const ended = readAll(client);
  let lastByte = new Stopwatch();
  for (let i = 0; i < 3; i += 1) {
    await new Promise((resolve) => setTimeout(resolve, 350));
    client.write('.');
    lastByte = new Stopwatch();
  }
  await ended;
  const [stillMs, ownMs] = [lastByte.wallMs(), lastByte.ms()];
  assert.ok(stillMs >= 990 && ownMs < 2_000, `closed ${stillMs} ms after the last byte`);
  assert.equal((await closedOne()).reason, 'idle_timeout');
});
