import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import type { Address } from '../../../src/core/address.ts';
import { dialsTo } from '../../support/kernel.ts';
import { isDialed, startService } from '../../support/service.ts';
import { Stopwatch } from '../../support/stopwatch.ts';
import { connectTo, freePort, readAll, startBlackHole, startEcho, startNamed, startServer } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

const local = (port: number): Address => ({ kind: 'tcp', host: '127.0.0.1', port });

test('promise 3: a reset by the candidate resets the client, after the bytes that came before it', async (t) => {
  const server = await startServer(t);
  const { port, closedOne } = await startService(t, { candidates: [server.address] });
  const client = await connectTo(port);
  const candidate = await server.accepted();
  candidate.write('partial');
  const [chunk] = (await once(client, 'data')) as [Buffer];
  assert.equal(chunk.toString(), 'partial');
  const ended = readAll(client);
  const resetAt = new Stopwatch();
  candidate.resetAndDestroy();
  assert.equal((await ended).end, 'reset');
  assert.ok(resetAt.ms() < 2_000);
  const { reason, endedBy } = await closedOne();
  assert.deepEqual([reason, endedBy], ['candidate_reset', 'candidate']);
});

test('promise 3: a reset by the client resets the candidate', async (t) => {
  const server = await startServer(t);
  const { port, closedOne } = await startService(t, { candidates: [server.address] });
  const client = await connectTo(port);
  client.write('x');
  const candidate = await server.accepted();
  await once(candidate, 'data');
  const ended = readAll(candidate);
  client.resetAndDestroy();
  assert.equal((await ended).end, 'reset');
  const { reason, endedBy } = await closedOne();
  assert.deepEqual([reason, endedBy], ['client_reset', 'client']);
});

test('promise 3: a reset reaches the other side although it is not being read', async (t) => {
  const server = await startServer(t, { pauseOnConnect: true });
  const { port, closedOne, service } = await startService(t, { candidates: [server.address] });
  const client = await connectTo(port);
  const candidate = await server.accepted();
  // Both directions are stopped by back-pressure when the reset comes.
  const block = Buffer.alloc(1024 * 1024);
  for (let i = 0; i < 16; i += 1) client.write(block);
  for (let i = 0; i < 16; i += 1) candidate.write(block);
  client.pause();
  await eventually(() => client.writableLength > 0 && candidate.writableLength > 0, 'both senders are stopped');
  candidate.resetAndDestroy();
  await closedOne();
  assert.equal(service.connections, 0);
});

test('promise 3: a client that closes closes the candidate, and it is counted as finished', async (t) => {
  const server = await startEcho(t);
  const { port, closedOne } = await startService(t, { candidates: [server.address] });
  const client = await connectTo(port);
  client.write('ping');
  await once(client, 'data');
  const candidate = await server.accepted();
  client.destroy();
  await eventually(() => candidate.destroyed, 'the candidate is closed', 2_000);
  const { reason, endedBy, bytesToCandidate, bytesToClient } = await closedOne();
  assert.deepEqual([reason, endedBy, bytesToCandidate, bytesToClient], ['finished', 'client', 4, 4]);
});

for (const [how, leave] of [
  ['closes', (client: { destroy(): unknown; resetAndDestroy(): unknown }) => client.destroy()],
  ['resets', (client: { destroy(): unknown; resetAndDestroy(): unknown }) => client.resetAndDestroy()],
] as const) {
  test(`promise 7: a client that ${how} while its candidate is dialed ends the dial within a second`, async (t) => {
    const hole = await startBlackHole(t);
    const before = dialsTo(hole.port);
    const { port, closedOne, service } = await startService(t, { candidates: [hole] });
    const client = await connectTo(port);
    await eventually(() => isDialed(service, hole), 'the candidate is being dialed');
    const left = new Stopwatch();
    leave(client);
    const { reason, endedBy, candidate, totalMs } = await closedOne();
    assert.ok(left.ms() < 1_000 + 500, 'within a second, and slack for the machine');
    assert.deepEqual([reason, endedBy, candidate], ['client_gone', 'client', undefined]);
    assert.ok(totalMs < 5_000, 'not the connect time-out');
    assert.equal(service.connections, 0);
    assert.ok(dialsTo(hole.port) <= before, 'nobody is dialed any more');
  });
}

test('promise 7: a client that ends after it has sent bytes is still dialed for, and its bytes delivered', async (t) => {
  const hole = await startBlackHole(t);
  const server = await startServer(t);
  const { port } = await startService(t, {
    candidates: [hole, server.address],
    dialing: { connectTimeoutMs: 1_500 },
  });
  const client = await connectTo(port);
  client.end('last words');
  assert.equal((await readAll(await server.accepted())).bytes.toString(), 'last words');
  client.destroy();
});

test('promise 12: ordered uses the first candidate, the next when it is refused, and the first again once it is back', async (t) => {
  const port1 = await freePort();
  const second = await startNamed(t, 'second');
  const { port, closedOne } = await startService(t, { candidates: [local(port1), second.address] });
  const say = async () => {
    const client = await connectTo(port);
    const { bytes } = await readAll(client);
    client.destroy();
    return bytes.toString();
  };
  assert.equal(await say(), 'second');
  const { attempts, candidate } = await closedOne();
  assert.deepEqual(
    attempts.map((attempt) => [attempt.candidate, attempt.outcome]),
    [
      [`127.0.0.1:${port1}`, 'ECONNREFUSED'],
      [`127.0.0.1:${second.port}`, 'ok'],
    ],
  );
  assert.equal(candidate, `127.0.0.1:${second.port}`);
  await startNamed(t, 'first', port1);
  assert.equal(await say(), 'first');
});

test('promise 12 and 14: when all refuse, the client is closed within a second without a byte and it is counted', async (t) => {
  const ports = [await freePort(), await freePort(), await freePort()];
  const { port, closedOne, events } = await startService(t, { candidates: ports.map(local) });
  const client = await connectTo(port);
  const started = new Stopwatch();
  const { bytes } = await readAll(client);
  assert.ok(started.ms() < 1_000);
  assert.equal(bytes.length, 0);
  const { reason, endedBy, attempts, candidate } = await closedOne();
  assert.deepEqual([reason, endedBy, attempts.length, candidate], ['no_candidate_answered', 'attache', 3, undefined]);
  assert.equal(events.filter((event) => event.type === 'dial-failed').length, 3);
});

test('promise 14: a black-holed first candidate costs the connect time-out, then the second serves', async (t) => {
  const hole = await startBlackHole(t);
  const before = dialsTo(hole.port);
  const second = await startNamed(t, 'second');
  const { port, closedOne } = await startService(t, {
    candidates: [hole, second.address],
    dialing: { connectTimeoutMs: 700 },
  });
  const watch = new Stopwatch();
  const client = await connectTo(port);
  assert.equal((await readAll(client)).bytes.toString(), 'second');
  client.destroy();
  const { attempts, dialMs } = await closedOne();
  assert.deepEqual(
    attempts.map(({ outcome }) => outcome),
    ['TIMEOUT', 'ok'],
  );
  assert.ok(dialMs >= 690 && dialMs - watch.lostMs() < 700 + 500, `dialed for ${dialMs} ms`);
  await eventually(() => dialsTo(hole.port) === before, 'its socket is closed');
});

test('promise 15: an empty set closes the client at once and nothing breaks', async (t) => {
  const server = await startNamed(t, 'here');
  const { port, source, closedOne } = await startService(t, { candidates: [] });
  const client = await connectTo(port);
  assert.equal((await readAll(client)).bytes.length, 0);
  assert.equal((await closedOne()).reason, 'no_candidates');
  source.put([server.address]);
  const again = await connectTo(port);
  assert.equal((await readAll(again)).bytes.toString(), 'here');
});

test('a half-closed connection can be ended at once, from whichever side it was closed first', async (t) => {
  const server = await startServer(t);
  const { port, service, closedOne } = await startService(t, { candidates: [server.address] });
  const [first, second] = [await connectTo(port), await connectTo(port)];
  first.end('x');
  await readAll(await server.accepted());
  const other = await server.accepted();
  other.end('y');
  await readAll(second);
  assert.equal(service.cut('shutdown'), 2);
  const reasons = [(await closedOne(1)).reason, (await closedOne(2)).reason];
  assert.deepEqual(reasons, ['shutdown', 'shutdown']);
  assert.equal(service.connections, 0);
});
