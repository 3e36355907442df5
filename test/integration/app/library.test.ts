import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import {
  AttacheError,
  ConfigError,
  createAmbassador,
  type Ambassador,
  type AmbassadorOptions,
  type AmbassadorParts,
  type AttacheEvent,
} from '../../../src/index.ts';
import { ask, connectTo, freePort, readAll, startEcho, startNamed, startServer } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

function build(t: TestContext, options: AmbassadorOptions, parts: AmbassadorParts = {}): Ambassador {
  const ambassador = createAmbassador(options, parts);
  t.after(() => ambassador.closeNow());
  return ambassador;
}

function portOf(ambassador: Ambassador, service?: string): number {
  const address = ambassador.address(service);
  assert.ok(address?.kind === 'tcp');
  return address.port;
}

test('an ambassador carries connections between start and close, and tells where it listens', async (t) => {
  const [a, b] = [await startNamed(t, 'a'), await startNamed(t, 'b')];
  const ambassador = build(t, {
    services: [
      { name: 'one', src: '127.0.0.1:0', dst: `127.0.0.1:${a.port}` },
      { name: 'two', src: ['127.0.0.1:0'], dst: [`127.0.0.1:${b.port}`], balance: 'round-robin', connectTimeout: 500 },
    ],
  });
  assert.equal(ambassador.address('one'), undefined);
  await ambassador.start();
  assert.deepEqual([await ask(portOf(ambassador, 'one')), await ask(portOf(ambassador, 'two'))], ['a', 'b']);
  assert.equal(portOf(ambassador), portOf(ambassador, 'one'));
  assert.equal(ambassador.address('three'), undefined);
  assert.deepEqual(await ambassador.close(), { cut: 0 });
  assert.equal(ambassador.address('one'), undefined);
  assert.equal(ambassador.status.phase, 'closed');
});

test('events are typed, come in order, and stop when their listener is taken off', async (t) => {
  const server = await startNamed(t, 'x');
  const all: AttacheEvent['type'][] = [];
  const ambassador = build(
    t,
    { services: [{ src: '127.0.0.1:0', dst: `127.0.0.1:${server.port}` }] },
    { observer: ({ type }) => all.push(type) },
  );
  const closed: string[] = [];
  const off = ambassador.on('connection-closed', ({ candidate, reason }) =>
    closed.push(`${candidate ?? ''} ${reason}`),
  );
  await ambassador.start();
  const port = portOf(ambassador);
  await ask(port);
  await eventually(() => closed.length === 1, 'the event');
  assert.deepEqual(closed, [`127.0.0.1:${server.port} finished`]);
  off();
  await ask(port);
  await eventually(() => all.filter((type) => type === 'connection-closed').length === 2, 'the second one');
  assert.equal(closed.length, 1);
  assert.ok(all.indexOf('listening') < all.indexOf('connection-opened'));
  assert.ok(all.includes('candidates-changed'));
});

test('an observer that throws harms nobody', async (t) => {
  const server = await startNamed(t, 'fine');
  const ambassador = build(
    t,
    { services: [{ src: '127.0.0.1:0', dst: `127.0.0.1:${server.port}` }] },
    {
      observer: () => {
        throw new Error('observer');
      },
    },
  );
  await ambassador.start();
  assert.equal(await ask(portOf(ambassador)), 'fine');
});

test('aborting the signal closes it, open connections finishing first', async (t) => {
  const server = await startEcho(t);
  const control = new AbortController();
  const ambassador = build(
    t,
    { services: [{ src: '127.0.0.1:0', dst: `127.0.0.1:${server.port}` }] },
    { signal: control.signal },
  );
  await ambassador.start();
  const client = await connectTo(portOf(ambassador));
  client.write('in flight');
  await once(client, 'data');
  control.abort();
  await eventually(() => ambassador.status.phase === 'draining', 'it drains');
  client.end(' and done');
  assert.equal((await readAll(client)).bytes.toString(), ' and done');
  assert.deepEqual(await ambassador.closed, { cut: 0 });
});

test('closing twice, and closing now while a close waits, join one close that counts what it cut', async (t) => {
  const server = await startEcho(t);
  const ambassador = build(t, {
    services: [{ src: '127.0.0.1:0', dst: `127.0.0.1:${server.port}` }],
    shutdownTimeout: '5m',
  });
  await ambassador.start();
  const client = await connectTo(portOf(ambassador));
  client.write('x');
  await once(client, 'data');
  const [first, second] = [ambassador.close(), ambassador.close()];
  assert.deepEqual(await Promise.all([ambassador.closeNow(), first, second]), [{ cut: 1 }, { cut: 1 }, { cut: 1 }]);
  assert.equal((await readAll(client)).end, 'reset');
});

test('shutdownTimeout 0 gives connections all the time they need', async (t) => {
  const server = await startEcho(t);
  const ambassador = build(t, {
    services: [{ src: '127.0.0.1:0', dst: `127.0.0.1:${server.port}` }],
    shutdownTimeout: 0,
  });
  await ambassador.start();
  const client = await connectTo(portOf(ambassador));
  client.write('x');
  await once(client, 'data');
  const closing = ambassador.close();
  await eventually(() => ambassador.status.services[0]?.listeners[0]?.status.phase === 'closed', 'no listener');
  client.write('y');
  await once(client, 'data');
  client.end();
  assert.deepEqual(await closing, { cut: 0 });
});

test('start rejects when nothing can listen, with the address and errno, and leaves nothing behind', async (t) => {
  const taken = await startServer(t);
  const ambassador = build(t, { services: [{ src: `127.0.0.1:${taken.port}`, dst: '127.0.0.1:1' }] });
  await assert.rejects(ambassador.start(), (error) => {
    assert.ok(error instanceof AttacheError);
    assert.equal(error.code, 'nothing_listening');
    assert.equal(
      error.message,
      `no service could listen: 127.0.0.1:${taken.port} (EADDRINUSE: another process has this address: stop that process, or choose another port)`,
    );
    return true;
  });
  assert.equal(ambassador.status.phase, 'closed');
});

test('start after close, and close during start, reject with the code closed', async (t) => {
  const options = { services: [{ src: '127.0.0.1:0', dst: '127.0.0.1:1' }] };
  const before = build(t, options);
  await before.close();
  await assert.rejects(before.start(), { code: 'closed' });
  const during = build(t, options);
  const starting = during.start();
  await Promise.all([assert.rejects(starting, { code: 'closed' }), during.close()]);
});

test('faulty options are one ConfigError with the path of each fault', () => {
  const faulty = { services: [{ src: '6379', dst: 'a:0' }] };
  assert.throws(
    () => createAmbassador(faulty),
    (error) => {
      assert.ok(error instanceof ConfigError);
      assert.deepEqual(
        error.faults.map(({ setting }) => setting),
        ['services[0].src', 'services[0].dst'],
      );
      return true;
    },
  );
});

test('the ambassador holds no handle after its close, whatever happened before', async (t) => {
  const server = await startNamed(t, 'x');
  const before = process.getActiveResourcesInfo().length;
  const ambassador = createAmbassador({
    services: [
      { name: 'a', src: '127.0.0.1:0', dst: [`127.0.0.1:${await freePort()}`, `127.0.0.1:${server.port}`] },
      { name: 'b', src: '127.0.0.1:0', srv: '/srv/nothing' },
    ],
    dsc: `http://127.0.0.1:${await freePort()}`,
  });
  await ambassador.start();
  await ask(portOf(ambassador));
  await ambassador.close();
  await eventually(() => process.getActiveResourcesInfo().length <= before, `back to ${before}`);
});
