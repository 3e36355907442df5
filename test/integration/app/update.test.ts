import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { differenceOf } from '../../../src/config/difference.ts';
import { resolveServices, resolveOptions } from '../../../src/config/options.ts';
import { createAmbassador, ConfigError, type Ambassador, type ServiceOptions } from '../../../src/index.ts';
import { runSeed, seededRandom } from '../../support/seeded.ts';
import { ask, connectTo, freePort, readAll, startEcho, startNamed } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

async function begin(t: TestContext, services: readonly ServiceOptions[]): Promise<Ambassador> {
  const ambassador = createAmbassador({ services, shutdownTimeout: 1 });
  t.after(() => ambassador.closeNow());
  await ambassador.start();
  return ambassador;
}

async function echoes(socket: Socket): Promise<void> {
  socket.write('ping');
  const [data] = (await once(socket, 'data', { signal: AbortSignal.timeout(5_000) })) as [Buffer];
  assert.equal(String(data), 'ping');
}

async function refuses(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  return new Promise((resolve) => {
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', () => resolve(true));
  });
}

test('a service that is added listens, one that did not change keeps its connection, one that is removed lets its own end', async (t) => {
  const echo = await startEcho(t);
  const [kept, gone, fresh] = [await freePort(), await freePort(), await freePort()];
  const dst = `127.0.0.1:${echo.port}`;
  const ambassador = await begin(t, [
    { name: 'kept', src: `127.0.0.1:${kept}`, dst },
    { name: 'gone', src: `127.0.0.1:${gone}`, dst, onChangeTimeout: 300 },
  ]);
  const [a, b] = [await connectTo(kept), await connectTo(gone)];
  await echoes(a);
  await echoes(b);
  const updated = await ambassador.update([
    { name: 'fresh', src: `127.0.0.1:${fresh}`, dst },
    { name: 'kept', src: `127.0.0.1:${kept}`, dst },
  ]);
  assert.deepEqual(updated, { added: ['fresh'], changed: [], removed: ['gone'] });
  assert.equal(await refuses(gone), true);
  await echoes(a);
  const c = await connectTo(fresh);
  await echoes(c);
  // Its candidate is still there, and it has ON_CHANGE_TIMEOUT.
  await echoes(b);
  await readAll(b);
  await eventually(() => ambassador.traffic().every(({ service }) => service !== 'gone'), 'what was removed is gone');
  await echoes(a);
  for (const socket of [a, c]) socket.destroy();
});

test('a port moves from one service to another', async (t) => {
  const [one, two] = [await startNamed(t, 'one'), await startNamed(t, 'two')];
  const [p, q] = [await freePort(), await freePort()];
  const services = (first: number, second: number): ServiceOptions[] => [
    { name: 'a', src: `127.0.0.1:${first}`, dst: `127.0.0.1:${one.port}` },
    { name: 'b', src: `127.0.0.1:${second}`, dst: `127.0.0.1:${two.port}` },
  ];
  const ambassador = await begin(t, services(p, q));
  const failed: string[] = [];
  ambassador.on('listen-failed', ({ errno }) => failed.push(errno));
  assert.deepEqual([await ask(p), await ask(q)], ['one', 'two']);
  await ambassador.update(services(q, p));
  assert.deepEqual([await ask(p), await ask(q)], ['two', 'one']);
  assert.deepEqual(failed, []);
});

test('a changed time-out is that of new connections; the listener and the open connection stay', async (t) => {
  const echo = await startEcho(t);
  const port = await freePort();
  const service = { src: `127.0.0.1:${port}`, dst: `127.0.0.1:${echo.port}` };
  const ambassador = await begin(t, [{ ...service, maxLifetime: '1h' }]);
  const closed: number[] = [];
  ambassador.on('listener-closed', ({ listener }) => closed.push(listener));
  const old = await connectTo(port);
  await echoes(old);
  await ambassador.update([{ ...service, maxLifetime: '1h', maxConnections: 1 }]);
  const refused = await connectTo(port);
  await readAll(refused);
  await ambassador.update([{ ...service, maxLifetime: '1h', maxConnections: 2 }]);
  const let_in = await connectTo(port);
  await echoes(let_in);
  await echoes(old);
  assert.deepEqual(closed, []);
  for (const socket of [old, let_in]) socket.destroy();
});

test('changed candidates are a change of the set: ON_CHANGE decides, and the next connection goes to the new one', async (t) => {
  const [one, two] = [await startNamed(t, 'one'), await startNamed(t, 'two')];
  const [echo, other] = [await startEcho(t), await startEcho(t)];
  const [p, q] = [await freePort(), await freePort()];
  const list = (dst: number, far: number): ServiceOptions[] => [
    { name: 'short', src: `127.0.0.1:${p}`, dst: `127.0.0.1:${dst}` },
    { name: 'long', src: `127.0.0.1:${q}`, dst: `127.0.0.1:${far}`, onChange: 'reset-removed' },
  ];
  const ambassador = await begin(t, list(one.port, echo.port));
  assert.equal(await ask(p), 'one');
  const held = await connectTo(q);
  await echoes(held);
  const end = readAll(held);
  const updated = await ambassador.update(list(two.port, other.port));
  assert.deepEqual(updated.changed, ['short', 'long']);
  assert.equal(await ask(p), 'two');
  assert.equal((await end).end, 'reset');
  const again = await connectTo(q);
  await echoes(again);
  assert.equal(other.sockets.length, 1);
  again.destroy();
});

test('a list with a fault changes nothing, and tells every fault', async (t) => {
  const echo = await startEcho(t);
  const port = await freePort();
  const ambassador = await begin(t, [{ src: `127.0.0.1:${port}`, dst: `127.0.0.1:${echo.port}` }]);
  const before = ambassador.services;
  await assert.rejects(ambassador.update([{ src: 'nowhere', dst: 'x:1', retries: -1 }]), (error) => {
    assert.ok(error instanceof ConfigError);
    assert.deepEqual(error.faults.map(({ setting }) => setting).sort(), ['services[0].retries', 'services[0].src']);
    return true;
  });
  assert.equal(ambassador.services[0], before[0]);
  const socket = await connectTo(port);
  await echoes(socket);
  socket.destroy();
});

test('no service at all: every listener closes, and a later list is served', async (t) => {
  const echo = await startEcho(t);
  const port = await freePort();
  const list: ServiceOptions[] = [{ src: `127.0.0.1:${port}`, dst: `127.0.0.1:${echo.port}` }];
  const ambassador = await begin(t, list);
  await ambassador.update([]);
  assert.equal(await refuses(port), true);
  await ambassador.update(list);
  const socket = await connectTo(port);
  await echoes(socket);
  socket.destroy();
});

test('200 random edits under traffic: no connection of an untouched service breaks, and the end is that of a fresh start', async (t) => {
  const seed = runSeed();
  t.diagnostic(`TEST_SEED=${seed}`);
  const random = seededRandom(seed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const servers = [await startEcho(t), await startEcho(t), await startEcho(t)];
  const ports = await Promise.all(Array.from({ length: 7 }, () => freePort()));
  const next = (): ServiceOptions[] => {
    const free = [...ports].sort(() => random() - 0.5);
    return ['a', 'b', 'c', 'd', 'e'].flatMap((name) => (random() < 0.75 ? [edited(name, free.pop() ?? 0)] : []));
  };
  const edited = (name: string, port: number): ServiceOptions => ({
    name,
    src: `127.0.0.1:${port}`,
    dst: [`127.0.0.1:${pick(servers).port}`],
    balance: pick(['ordered', 'round-robin'] as const),
    onChangeTimeout: 50,
    keepalive: pick(['30s', '31s']),
    holdTimeout: pick(['0', '1s']),
    maxLifetime: pick(['0', '1h']),
  });
  let list = next();
  const ambassador = await begin(t, list);
  const base = resolveOptions({ services: [{ src: ':1', dst: 'a:1' }] });
  const held = new Map<string, Socket>();
  let untouched = 0;
  for (let edit = 0; edit < 200; edit++) {
    const before = list;
    // Most edits touch one service; some all of them.
    const all = next();
    const one = pick(before.length > 0 ? before : all);
    const swapped = before.map((service) =>
      service.name === one.name ? { ...edited(service.name ?? '', 0), src: service.src } : service,
    );
    list = random() < 0.8 ? swapped : all;
    const { unchanged } = differenceOf(resolveServices(before, base), resolveServices(list, base));
    await ambassador.update(list);
    const names = new Set(unchanged.map(({ name }) => name));
    for (const [name, socket] of held) {
      if (names.has(name)) {
        await echoes(socket);
        untouched += 1;
      } else {
        socket.destroy();
        held.delete(name);
      }
    }
    for (const { name = '', src } of list) {
      if (held.has(name)) continue;
      const socket = await connectTo(Number(String(src).split(':')[1]));
      socket.on('error', () => undefined);
      held.set(name, socket);
      await echoes(socket);
    }
  }
  assert.ok(untouched > 200, `${untouched} connections of untouched services`);
  const fresh = resolveServices(list, base).map((service) => ({ ...service, origin: '' }));
  assert.deepEqual(
    ambassador.services.map((service) => ({ ...service, origin: '' })),
    fresh,
  );
  const wanted = new Set(list.map(({ src }) => Number(String(src).split(':')[1])));
  for (const port of ports) assert.equal(await refuses(port), !wanted.has(port), `port ${port}`);
  for (const socket of held.values()) socket.destroy();
  await eventually(() => ambassador.traffic().length === list.length, 'what has left is gone');
});
