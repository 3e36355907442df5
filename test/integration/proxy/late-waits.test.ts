import assert from 'node:assert/strict';
import { once, setMaxListeners } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { block } from '../../support/block.ts';
import { checking, PRIMARY } from '../../support/health.ts';
import { startRoleServer } from '../../support/role-server.ts';
import { startService } from '../../support/service.ts';
import { connectTo, readAll, startNamed } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

const TIMEOUT = { timeout: 60_000 };
/** Begins before the pause does, which has to come within it. */
const SHORT_MS = 1_500;
/** Longer than what a client may wait, and not so long that a second wait is over. */
const PAUSE_MS = 2_000;
/** As many dials as a service makes at once. */
const MOST_DIALS = 512;

/** What the loop does first after a pause: Node does not say in which order it takes up what is due. */
const ORDERS = {
  'its timer fires first': nextTurn,
  'it is read first': async () => {
    const [here, there] = await pair();
    const heard = once(here, 'data');
    there.write('x');
    await heard;
    here.destroy();
    there.destroy();
  },
};

/** @returns blocks the loop; what calls `come` has come by the end of that */
async function pauseWith(t: TestContext, come: () => void): Promise<(order: () => Promise<unknown>) => Promise<void>> {
  const [here, messenger] = await pair();
  t.after(() => [here, messenger].forEach((socket) => socket.destroy()));
  here.once('data', come);
  return async (order) => {
    await order();
    messenger.write('it has come');
    block(PAUSE_MS);
  };
}

async function pair(): Promise<readonly [Socket, Socket]> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  const one = await connectTo((server.address() as AddressInfo).port);
  const [other] = (await accepted) as [Socket];
  server.close();
  return [one, other];
}

for (const [name, order] of Object.entries(ORDERS)) {
  test(
    `a candidate that comes while the loop is blocked beyond HOLD_TIMEOUT is not late: ${name}`,
    TIMEOUT,
    async (t) => {
      const candidate = await startNamed(t, 'here');
      const { port, source, service } = await startService(t, { candidates: [], holdTimeoutMs: SHORT_MS });
      const pause = await pauseWith(t, () => source.put([candidate.address]));
      const client = await connectTo(port);
      const got = readAll(client);
      await eventually(() => service.status.held === 1, 'it is held');
      await pause(order);
      assert.equal((await got).bytes.toString(), 'here');
      client.destroy();
    },
  );

  test(
    `a dial that ends while the loop is blocked beyond CONNECT_TIMEOUT lets the next client in: ${name}`,
    TIMEOUT,
    async (t) => {
      const candidate = await startNamed(t, 'here');
      const gate = new EventTarget();
      setMaxListeners(0, gate);
      const pause = await pauseWith(t, () => gate.dispatchEvent(new Event('open')));
      let lookUps = 0;
      const resolver = {
        resolve: async () => {
          lookUps += 1;
          if (lookUps <= MOST_DIALS) await once(gate, 'open');
          return ['127.0.0.1'];
        },
      };
      const { port, service, closed } = await startService(t, {
        candidates: [{ ...candidate.address, host: 'here.test' }],
        dialing: { connectTimeoutMs: SHORT_MS, resolver },
      });
      const clients: Socket[] = [];
      t.after(() => clients.forEach((client) => client.destroy()));
      // All in one turn of this loop, or their own time would be over before the last has come.
      const all = await Promise.all(Array.from({ length: MOST_DIALS + 1 }, () => connectTo(port)));
      clients.push(...all);
      await eventually(
        () => lookUps === MOST_DIALS && [...service.open].length === MOST_DIALS + 1,
        'one waits behind the dials',
      );
      const served = clients.map((client) => readAll(client));
      await pause(order);
      for (const got of served) assert.equal((await got).bytes.toString(), 'here');
      assert.deepEqual([...new Set(closed().map(({ reason }) => reason))], []);
    },
  );

  test(
    `first answers of checks that come while the loop is blocked beyond HEALTH_TIMEOUT are not late: ${name}`,
    TIMEOUT,
    async (t) => {
      const server = await startRoleServer(t, 'here', 'master');
      const gate = new EventTarget();
      setMaxListeners(0, gate);
      const pause = await pauseWith(t, () => gate.dispatchEvent(new Event('open')));
      const checks = checking(PRIMARY, { intervalMs: 60_000, timeoutMs: SHORT_MS, fall: 1 });
      let lookUps = 0;
      const resolver = {
        resolve: async () => {
          lookUps += 1;
          await once(gate, 'open');
          return ['127.0.0.1'];
        },
      };
      const { port, service } = await startService(t, {
        candidates: [{ ...server.address, host: 'here.test' }],
        health: { ...checks, dialing: { ...checks.dialing, resolver } },
        dialing: { resolver: { resolve: () => Promise.resolve(['127.0.0.1']) } },
      });
      const client = await connectTo(port);
      client.write('who');
      const answer = once(client, 'data');
      await eventually(() => lookUps === 1 && [...service.open].length === 1, 'it waits for the first answer');
      await pause(order);
      assert.equal(String((await answer)[0]), 'here');
      client.destroy();
    },
  );
}
