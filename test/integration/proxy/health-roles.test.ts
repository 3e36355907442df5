import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { Stopwatch } from '../../support/stopwatch.ts';
import { startBlackHole } from '../../support/tcp.ts';
import { checking, healthOf, PRIMARY, type CheckOptions } from '../../support/health.ts';
import { startRoleServer, type Role, type RoleServer } from '../../support/role-server.ts';
import { startService, type TestService, type TestServiceOptions } from '../../support/service.ts';
import { eventually } from '../../support/wait.ts';

const TIMEOUT = { timeout: 60_000 };
const RARELY = { intervalMs: 600_000 };

interface Led extends TestService {
  readonly servers: readonly RoleServer[];
}

async function startLed(
  t: TestContext,
  roles: readonly Role[],
  options: CheckOptions & { readonly service?: Partial<TestServiceOptions> } = {},
): Promise<Led> {
  const { service, ...checks } = options;
  const servers: RoleServer[] = [];
  for (const [place, role] of roles.entries()) servers.push(await startRoleServer(t, `s${place}`, role));
  const candidates = servers.map(({ address }) => address);
  const health = checking(PRIMARY, { onUnhealthy: 'reset', ...checks });
  return { ...(await startService(t, { ...service, candidates, health })), servers };
}

/** A client that closes when its server does. */
async function connectTo(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

function established(led: Led): number {
  return [...led.service.open].filter((connection) => connection.established).length;
}

/** The engine may tell of a connection before its candidate has accepted it. */
function carriedBy(server: RoleServer): readonly Socket[] {
  return server.sockets.filter((socket) => !socket.destroyed);
}

/** Who answers a new connection; why it was closed when nobody does. */
async function whoAnswers(led: Led): Promise<string> {
  const socket = await connectTo(led.port);
  socket.on('error', () => undefined);
  const answer = await new Promise<string>((resolve) => {
    socket.once('data', (bytes: Buffer) => resolve(bytes.toString()));
    socket.once('close', () => resolve('closed'));
    socket.write('who');
  });
  socket.destroy();
  return answer;
}

test(
  'the first clients wait for the first answers: none reaches a replica, however early it comes',
  TIMEOUT,
  async (t) => {
    const led = await startLed(t, ['slave', 'slave', 'master'], RARELY);
    assert.deepEqual(healthOf(led), ['unknown', 'unknown', 'unknown'], 'nobody has answered yet');
    const names = await Promise.all([whoAnswers(led), whoAnswers(led), whoAnswers(led)]);
    assert.deepEqual(names, ['s2', 's2', 's2']);
    for (const { attempts } of led.closed()) assert.equal(attempts.length, 1);
  },
);

test('they wait at most HEALTH_TIMEOUT, and are then closed with no_healthy_candidate', TIMEOUT, async (t) => {
  const hole = await startBlackHole(t);
  const health = checking(PRIMARY, { ...RARELY, timeoutMs: 300 });
  const started = await startService(t, { candidates: [hole], health });
  const led = { ...started, servers: [] };
  assert.equal(await whoAnswers(led), 'closed');
  const { reason, totalMs, attempts } = await led.closedOne();
  assert.equal(reason, 'no_healthy_candidate');
  assert.deepEqual(attempts, [], 'nobody was dialed');
  assert.ok(totalMs >= 200 && totalMs < 5_000, `${totalMs} ms`);
});

test('nobody is dialed who has not the role, even if none is left', TIMEOUT, async (t) => {
  const led = await startLed(t, ['slave', 'slave']);
  await eventually(() => healthOf(led).every((state) => state === 'unhealthy'), 'both are checked');
  assert.equal(await whoAnswers(led), 'closed');
  const { reason, attempts } = await led.closedOne();
  assert.deepEqual([reason, attempts], ['no_healthy_candidate', []]);
});

test('HOLD_TIMEOUT holds until somebody has the role', TIMEOUT, async (t) => {
  const led = await startLed(t, ['slave', 'slave'], { service: { holdTimeoutMs: 30_000 } });
  await eventually(() => healthOf(led).every((state) => state === 'unhealthy'), 'both are checked');
  const waiting = [whoAnswers(led), whoAnswers(led)];
  await eventually(() => led.service.status.held === 2, 'both are held');
  const [, second] = led.servers;
  assert.ok(second);
  second.role = 'master';
  assert.deepEqual(await Promise.all(waiting), ['s1', 's1']);
});

test(
  'a role that is lost is believed at once, and its connections are reset; the new one is found with it',
  TIMEOUT,
  async (t) => {
    const led = await startLed(t, ['master', 'slave'], { ...RARELY, fall: 5 });
    await eventually(() => healthOf(led)[0] === 'healthy', 'the first leads');
    const [first, second] = led.servers;
    assert.ok(first && second);
    await eventually(() => carriedBy(first).length === 0, 'its check is over');
    const held = await connectTo(led.port);
    const other = await connectTo(led.port);
    held.on('error', () => undefined);
    await eventually(() => established(led) === 2, 'both are carried');
    await eventually(() => carriedBy(first).length === 2, 'and accepted');
    first.role = 'slave';
    second.role = 'master';
    // A server that gives its role up ends the connections of its clients.
    carriedBy(first)[0]?.end();
    await eventually(() => led.closed().some(({ reason }) => reason === 'candidate_unhealthy'), 'the rest is reset');
    assert.deepEqual(healthOf(led), ['unhealthy', 'healthy']);
    assert.equal(await whoAnswers(led), 's1');
    held.destroy();
    other.destroy();
  },
);

test(
  'another role is believed at once, whoever has the one that is wanted: HEALTH_FALL is for checks that fail',
  TIMEOUT,
  async (t) => {
    const led = await startLed(t, ['master', 'slave'], { ...RARELY, fall: 1_000 });
    await eventually(() => healthOf(led)[0] === 'healthy', 'the first leads');
    const [first] = led.servers;
    assert.ok(first);
    await eventually(() => carriedBy(first).length === 0, 'its check is over');
    const socket = await connectTo(led.port);
    await eventually(() => established(led) === 1, 'it is carried');
    await eventually(() => carriedBy(first).length === 1, 'and accepted');
    first.role = 'slave';
    for (const carried of carriedBy(first)) carried.end();
    await eventually(() => healthOf(led)[0] === 'unhealthy', 'it leads no more');
    socket.destroy();
  },
);

test('ON_UNHEALTHY=keep leaves connections alone; drain gives them time', TIMEOUT, async (t) => {
  for (const onUnhealthy of ['keep', 'drain'] as const) {
    const service = { onChangeTimeoutMs: 400 };
    const led = await startLed(t, ['master', 'slave'], { intervalMs: 50, onUnhealthy, service });
    await eventually(() => healthOf(led)[0] === 'healthy', 'the first leads');
    const socket = await connectTo(led.port);
    const ended = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => undefined);
    await eventually(() => [...led.service.open].some(({ established }) => established), 'it is carried');
    const [first] = led.servers;
    assert.ok(first);
    first.role = 'slave';
    await eventually(() => healthOf(led)[0] === 'unhealthy', 'the first leads no more');
    const since = performance.now();
    if (onUnhealthy === 'drain') {
      await ended;
      assert.ok(performance.now() - since >= 300, 'not before its time');
      assert.equal((await led.closedOne()).reason, 'drain_timeout');
    } else {
      socket.write('who');
      const answer = await new Promise<string>((resolve) =>
        socket.once('data', (bytes: Buffer) => resolve(bytes.toString())),
      );
      assert.equal(answer, 's0');
      socket.destroy();
    }
  }
});

test(
  'two primaries: the one in use is kept for as long as it is healthy, and the split is told, once',
  TIMEOUT,
  async (t) => {
    const led = await startLed(t, ['slave', 'master'], { intervalMs: 50 });
    await eventually(() => healthOf(led)[1] === 'healthy', 'the second leads');
    const [first, second] = led.servers;
    assert.ok(first && second);
    first.role = 'master';
    const split = () => led.service.status.checks?.split ?? [];
    await eventually(() => split().length === 2, 'the split is seen');
    assert.deepEqual([await whoAnswers(led), await whoAnswers(led)], ['s1', 's1']);
    const told = () => led.events.filter((event) => event.type === 'role-split');
    assert.deepEqual(
      told().map((event) => [event.phase, event.kept]),
      [['began', `127.0.0.1:${second.port}`]],
    );
    second.role = 'slave';
    await eventually(() => split().length === 0, 'the split is over');
    assert.equal(await whoAnswers(led), 's0');
    assert.deepEqual(
      told().map(({ phase }) => phase),
      ['began', 'ended'],
    );
  },
);

test(
  'a primary that is killed is checked at once, and while nobody leads everybody is checked often',
  TIMEOUT,
  async (t) => {
    const led = await startLed(t, ['master', 'slave'], { intervalMs: 4_000, fall: 1 });
    await eventually(() => healthOf(led)[0] === 'healthy', 'the first leads');
    const [first, second] = led.servers;
    assert.ok(first && second);
    const socket = await connectTo(led.port);
    socket.on('error', () => undefined);
    await eventually(() => [...led.service.open].some(({ established }) => established), 'it is carried');
    const since = new Stopwatch();
    await first.stop();
    await eventually(() => healthOf(led)[0] === 'unhealthy', 'its loss is seen');
    const lostMs = since.ms();
    const asked = second.asked();
    await eventually(() => second.asked() >= asked + 3, 'the other is asked again and again');
    const oftenMs = since.ms() - lostMs;
    assert.ok(lostMs < 2_000, `lost after ${lostMs} ms, which is no wait for the interval`);
    assert.ok(oftenMs < 3 * 4_000 * 0.5, `three checks in ${oftenMs} ms`);
    socket.destroy();
  },
);
