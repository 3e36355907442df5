import assert from 'node:assert/strict';
import { test } from 'node:test';
import { roundRobinPolicy } from '../../../src/balancing/policies.ts';
import { createAuthority } from '../../support/certificates.ts';
import { checking, healthChanges, healthOf, TCP } from '../../support/health.ts';
import { reservePorts } from '../../support/ports.ts';
import { startService } from '../../support/service.ts';
import { ask, freePort, startBlackHole, startNamed, startServer } from '../../support/tcp.ts';
import { dialingTls, pemOf, startTlsServer } from '../../support/tls-service.ts';
import { eventually } from '../../support/wait.ts';

const TIMEOUT = { timeout: 60_000 };
const local = (port: number) => ({ kind: 'tcp', host: '127.0.0.1', port }) as const;

test(
  'a candidate that does not answer is unhealthy before anybody was sent to it, and healthy once it is there',
  TIMEOUT,
  async (t) => {
    const reserved = await reservePorts(1);
    const [port = 0] = reserved.ports;
    const second = await startNamed(t, 'second');
    await reserved.release();
    const started = await startService(t, { candidates: [local(port), second.address], health: checking(TCP) });
    await eventually(() => !healthOf(started).includes('unknown'), 'both are checked');
    assert.deepEqual(healthOf(started), ['unhealthy', 'healthy']);
    assert.equal(await ask(started.port), 'second');
    assert.equal((await started.closedOne()).attempts.length, 1, 'nobody has tried the first');
    const { health } = started.service.status.candidateStates[0] ?? {};
    assert.equal(health?.error, 'ECONNREFUSED');
    await startNamed(t, 'first', port);
    await eventually(() => healthOf(started)[0] === 'healthy', 'the first is found');
    assert.equal(await ask(started.port), 'first');
    const changes = healthChanges(started).filter(({ candidate }) => candidate === `127.0.0.1:${port}`);
    assert.deepEqual(
      changes.map(({ before, state }) => [before, state]),
      [
        ['unknown', 'unhealthy'],
        ['unhealthy', 'healthy'],
      ],
    );
  },
);

test(
  'liveness is a preference: with nobody left the unhealthy are tried, and a wrong check takes nothing down',
  TIMEOUT,
  async (t) => {
    const [first, second] = [await startNamed(t, 'first'), await startNamed(t, 'second')];
    const wrong = { kind: 'tcp', send: '', expect: { kind: 'prefix', text: 'never' } } as const;
    const candidates = [first.address, second.address];
    const started = await startService(t, { candidates, policy: () => roundRobinPolicy(1), health: checking(wrong) });
    await eventually(() => healthOf(started).every((state) => state === 'unhealthy'), 'both are unhealthy');
    const names = [await ask(started.port), await ask(started.port)];
    assert.deepEqual(names.toSorted(), ['first', 'second']);
  },
);

test('a state changes after HEALTH_FALL failures in a row and no sooner', TIMEOUT, async (t) => {
  let isWell = true;
  const server = await startServer(t, { onConnection: (socket) => void socket.end(isWell ? 'well' : 'ill') });
  const check = { kind: 'tcp', send: '', expect: { kind: 'prefix', text: 'well' } } as const;
  const health = checking(check, { fall: 3 });
  const started = await startService(t, { candidates: [server.address], health });
  await eventually(() => healthOf(started)[0] === 'healthy', 'it is healthy');
  isWell = false;
  await eventually(() => healthOf(started)[0] === 'unhealthy', 'it is unhealthy');
  const checks = started.events.filter((event) => event.type === 'health-checked' || event.type === 'candidate-health');
  const change = checks.findIndex((event) => event.type === 'candidate-health' && event.state === 'unhealthy');
  // The check that decides it is told behind the change.
  const before = checks.slice(0, change).map((event) => event.type === 'health-checked' && event.result);
  assert.deepEqual(before.slice(-3), ['ok', 'answer', 'answer']);
  isWell = true;
  await eventually(() => healthOf(started)[0] === 'healthy', 'one good check is enough');
});

test('tls: a certificate with a wrong name is unhealthy, and the right one is healthy', TIMEOUT, async (t) => {
  const authority = await createAuthority(t);
  const { caPath } = authority;
  const [right, wrong] = [
    await authority.issue('right', ['DNS:localhost']),
    await authority.issue('wrong', ['DNS:other']),
  ];
  const servers = [
    await startTlsServer(t, pemOf({ caPath, identity: wrong })),
    await startTlsServer(t, pemOf({ caPath, identity: right })),
  ];
  const tls = dialingTls({ caPath, identity: right });
  const check = { kind: 'tls', send: '', expect: undefined } as const;
  const candidates = servers.map(({ address }) => address);
  const started = await startService(t, { candidates, dialing: { tls }, health: checking(check, { tls }) });
  await eventually(() => !healthOf(started).includes('unknown'), 'both are checked');
  assert.deepEqual(healthOf(started), ['unhealthy', 'healthy']);
  assert.match(started.service.status.candidateStates[0]?.health?.error ?? '', /ALTNAME/);
});

test(
  'a failed dial is explained at once: a candidate is checked long before its interval is over',
  TIMEOUT,
  async (t) => {
    const [first, second] = [await startNamed(t, 'first'), await startNamed(t, 'second')];
    const health = checking(TCP, { intervalMs: 600_000, fall: 1 });
    const started = await startService(t, { candidates: [first.address, second.address], health });
    await eventually(() => !healthOf(started).includes('unknown'), 'both are checked');
    await first.stop();
    assert.equal(await ask(started.port), 'second');
    await eventually(() => healthOf(started)[0] === 'unhealthy', 'it was checked again');
  },
);

test('a set that changes is checked at once, and who has left is asked no more', TIMEOUT, async (t) => {
  const [first, second] = [await startNamed(t, 'first'), await startNamed(t, 'second')];
  const started = await startService(t, {
    candidates: [first.address],
    health: checking(TCP, { intervalMs: 600_000 }),
  });
  await eventually(() => healthOf(started)[0] === 'healthy', 'the first is checked');
  started.source.put([second.address]);
  await eventually(() => healthOf(started)[0] === 'healthy', 'the second is checked');
  assert.equal(started.service.status.candidateStates[0]?.key, `127.0.0.1:${second.port}`);
  assert.equal(first.sockets.length, 1);
});

test(
  'a check that needs longer than its interval is one check: there is never a second beside it',
  TIMEOUT,
  async (t) => {
    const hole = await startBlackHole(t);
    const refused = local(await freePort());
    const health = checking(TCP, { intervalMs: 20, timeoutMs: 300 });
    const started = await startService(t, { candidates: [hole, refused], health });
    const checks = (port: number) =>
      started.events.filter((event) => event.type === 'health-checked' && event.candidate.endsWith(`:${port}`));
    await eventually(() => checks(hole.port).length >= 3, 'three checks of the hole');
    for (const event of checks(hole.port)) {
      assert.ok(event.type === 'health-checked');
      assert.equal(event.result, 'timeout');
      assert.ok(event.ms >= 290, `${event.ms} ms`);
    }
    assert.ok(checks(refused.port).length > checks(hole.port).length, 'the other is checked at its own pace');
  },
);

test('what a check leaves is a reset: no connection of it stays on either side', TIMEOUT, async (t) => {
  const ends: string[] = [];
  const server = await startServer(t, {
    onConnection: (socket) => {
      socket.on('error', (error: NodeJS.ErrnoException) => ends.push(error.code ?? ''));
      socket.on('end', () => ends.push('end'));
      socket.resume();
    },
  });
  const started = await startService(t, { candidates: [server.address], health: checking(TCP, { intervalMs: 20 }) });
  await eventually(() => ends.length >= 5, 'five checks');
  await started.service.close();
  assert.deepEqual([...new Set(ends)], ['ECONNRESET']);
  await eventually(() => server.sockets.every(({ destroyed }) => destroyed), 'nothing is left open');
});
