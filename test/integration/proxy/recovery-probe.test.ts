import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { roundRobinPolicy } from '../../../src/balancing/policies.ts';
import { dialPolicy } from '../../../src/core/dial-policy.ts';
import type { CandidateRecoveredEvent } from '../../../src/core/observer.ts';
import { recoveryTiming } from '../../../src/proxy/recovery-probes.ts';
import { startAttache } from '../../support/attache.ts';
import { createAuthority } from '../../support/certificates.ts';
import { RedisInline } from '../../support/redis-inline.ts';
import { startRedis } from '../../support/redis.ts';
import { startService, type TestService } from '../../support/service.ts';
import { Stopwatch } from '../../support/stopwatch.ts';
import { ask, freePort, readAll, startBlackHole, startNamed, startServer } from '../../support/tcp.ts';
import { dialingTls, pemOf, startTlsServer } from '../../support/tls-service.ts';
import { eventually } from '../../support/wait.ts';

const TIMEOUT = { timeout: 60_000 };
const FOR_THE_WHOLE_TEST = 600_000;
/** A recovered candidate is used within this time of its return. */
const PROMISED_MS = 1_500;
/** So that a test sees many probes soon. */
const OFTEN = { ...recoveryTiming, firstMs: 20, mostMs: 50 };

const local = (port: number) => ({ kind: 'tcp', host: '127.0.0.1', port }) as const;
const statesOf = ({ service }: TestService) => service.status.candidateStates.map(({ state }) => state);
const recoveries = ({ events }: TestService) =>
  events.filter((event): event is CandidateRecoveredEvent => event.type === 'candidate-recovered');

async function nameOf(port: number): Promise<string> {
  const redis = await RedisInline.connect(port);
  const answer = await redis.ask('GET name');
  redis.close();
  return answer;
}

test(
  'promise 12 with real Redis: the first stops and comes back: within 1.5 s ten of ten new connections go to it',
  TIMEOUT,
  async (t) => {
    const [first, second] = [await startRedis(t, 'first'), await startRedis(t, 'second')];
    const attache = startAttache(t, {
      env: {
        SRC: '127.0.0.1:0',
        DST: `127.0.0.1:${first.port},127.0.0.1:${second.port}`,
        FAIL_TIMEOUT: '10m',
      },
    });
    const port = await attache.port();
    assert.equal(await nameOf(port), 'first');
    await first.kill();
    for (let i = 0; i < 4; i += 1) assert.equal(await nameOf(port), 'second');
    await attache.line(({ msg }) => msg === 'candidate ejected');
    await first.start();
    const returned = new Stopwatch();
    const line = await attache.line(({ msg }) => msg === 'candidate recovered');
    const tookMs = returned.ms();
    assert.deepEqual([line['candidate'], line['by']], [`127.0.0.1:${first.port}`, 'probe']);
    assert.ok(tookMs < PROMISED_MS, `used again ${tookMs} ms after its return`);
    const names = [];
    for (let i = 0; i < 10; i += 1) names.push(await nameOf(port));
    assert.deepEqual(
      names,
      Array.from({ length: 10 }, () => 'first'),
    );
  },
);

test(
  'a host that drops packets is found within 1.5 s of its return, whatever CONNECT_TIMEOUT is',
  TIMEOUT,
  async (t) => {
    const hole = await startBlackHole(t);
    const live = await startNamed(t, 'live');
    let host = hole.host;
    const dead = { kind: 'tcp', host: 'first.test', port: hole.port } as const;
    const resolver = { resolve: () => Promise.resolve([host]) };
    const proxy = await startService(t, {
      candidates: [dead, live.address],
      maxFails: 1,
      failTimeoutMs: FOR_THE_WHOLE_TEST,
      dialing: { resolver, connectTimeoutMs: 4_000 },
    });
    assert.equal(await ask(proxy.port), 'live');
    // The same name, another host: there the port is open.
    const back = { onConnection: (socket: Socket) => socket.end('back'), host: '127.0.0.2', port: hole.port };
    host = (await startServer(t, back)).address.host;
    const returned = new Stopwatch();
    await eventually(() => recoveries(proxy).length === 1, 'it recovers');
    assert.ok(returned.ms() < PROMISED_MS, `${returned.ms()} ms`);
    assert.equal(await ask(proxy.port), 'back');
  },
);

test('a balanced candidate that comes back has its share again, found by a probe', TIMEOUT, async (t) => {
  const dead = local(await freePort());
  const live = await startNamed(t, 'live');
  const proxy = await startService(t, {
    candidates: [dead, live.address],
    policy: () => roundRobinPolicy(0),
    maxFails: 1,
    failTimeoutMs: FOR_THE_WHOLE_TEST,
  });
  assert.equal(await ask(proxy.port), '');
  assert.deepEqual(statesOf(proxy), ['ejected', 'available']);
  await startNamed(t, 'back', dead.port);
  await eventually(() => recoveries(proxy).length === 1, 'it recovers');
  assert.deepEqual(statesOf(proxy), ['available', 'available']);
  assert.deepEqual(new Set([await ask(proxy.port), await ask(proxy.port)]), new Set(['live', 'back']));
});

test('cluster mode: the candidate of a listener recovers by a probe of its own', TIMEOUT, async (t) => {
  const dead = local(await freePort());
  const live = await startNamed(t, 'live');
  const proxy = await startService(t, {
    listeners: [local(0), local(0)],
    candidates: [dead, live.address],
    maxFails: 1,
    failTimeoutMs: FOR_THE_WHOLE_TEST,
  });
  const [one = 0] = proxy.ports();
  assert.equal(await ask(one), '');
  assert.deepEqual(statesOf(proxy), ['ejected', 'available']);
  await startNamed(t, 'back', dead.port);
  await eventually(() => recoveries(proxy).length === 1, 'it recovers');
  assert.equal(await ask(one), 'back');
});

test(
  'a probe ends by a reset, without a byte: it leaves no TIME_WAIT and no half-open connection',
  TIMEOUT,
  async (t) => {
    const port = await freePort();
    const live = await startNamed(t, 'live');
    const proxy = await startService(t, {
      candidates: [local(port), live.address],
      maxFails: 1,
      failTimeoutMs: FOR_THE_WHOLE_TEST,
      proxyProtocol: 'v2',
      recoveryTiming: OFTEN,
    });
    assert.equal(await ask(proxy.port), 'live');
    const ends: Awaited<ReturnType<typeof readAll>>[] = [];
    await startServer(t, { onConnection: (socket) => void readAll(socket).then((end) => ends.push(end)), port });
    await eventually(() => ends.length > 0, 'it has been probed');
    assert.deepEqual(
      ends.map(({ bytes, end }) => [bytes.length, end]),
      [[0, 'reset']],
    );
    assert.deepEqual(recoveries(proxy), [
      { type: 'candidate-recovered', service: 'test', candidate: `127.0.0.1:${port}`, by: 'probe' },
    ]);
  },
);

test(
  'a TLS candidate whose TCP accepts and whose handshake fails stays ejected; once it shakes hands it is back',
  TIMEOUT,
  async (t) => {
    const authority = await createAuthority(t);
    const server = await startTlsServer(
      t,
      pemOf({ caPath: authority.caPath, identity: await authority.issue('server') }),
    );
    let isDeaf = true;
    const front = await startServer(t, {
      onConnection(socket) {
        if (isDeaf) {
          socket.destroy();
          return;
        }
        const behind = connect(server.port, '127.0.0.1').on('error', () => undefined);
        socket.pipe(behind).pipe(socket);
        socket.on('close', () => behind.destroy());
      },
    });
    const tls = dialingTls({ caPath: authority.caPath });
    const proxy = await startService(t, {
      candidates: [front.address],
      maxFails: 1,
      failTimeoutMs: FOR_THE_WHOLE_TEST,
      recoveryTiming: OFTEN,
      dialing: { tls },
    });
    await ask(proxy.port);
    await eventually(() => front.sockets.length > 5, 'it is probed again and again');
    assert.deepEqual([statesOf(proxy), recoveries(proxy)], [['ejected'], []]);
    isDeaf = false;
    await eventually(() => recoveries(proxy).length === 1, 'it recovers');
    assert.deepEqual(statesOf(proxy), ['available']);
  },
);

test('clients that are held are retried when a probe finds a candidate', TIMEOUT, async (t) => {
  // The waits between their own trials grow to a whole second.
  t.mock.method(Math, 'random', () => 0.9999);
  const port = await freePort();
  const at = new Map<string, number>();
  const proxy = await startService(t, {
    candidates: [local(port)],
    maxFails: 1,
    failTimeoutMs: FOR_THE_WHOLE_TEST,
    holdTimeoutMs: 30_000,
    recoveryTiming: OFTEN,
    observe: ({ type }) => at.set(type, performance.now()),
  });
  const held = ask(proxy.port);
  const failures = () => proxy.events.filter(({ type }) => type === 'dial-failed').length;
  await eventually(() => failures() >= 6, 'its own trials are a second apart');
  const watch = new Stopwatch();
  await startNamed(t, 'back', port);
  assert.equal(await held, 'back');
  assert.deepEqual(
    recoveries(proxy).map(({ by }) => by),
    ['probe'],
  );
  const waitedMs = (at.get('connection-established') ?? Infinity) - (at.get('candidate-recovered') ?? 0);
  assert.ok(waitedMs - watch.lostMs() < 500, `it waited ${waitedMs} ms more`);
});

test('what DISCOVERY_ALLOW does not list is not connected to by a probe either', TIMEOUT, async (t) => {
  const forbidden = await startServer(t);
  let looks = 0;
  const resolver = { resolve: () => Promise.resolve((looks += 1) > 0 ? ['127.0.0.1'] : []) };
  const proxy = await startService(t, {
    candidates: [{ kind: 'tcp', host: 'moved.test', port: forbidden.port }],
    maxFails: 1,
    failTimeoutMs: FOR_THE_WHOLE_TEST,
    recoveryTiming: OFTEN,
    dialing: { resolver, policy: dialPolicy(['10.0.0.0/8']) },
  });
  assert.equal(await ask(proxy.port), '');
  await eventually(() => looks > 5, 'it is looked up for probes');
  assert.deepEqual([forbidden.sockets.length, statesOf(proxy)], [0, ['ejected']]);
});

test('a service that closes gives up the probe that is under way', TIMEOUT, async (t) => {
  const { caPath } = await createAuthority(t);
  const silent = await startServer(t);
  const connectTimeoutMs = 3_000;
  const proxy = await startService(t, {
    candidates: [silent.address],
    maxFails: 1,
    failTimeoutMs: FOR_THE_WHOLE_TEST,
    recoveryTiming: { ...OFTEN, mostMs: FOR_THE_WHOLE_TEST },
    dialing: { tls: dialingTls({ caPath }), connectTimeoutMs },
  });
  assert.equal(await ask(proxy.port), '');
  await silent.accepted();
  const probe = await silent.accepted();
  const began = new Stopwatch();
  const end = readAll(probe);
  await proxy.service.close();
  await end;
  assert.ok(began.ms() < connectTimeoutMs / 2, `it went on for ${began.ms()} ms`);
});
