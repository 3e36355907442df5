import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { roundRobinPolicy } from '../../../src/balancing/policies.ts';
import { isDialed, startService } from '../../support/service.ts';
import { Stopwatch } from '../../support/stopwatch.ts';
import {
  ask,
  connectTo,
  freePort,
  readAll,
  startBlackHole,
  startEcho,
  startNamed,
  startServer,
} from '../../support/tcp.ts';
import { deferred, eventually } from '../../support/wait.ts';

/** A connection that has proved to be carried. */
async function established(port: number): Promise<Socket> {
  const socket = await connectTo(port);
  socket.write('?');
  await once(socket, 'data');
  return socket;
}

test('promise 13: round-robin spreads exactly', async (t) => {
  const servers = [await startNamed(t, 'a'), await startNamed(t, 'b'), await startNamed(t, 'c')];
  const { port } = await startService(t, {
    candidates: servers.map(({ address }) => address),
    policy: () => roundRobinPolicy(0),
  });
  const got = [];
  for (let i = 0; i < 9; i += 1) got.push(await ask(port));
  assert.equal(got.join(''), 'abcabcabc');
});

test('promise 13: round-robin does not retry by default, and RETRIES raises it', async (t) => {
  const dead = { kind: 'tcp', host: '127.0.0.1', port: await freePort() } as const;
  const live = await startNamed(t, 'live');
  const candidates = [dead, live.address];
  const none = await startService(t, { candidates, policy: () => roundRobinPolicy(0) });
  assert.deepEqual([await ask(none.port), await ask(none.port), await ask(none.port)], ['', 'live', '']);
  const one = await startService(t, { candidates, policy: () => roundRobinPolicy(1) });
  assert.deepEqual([await ask(one.port), await ask(one.port), await ask(one.port)], ['live', 'live', 'live']);
});

test('promise 20: a new set serves within 100 ms, and by default every established connection is reset within 2 s', async (t) => {
  const [a, b] = [await startEcho(t), await startEcho(t)];
  const { port, source, events, closedOne } = await startService(t, { candidates: [a.address] });
  const old = await established(port);
  const ended = readAll(old);
  const changedAt = new Stopwatch();
  source.put([b.address]);
  const fresh = await established(port);
  assert.deepEqual([a.sockets.length, b.sockets.length], [1, 1], 'served by the new set at once');
  assert.equal((await ended).end, 'reset');
  assert.ok(changedAt.ms() < 2_000);
  const { reason, endedBy } = await closedOne();
  assert.deepEqual([reason, endedBy], ['membership_changed', 'attache']);
  assert.deepEqual(
    events.filter((event) => event.type === 'connections-reset').map(({ connections, mode }) => [connections, mode]),
    [[1, 'reset']],
  );
  // What was opened on the new set stays.
  fresh.write('still there');
  await once(fresh, 'data');
  fresh.destroy();
});

test('promise 21: the same set again, in whatever objects, resets nothing', async (t) => {
  const server = await startEcho(t);
  const { port, source, events, closed, closedOne } = await startService(t, { candidates: [server.address] });
  const client = await established(port);
  for (let i = 0; i < 10; i += 1) source.put([{ ...server.address }]);
  // A change that does reset comes last: once it has, nothing of the earlier ones can still be under way.
  const other = await startEcho(t);
  assert.equal(events.filter((event) => event.type === 'candidates-changed').length, 1);
  assert.equal(closed().length, 0);
  const ended = readAll(client);
  source.put([other.address]);
  assert.equal((await ended).end, 'reset');
  await closedOne();
  assert.equal(closed().length, 1);
});

test('promise 22: a burst of changes ends at the final set with one round of resets', async (t) => {
  const [a, b, last] = [await startEcho(t), await startEcho(t), await startNamed(t, 'last')];
  const { port, source, events } = await startService(t, { candidates: [a.address] });
  const clients = await Promise.all(Array.from({ length: 5 }, () => established(port)));
  const ended = Promise.all(clients.map(readAll));
  for (let i = 0; i < 50; i += 1) source.put(i % 2 === 0 ? [b.address] : [a.address, b.address]);
  source.put([last.address]);
  assert.deepEqual(new Set((await ended).map(({ end }) => end)), new Set(['reset']));
  assert.equal(await ask(port), 'last');
  assert.deepEqual(
    events.filter((event) => event.type === 'connections-reset').map(({ connections }) => connections),
    [5],
  );
});

test('ON_CHANGE=reset-removed touches only connections to members that left', async (t) => {
  const [a, b, c] = [await startEcho(t), await startEcho(t), await startEcho(t)];
  const { port, source, closed } = await startService(t, {
    candidates: [a.address, b.address],
    policy: () => roundRobinPolicy(0),
    onChange: 'reset-removed',
  });
  const [toA, toB] = [await established(port), await established(port)];
  const ended = readAll(toA);
  source.put([b.address, c.address]);
  assert.equal((await ended).end, 'reset');
  toB.write('still');
  await once(toB, 'data');
  assert.deepEqual(
    closed().map(({ candidate, reason }) => [candidate, reason]),
    [[`127.0.0.1:${a.port}`, 'membership_changed']],
  );
  toB.destroy();
});

test('ON_CHANGE=drain lets a transfer to a removed member finish, and ends what outlives ON_CHANGE_TIMEOUT', async (t) => {
  const [a, b] = [await startEcho(t), await startEcho(t)];
  const { port, source, closedOne } = await startService(t, {
    candidates: [a.address],
    onChange: 'drain',
    onChangeTimeoutMs: 800,
  });
  const [quick, slow] = [await established(port), await established(port)];
  const changedAt = performance.now();
  source.put([b.address]);
  quick.end('the rest');
  assert.equal((await readAll(quick)).bytes.toString(), 'the rest');
  assert.equal((await closedOne()).reason, 'finished');
  assert.equal((await readAll(slow)).end, 'reset');
  assert.ok(performance.now() - changedAt >= 790);
  assert.equal((await closedOne(2)).reason, 'drain_timeout');
});

test('ON_CHANGE=drain: a member that comes back in time keeps its connections', async (t) => {
  const [a, b] = [await startEcho(t), await startEcho(t)];
  const { port, source, closed, closedOne } = await startService(t, {
    candidates: [a.address],
    onChange: 'drain',
    onChangeTimeoutMs: 400,
  });
  const client = await established(port);
  source.put([b.address]);
  const other = await established(port);
  source.put([a.address]);
  // The connection to b drains now, and its end comes after the moment at which the one to a would have ended.
  assert.equal((await readAll(other)).end, 'reset');
  assert.equal((await closedOne()).candidate, `127.0.0.1:${b.port}`);
  assert.equal(closed().length, 1);
  client.write('still');
  await once(client, 'data');
  client.destroy();
});

test('ON_CHANGE=keep leaves established connections alone; new ones go to the new set', async (t) => {
  const [a, b] = [await startEcho(t), await startNamed(t, 'b')];
  const { port, source, closed } = await startService(t, { candidates: [a.address], onChange: 'keep' });
  const client = await established(port);
  source.put([b.address]);
  assert.equal(await ask(port), 'b');
  // Longer than a burst of changes is waited for.
  await pause(200);
  client.write('still');
  await once(client, 'data');
  assert.equal(closed().filter(({ reason }) => reason === 'membership_changed').length, 0);
  client.destroy();
});

test('RESET_JITTER spreads the resets over its time', async (t) => {
  const [a, b] = [await startEcho(t), await startEcho(t)];
  const { port, source } = await startService(t, { candidates: [a.address], resetJitterMs: 1_000 });
  const clients = await Promise.all(Array.from({ length: 40 }, () => established(port)));
  const changedAt = new Stopwatch();
  const times = clients.map(async (client) => {
    await readAll(client);
    return changedAt.wallMs();
  });
  source.put([b.address]);
  const at = (await Promise.all(times)).sort((x, y) => x - y);
  const half = at.filter((ms) => ms < 550).length;
  assert.ok(half >= 12 && half <= 28, `${half} of 40 in the first half: ${at.map(Math.round).join(' ')}`);
  assert.ok((at[0] ?? 0) - changedAt.lostMs() < 400 && (at.at(-1) ?? 0) > 800);
});

test('a dial to a candidate that leaves is given up for the new set at once', async (t) => {
  const hole = await startBlackHole(t);
  const server = await startNamed(t, 'new');
  const { port, source, closedOne, events } = await startService(t, {
    candidates: [hole],
    dialing: { connectTimeoutMs: 60_000 },
  });
  const client = await connectTo(port);
  await eventually(() => events.some((event) => event.type === 'connection-opened'), 'accepted');
  source.put([server.address]);
  assert.equal((await readAll(client)).bytes.toString(), 'new');
  client.destroy();
  assert.deepEqual(
    (await closedOne()).attempts.map(({ outcome }) => outcome),
    ['REMOVED', 'ok'],
  );
});

test('a candidate that left between answering the dial and the relay never gets a byte', async (t) => {
  const [old, fresh] = [await startServer(t), await startNamed(t, 'fresh')];
  const { promise: answered, resolve: answer } = deferred<readonly string[]>();
  const { port, source, events } = await startService(t, {
    candidates: [{ ...old.address, host: 'old.test' }],
    dialing: { resolver: { resolve: () => answered } },
  });
  const client = await connectTo(port);
  client.write('secret');
  await eventually(() => events.some((event) => event.type === 'connection-opened'), 'accepted');
  source.put([fresh.address]);
  answer(['127.0.0.1']);
  assert.equal((await readAll(client)).bytes.toString(), 'fresh');
  assert.equal(old.sockets.length, 0);
  client.destroy();
});

test('round-robin without retries: a candidate that leaves while it is dialed is replaced by one that is there', async (t) => {
  const [hole, live] = [await startBlackHole(t), await startNamed(t, 'live')];
  const { port, source, service } = await startService(t, {
    candidates: [hole, live.address],
    policy: () => roundRobinPolicy(0),
  });
  const answer = ask(port);
  await eventually(() => isDialed(service, hole), 'the first is being dialed');
  source.put([live.address]);
  assert.equal(await answer, 'live');
});

test('ON_CHANGE=reset reaches a connection whose candidate was chosen before the change and answered right after it', async (t) => {
  const [a, b] = [await startEcho(t), await startEcho(t)];
  const looked = deferred<readonly string[]>();
  const address = { ...a.address, host: 'a.test' };
  const { port, source, closedOne, events } = await startService(t, {
    candidates: [address],
    dialing: { resolver: { resolve: () => looked.promise } },
  });
  const client = await connectTo(port);
  const ended = readAll(client);
  await eventually(() => events.some((event) => event.type === 'connection-opened'), 'it is being dialed');
  source.put([address, b.address]);
  looked.resolve(['127.0.0.1']);
  assert.equal((await closedOne()).reason, 'membership_changed');
  assert.equal((await ended).end, 'reset');
});

test('ON_CHANGE=drain: a candidate that comes back and leaves again gives its connections the whole time again', async (t) => {
  const [a, b] = [await startEcho(t), await startEcho(t)];
  const { port, source, closed, closedOne, events } = await startService(t, {
    candidates: [a.address, b.address],
    onChange: 'drain',
    onChangeTimeoutMs: 1_500,
  });
  const resets = () => events.filter((event) => event.type === 'connections-reset').length;
  const client = await established(port);
  source.put([b.address]);
  await eventually(() => resets() === 1, 'the first leave is acted upon');
  const first = performance.now();
  source.put([a.address, b.address]);
  // Longer than what counts as one burst of changes.
  await eventually(() => performance.now() - first > 700, 'it has been back for a while');
  source.put([b.address]);
  await eventually(() => resets() === 2, 'the second leave is acted upon');
  const second = performance.now();
  assert.equal(closed().length, 0);
  assert.equal((await closedOne()).reason, 'drain_timeout');
  assert.ok(performance.now() - second > 1_400, `cut after ${performance.now() - second} ms`);
  client.destroy();
});

test('ON_CHANGE=reset spares a connection that the change itself sent to a candidate of the new set', async (t) => {
  const [hole, echo] = [await startBlackHole(t), await startEcho(t)];
  const { port, source, closed, events, service } = await startService(t, { candidates: [hole] });
  const witness = await startService(t, { candidates: [echo.address] });
  const client = await connectTo(port);
  await eventually(() => isDialed(service, hole), 'it is being dialed');
  source.put([echo.address]);
  client.write('?');
  await once(client, 'data');
  // A reset of another service, asked for later, comes later: by then this one's would have come.
  const other = readAll(await established(witness.port));
  witness.source.put([hole]);
  assert.equal((await other).end, 'reset');
  assert.deepEqual([closed().length, events.filter(({ type }) => type === 'connections-reset').length], [0, 0]);
  client.destroy();
});
