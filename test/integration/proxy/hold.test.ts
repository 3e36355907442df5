import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { suite, test } from 'node:test';
import type { AttacheEvent } from '../../../src/core/observer.ts';
import { activeResources, untilResourcesAre } from '../../support/resources.ts';
import { startService } from '../../support/service.ts';
import { Stopwatch } from '../../support/stopwatch.ts';
import { connectTo, freePort, readAll, startBlackHole, startEcho, startNamed, startServer } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

const loopback = (port: number) => ({ kind: 'tcp', host: '127.0.0.1', port }) as const;
const MOST_HELD = 1_024;

suite('promise 18: HOLD_TIMEOUT', { timeout: 60_000 }, () => {
  test('an empty set: the client waits, and what it sent reaches the candidate that comes', async (t) => {
    const echo = await startEcho(t);
    const { port, source, service, closed } = await startService(t, { candidates: [], holdTimeoutMs: 30_000 });
    const client = await connectTo(port);
    client.write('sent while nobody was there');
    await eventually(() => service.status.held === 1, 'held');
    source.put([echo.address]);
    const [answer] = (await once(client, 'data')) as [Buffer];
    assert.equal(answer.toString(), 'sent while nobody was there');
    assert.equal(service.status.held, 0);
    client.write(', and more');
    assert.equal(String((await once(client, 'data'))[0]), ', and more');
    assert.equal(closed().length, 0);
    client.destroy();
  });

  test('nobody listens: the client is answered soon after somebody does', async (t) => {
    const port = await freePort();
    const proxy = await startService(t, { candidates: [loopback(port)], holdTimeoutMs: 30_000 });
    const client = await connectTo(proxy.port);
    const got = readAll(client);
    await eventually(() => proxy.service.status.held === 1, 'held');
    await startNamed(t, 'back', port);
    const began = new Stopwatch();
    assert.equal((await got).bytes.toString(), 'back');
    assert.ok(began.ms() < 1_000 + 500, 'a trial is never further away than 1 s');
    client.destroy();
    const { attempts, reason } = await proxy.closedOne();
    assert.equal(reason, 'finished');
    assert.equal(attempts.at(-1)?.outcome, 'ok');
  });

  test('who came first is served first, and who comes meanwhile stands behind them', async (t) => {
    const { port, source, service } = await startService(t, { candidates: [], holdTimeoutMs: 30_000 });
    const clients: Socket[] = [];
    t.after(() => clients.forEach((client) => client.destroy()));
    for (let i = 0; i < 50; i += 1) {
      const client = await connectTo(port);
      client.write(`${i}\n`);
      clients.push(client);
      await eventually(() => service.status.held === i + 1, 'held');
    }
    const order: number[] = [];
    const server = await startServer(t, {
      onConnection: (socket) => socket.once('data', (chunk: Buffer) => order.push(Number(chunk.toString()))),
    });
    source.put([server.address]);
    await eventually(() => order.length === 50, 'all are served');
    assert.deepEqual(
      order,
      Array.from({ length: 50 }, (_, i) => i),
    );
  });

  test('it runs out: the client is closed without a byte, and the log says why', async (t) => {
    const { port, closedOne, events } = await startService(t, { candidates: [], holdTimeoutMs: 300 });
    const began = new Stopwatch();
    const client = await connectTo(port);
    const { bytes, end } = await readAll(client);
    const [ms, ownMs] = [began.wallMs(), began.ms()];
    assert.deepEqual([bytes.length, end], [0, 'eof']);
    assert.ok(ms >= 290 && ownMs < 2_000, `${ms}`);
    const { reason, endedBy, dialMs } = await closedOne();
    assert.deepEqual([reason, endedBy], ['hold_timeout', 'attache']);
    assert.ok(dialMs >= 290);
    const phases = events.filter(isHold).map(({ phase }) => phase);
    assert.deepEqual(phases, ['began', 'ended']);
  });

  test('it runs out while a candidate does not answer: the dial is given up with it', async (t) => {
    const [refusing, hole] = [loopback(await freePort()), await startBlackHole(t)];
    const { port, source, service, closedOne } = await startService(t, {
      candidates: [refusing],
      holdTimeoutMs: 1_000,
    });
    const watch = new Stopwatch();
    const client = await connectTo(port);
    const got = readAll(client);
    await eventually(() => service.status.held === 1, 'held');
    source.put([hole]);
    assert.equal((await got).end, 'eof');
    const { reason, totalMs } = await closedOne();
    assert.equal(reason, 'hold_timeout');
    assert.ok(totalMs - watch.lostMs() < 3_000, `${totalMs}`);
  });

  for (const [how, leave] of [
    ['closes', (client: Socket) => client.end()],
    ['resets', (client: Socket) => client.resetAndDestroy()],
    ['has sent a request and resets', (client: Socket) => client.write('GET x', () => client.resetAndDestroy())],
  ] as const) {
    test(`a held client that ${how} frees its place`, async (t) => {
      const { port, service, closedOne } = await startService(t, { candidates: [], holdTimeoutMs: 60_000 });
      const client = await connectTo(port);
      await eventually(() => service.status.held === 1, 'held');
      leave(client);
      const { reason, endedBy } = await closedOne();
      assert.deepEqual([reason, endedBy], ['client_gone', 'client']);
      assert.equal(service.status.held, 0);
    });
  }

  test('a held client that has sent a request and closes frees its place after CONNECT_TIMEOUT', async (t) => {
    const { port, service, closedOne } = await startService(t, {
      candidates: [],
      holdTimeoutMs: 60_000,
      dialing: { connectTimeoutMs: 300 },
    });
    const client = await connectTo(port);
    client.end('GET x');
    await eventually(() => service.status.held === 1, 'held');
    assert.equal((await closedOne()).reason, 'client_gone');
    assert.equal(service.status.held, 0);
  });

  test('a held client that has finished its request gets its answer from a candidate that comes in time', async (t) => {
    const server = await startServer(t);
    const { port, source, service } = await startService(t, { candidates: [], holdTimeoutMs: 60_000 });
    const client = await connectTo(port);
    const got = readAll(client);
    client.end('question');
    await eventually(() => service.status.held === 1, 'held');
    source.put([server.address]);
    const candidate = await server.accepted();
    assert.equal((await readAll(candidate)).bytes.toString(), 'question');
    candidate.end('answer');
    assert.equal((await got).bytes.toString(), 'answer');
  });

  test('places are bounded: one too many is closed at once, one that leaves makes room', async (t) => {
    const { port, service, closedOne } = await startService(t, { candidates: [], holdTimeoutMs: 60_000 });
    const clients: Socket[] = [];
    t.after(() => clients.forEach((client) => client.destroy()));
    for (let i = 0; i < MOST_HELD; i += 1) clients.push(await connectTo(port));
    await eventually(() => service.status.held === MOST_HELD, 'all places are taken');
    const late = await connectTo(port);
    assert.equal((await readAll(late)).end, 'eof');
    assert.equal((await closedOne()).reason, 'hold_queue_full');
    clients[17]?.resetAndDestroy();
    await eventually(() => service.status.held === MOST_HELD - 1, 'a place is free');
    clients.push(await connectTo(port));
    await eventually(() => service.status.held === MOST_HELD, 'it is taken again');
  });

  test('a held client counts towards MAX_CONNECTIONS', async (t) => {
    const { port, service, closedOne } = await startService(t, {
      candidates: [],
      holdTimeoutMs: 60_000,
      maxConnections: 1,
    });
    const client = await connectTo(port);
    t.after(() => client.destroy());
    await eventually(() => service.status.held === 1, 'held');
    assert.equal((await readAll(await connectTo(port))).end, 'eof');
    assert.equal((await closedOne()).reason, 'max_connections');
  });

  test('a held client that does not stop sending is not read without bound', async (t) => {
    const { port, service } = await startService(t, { candidates: [], holdTimeoutMs: 60_000 });
    const client = await connectTo(port);
    t.after(() => client.destroy());
    await eventually(() => service.status.held === 1, 'held');
    // What the kernel and one read take, and no more: the rest of 64 MiB stays with its sender.
    for (let i = 0; i < 1_024; i += 1) client.write(Buffer.alloc(64 * 1024));
    await eventually(() => client.writableLength < 64 * 1024 * 1024, 'it sends');
    let [before, movedAt] = [-1, performance.now()];
    await eventually(() => {
      if (client.writableLength !== before) movedAt = performance.now();
      before = client.writableLength;
      return performance.now() - movedAt > 300;
    }, 'it is stopped');
    assert.ok(client.writableLength > 32 * 1024 * 1024);
  });

  test('closing the service ends those who are held, and leaves no timer', async (t) => {
    const before = activeResources();
    const { port, service, closed } = await startService(t, {
      candidates: [loopback(await freePort())],
      holdTimeoutMs: 60_000,
    });
    const clients = await Promise.all(Array.from({ length: 10 }, () => connectTo(port)));
    await eventually(() => service.status.held === 10, 'held');
    const got = Promise.all(clients.map(readAll));
    await service.close();
    await got;
    for (const client of clients) client.destroy();
    assert.deepEqual(new Set(closed().map(({ reason }) => reason)), new Set(['shutdown']));
    await untilResourcesAre(before, 2_000);
  });
});

function isHold(event: AttacheEvent): event is Extract<AttacheEvent, { type: 'hold' }> {
  return event.type === 'hold';
}

suite('dials under way', { timeout: 60_000 }, () => {
  const MOST_DIALS = 512;

  test('more than 512 of a service wait for their turn, in order, and leave the queue with their client', async (t) => {
    const echo = await startEcho(t);
    let lookups = 0;
    let answer: () => void = () => undefined;
    const answered = new Promise<readonly string[]>((resolve) => (answer = () => resolve(['127.0.0.1'])));
    const resolver = { resolve: () => ((lookups += 1), answered) };
    const { port, service, closedOne } = await startService(t, {
      candidates: [{ kind: 'tcp', host: 'slow.example', port: echo.port }],
      dialing: { resolver, connectTimeoutMs: 30_000 },
    });
    const clients = await Promise.all(Array.from({ length: MOST_DIALS + 50 }, () => connectTo(port)));
    t.after(() => clients.forEach((client) => client.destroy()));
    await eventually(() => service.connections === MOST_DIALS + 50, 'all are accepted');
    assert.equal(lookups, MOST_DIALS);
    const gone = clients.pop();
    gone?.resetAndDestroy();
    assert.equal((await closedOne()).reason, 'client_gone');
    answer();
    const echoes = clients.map((client) => (client.write('x'), once(client, 'data')));
    await Promise.all(echoes);
    assert.ok(lookups >= MOST_DIALS + 49);
  });

  test('a turn that does not come within CONNECT_TIMEOUT ends the client', async (t) => {
    const resolver = { resolve: () => new Promise<readonly string[]>(() => undefined) };
    const { port, closed, service } = await startService(t, {
      candidates: [
        { kind: 'tcp', host: 'never.example', port: 1 },
        { kind: 'tcp', host: 'never-either.example', port: 1 },
      ],
      dialing: { resolver, connectTimeoutMs: 1_000 },
    });
    const clients = await Promise.all(Array.from({ length: MOST_DIALS + 10 }, () => connectTo(port)));
    t.after(() => clients.forEach((client) => client.destroy()));
    await eventually(() => closed().length === MOST_DIALS + 10, 'all are closed');
    const count = (wanted: string) => closed().filter(({ reason }) => reason === wanted).length;
    assert.deepEqual([count('too_many_dials'), count('no_candidate_answered')], [10, MOST_DIALS]);
    assert.equal(service.connections, 0);
  });
});
