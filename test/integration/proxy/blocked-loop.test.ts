import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { connect as tlsOver } from 'node:tls';
import { checking, healthChanges, healthOf, PRIMARY } from '../../support/health.ts';
import { startRoleServer } from '../../support/role-server.ts';
import { eventually } from '../../support/wait.ts';
import { createAuthority } from '../../support/certificates.ts';
import { block } from '../../support/block.ts';
import { ENGINES } from '../../support/engine.ts';
import { startService, type TestService } from '../../support/service.ts';
import { connectTo, readAll, startBlackHole, startNamed, startServer } from '../../support/tcp.ts';
import { accepting, dialingTls, pemOf, startTlsServer } from '../../support/tls-service.ts';
import { writeProxyHeader } from '../../../src/core/write-proxy-header.ts';

const TIMEOUT = { timeout: 60_000 };
const SHORT_MS = 600;
/** Longer than what the two sides are given, and not so long that a second one is. */
const PAUSE_MS = 900;
const ENDS = { source: { ip: '203.0.113.7', port: 41_002 }, destination: { ip: '198.51.100.9', port: 443 } };

/** When a client has been accepted, and nothing of it has been read. */
async function accepted({ service }: TestService): Promise<void> {
  while ([...service.open].length === 0) await nextTurn();
}

/** When the loop is blocked, as seen from whoever is to be dialed. */
const PAUSES_OF_A_DIAL = {
  'a candidate that answers': () => {
    setImmediate(block, PAUSE_MS);
    return Promise.resolve(['127.0.0.1']);
  },
  'a look-up that is answered': async () => {
    await nextTurn();
    block(PAUSE_MS);
    await nextTurn();
    return ['127.0.0.1'];
  },
};

for (const [name, engineOf] of Object.entries(ENGINES)) {
  for (const [who, resolve] of Object.entries(PAUSES_OF_A_DIAL)) {
    test(`${who} while the loop is blocked beyond CONNECT_TIMEOUT is not late (${name})`, TIMEOUT, async (t) => {
      const candidate = await startNamed(t, 'here');
      const { port, closedOne } = await startService(t, {
        candidates: [{ ...candidate.address, host: 'here.test' }],
        dialing: { connectTimeoutMs: SHORT_MS, resolver: { resolve } },
        engine: engineOf(),
      });
      const client = await connectTo(port);
      assert.equal((await readAll(client)).bytes.toString(), 'here');
      client.destroy();
      assert.deepEqual(
        (await closedOne()).attempts.map(({ outcome }) => outcome),
        ['ok'],
      );
    });
  }

  test(
    `a name's second address has its share, however long the loop is blocked at the first (${name})`,
    TIMEOUT,
    async (t) => {
      const hole = await startBlackHole(t);
      const there = { onConnection: (socket: Socket) => socket.end('there'), host: '127.0.0.2', port: hole.port };
      await startServer(t, there);
      const resolver = {
        resolve: () => {
          setImmediate(block, 0.9 * SHORT_MS);
          return Promise.resolve(['127.0.0.1', '127.0.0.2']);
        },
      };
      const { port } = await startService(t, {
        candidates: [{ ...hole, host: 'two.test' }],
        dialing: { connectTimeoutMs: SHORT_MS, resolver },
        engine: engineOf(),
      });
      const client = await connectTo(port);
      assert.equal((await readAll(client)).bytes.toString(), 'there');
      client.destroy();
    },
  );

  test(
    `a name's second address has its share, however long the loop is blocked when the first refuses (${name})`,
    TIMEOUT,
    async (t) => {
      const there = await startServer(t, { onConnection: (socket) => socket.end('there'), host: '127.0.0.2' });
      const resolver = {
        resolve: () => {
          // The first is dialed in the turn before.
          setImmediate(() => setImmediate(block, PAUSE_MS));
          return Promise.resolve(['127.0.0.1', '127.0.0.2']);
        },
      };
      const { port } = await startService(t, {
        candidates: [{ ...there.address, host: 'two.test' }],
        dialing: { connectTimeoutMs: SHORT_MS, resolver },
        engine: engineOf(),
      });
      const client = await connectTo(port);
      assert.equal((await readAll(client)).bytes.toString(), 'there');
      client.destroy();
    },
  );

  test(
    `a candidate that shakes hands while the loop is blocked beyond CONNECT_TIMEOUT is not late (${name})`,
    TIMEOUT,
    async (t) => {
      const authority = await createAuthority(t);
      const files = { caPath: authority.caPath, identity: await authority.issue('localhost', ['DNS:localhost']) };
      const candidate = await startTlsServer(t, pemOf(files));
      const resolver = {
        resolve: () => {
          setImmediate(block, PAUSE_MS);
          return Promise.resolve(['127.0.0.1']);
        },
      };
      const { port, closedOne } = await startService(t, {
        candidates: [{ ...candidate.address, host: 'localhost' }],
        dialing: { connectTimeoutMs: SHORT_MS, resolver, tls: dialingTls(files) },
        engine: engineOf(),
      });
      const client = await connectTo(port);
      const got = readAll(client);
      client.end('hello');
      assert.equal((await got).bytes.toString(), 'hello');
      assert.deepEqual(
        (await closedOne()).attempts.map(({ outcome }) => outcome),
        ['ok'],
      );
    },
  );

  test(`a client whose PROXY header comes while the loop is blocked is not late (${name})`, TIMEOUT, async (t) => {
    const candidate = await startNamed(t, 'here');
    const service = await startService(t, {
      candidates: [candidate.address],
      acceptProxyProtocol: true,
      dialing: { connectTimeoutMs: SHORT_MS },
      engine: engineOf(),
    });
    const client = await connectTo(service.port);
    const got = readAll(client);
    await accepted(service);
    client.write(writeProxyHeader({ version: 'v1', ends: ENDS }));
    block(PAUSE_MS);
    assert.equal((await got).bytes.toString(), 'here');
    client.destroy();
  });

  test(`a client that shakes hands while the loop is blocked is not late (${name})`, TIMEOUT, async (t) => {
    const authority = await createAuthority(t);
    const files = { caPath: authority.caPath, identity: await authority.issue('localhost', ['DNS:localhost']) };
    const candidate = await startNamed(t, 'here');
    const service = await startService(t, {
      candidates: [candidate.address],
      accepting: accepting(files, { timeoutMs: SHORT_MS }),
      engine: engineOf(),
    });
    const plain = await connectTo(service.port);
    await accepted(service);
    const client = tlsOver({ socket: plain, servername: 'localhost', ...pemOf(files) });
    client.on('error', () => undefined);
    await nextTurn();
    block(PAUSE_MS);
    const got = readAll(client);
    await once(client, 'secureConnect');
    assert.equal((await got).bytes.toString(), 'here');
    client.destroy();
  });
}

test(
  'a candidate that answers its check while the loop is blocked beyond HEALTH_TIMEOUT stays healthy',
  TIMEOUT,
  async (t) => {
    const server = await startRoleServer(t, 'here', 'master');
    const health = checking(PRIMARY, { intervalMs: 20, timeoutMs: SHORT_MS, fall: 1 });
    const service = await startService(t, { candidates: [server.address], health });
    await eventually(() => healthOf(service)[0] === 'healthy', 'it is healthy');
    for (let n = 0; n < 3; n += 1) {
      const asked = server.asked();
      while (server.asked() === asked) await nextTurn();
      block(PAUSE_MS);
      const later = server.asked();
      await eventually(() => server.asked() > later + 1, 'it is asked again');
    }
    assert.deepEqual(
      healthChanges(service).map(({ state }) => state),
      ['healthy'],
    );
  },
);

test(
  'a candidate that is dialed for its check while the loop is blocked beyond HEALTH_TIMEOUT stays healthy',
  TIMEOUT,
  async (t) => {
    let isArmed = false;
    let pauses = 0;
    const resolver = {
      resolve: () => {
        if (isArmed) {
          setImmediate(block, PAUSE_MS);
          isArmed = false;
          pauses += 1;
        }
        return Promise.resolve(['127.0.0.1']);
      },
    };
    const server = await startRoleServer(t, 'here', 'master');
    const checks = checking(PRIMARY, { intervalMs: 20, timeoutMs: SHORT_MS, fall: 1 });
    const service = await startService(t, {
      candidates: [{ ...server.address, host: 'here.test' }],
      health: { ...checks, dialing: { ...checks.dialing, resolver } },
    });
    await eventually(() => healthOf(service)[0] === 'healthy', 'it is healthy');
    for (let n = 1; n <= 3; n += 1) {
      isArmed = true;
      await eventually(() => pauses === n, 'the loop is blocked at a dial');
      const asked = server.asked();
      await eventually(() => server.asked() > asked + 2, 'it is asked again');
    }
    assert.deepEqual(
      healthChanges(service).map(({ state }) => state),
      ['healthy'],
    );
  },
);
