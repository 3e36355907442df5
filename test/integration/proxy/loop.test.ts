import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { suite, test, type TestContext } from 'node:test';
import {
  createAmbassador,
  type Ambassador,
  type AmbassadorOptions,
  type ConnectionClosedEvent,
} from '../../../src/index.ts';
import type { Resolver } from '../../../src/core/resolver.ts';
import { ask, connectTo, freePort, readAll, startNamed } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

interface Started {
  readonly ambassador: Ambassador;
  readonly opened: () => number;
  readonly closed: readonly ConnectionClosedEvent[];
}

const localhost: Resolver = { resolve: () => Promise.resolve(['127.0.0.1']) };

async function start(t: TestContext, options: AmbassadorOptions): Promise<Started> {
  const closed: ConnectionClosedEvent[] = [];
  let opened = 0;
  const ambassador = createAmbassador(options, {
    resolver: localhost,
    observer: (event) => {
      if (event.type === 'connection-opened') opened += 1;
      // What is not noticed would take every descriptor of the test.
      if (opened > 50) void ambassador.closeNow();
      if (event.type === 'connection-closed') closed.push(event);
    },
  });
  t.after(() => ambassador.closeNow());
  await ambassador.start();
  return { ambassador, closed, opened: () => opened };
}

/** Talks until its connection is over, one way or another. */
async function talk(port: number): Promise<void> {
  const client = await connectTo(port);
  client.write('ping\n');
  await readAll(client);
  client.destroy();
}

suite('a connection that comes back to its own listener', { timeout: 30_000 }, () => {
  test('by a name: it is cut by RST at its first return, with reason loop, and so is the next one', async (t) => {
    const port = await freePort();
    const { ambassador, closed, opened } = await start(t, {
      services: [{ src: `127.0.0.1:${port}`, dst: `${hostname()}.invalid:${port}` }],
    });
    for (const round of [1, 2, 3]) {
      await talk(port);
      await eventually(() => closed.length === 2 * round, 'both connections are over');
      assert.equal(closed.slice(-2).filter(({ reason }) => reason === 'loop').length, 1);
      assert.equal(opened(), 2 * round);
    }
    assert.deepEqual(ambassador.connections(), []);
  });

  test('through another service of the process', async (t) => {
    const [a, b] = [await freePort(), await freePort()];
    const { closed, opened } = await start(t, {
      services: [
        { name: 'a', src: `127.0.0.1:${a}`, dst: `there.invalid:${b}` },
        { name: 'b', src: `127.0.0.1:${b}`, dst: `here.invalid:${a}` },
      ],
    });
    await talk(a);
    await eventually(() => closed.length === 3, 'all three are over');
    assert.deepEqual(
      closed.filter(({ reason }) => reason === 'loop').map(({ service }) => service),
      ['a'],
    );
    assert.equal(opened(), 3);
  });

  test('a chain of two services of one process is none', async (t) => {
    const [b, server] = [await freePort(), await startNamed(t, 'served')];
    const { ambassador, closed } = await start(t, {
      services: [
        { name: 'a', src: '127.0.0.1:0', dst: `127.0.0.1:${b}` },
        { name: 'b', src: `127.0.0.1:${b}`, dst: `127.0.0.1:${server.port}` },
      ],
    });
    const address = ambassador.address('a');
    assert.ok(address?.kind === 'tcp');
    for (let i = 0; i < 20; i += 1) assert.equal(await ask(address.port), 'served');
    await eventually(() => closed.length === 40, 'all are over');
    assert.ok(closed.every(({ reason }) => reason !== 'loop'));
  });
});
