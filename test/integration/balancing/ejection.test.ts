import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { roundRobinPolicy } from '../../../src/balancing/policies.ts';
import type { ConnectionClosedEvent } from '../../../src/core/observer.ts';
import type { Resolver } from '../../../src/core/resolver.ts';
import { createAuthority } from '../../support/certificates.ts';
import { startService, type TestService } from '../../support/service.ts';
import { ask, connectTo, freePort, readAll, startBlackHole, startNamed, startServer } from '../../support/tcp.ts';
import { dialingTls } from '../../support/tls-service.ts';
import { deferred, eventually } from '../../support/wait.ts';

const TIMEOUT = { timeout: 60_000 };
const FOR_THE_WHOLE_TEST = 600_000;
/** What connections find out by themselves. */
const NO_PROBES = { firstMs: FOR_THE_WHOLE_TEST, mostMs: FOR_THE_WHOLE_TEST, unusedMs: 0 };

const local = (port: number) => ({ kind: 'tcp', host: '127.0.0.1', port }) as const;
const statesOf = ({ service }: TestService) => service.status.candidateStates.map(({ state }) => state);
const opensOf = ({ service }: TestService) => service.status.candidateStates.map(({ open }) => open);
const news = ({ events }: TestService) =>
  events.filter(({ type }) => type === 'candidate-ejected' || type === 'candidate-recovered');

/** Who was dialed, in order, and with what outcome. */
function attemptsOf({ attempts }: ConnectionClosedEvent, names: ReadonlyMap<number, string>): string {
  return attempts
    .map(({ candidate, outcome }) => `${names.get(Number(candidate.split(':')[1]))} ${outcome}`)
    .join(', ');
}

test(
  'promise 12: a dead first candidate is dialed MAX_FAILS times, then tried last, and used at once when it has recovered',
  TIMEOUT,
  async (t) => {
    const dead = local(await freePort());
    const live = await startNamed(t, 'live');
    const names = new Map([
      [dead.port, 'first'],
      [live.port, 'second'],
    ]);
    const proxy = await startService(t, {
      candidates: [dead, live.address],
      maxFails: 3,
      failTimeoutMs: FOR_THE_WHOLE_TEST,
      recoveryTiming: NO_PROBES,
    });
    for (let i = 0; i < 5; i += 1) assert.equal(await ask(proxy.port), 'live');
    await proxy.closedOne(5);
    const viaFirst = 'first ECONNREFUSED, second ok';
    assert.deepEqual(
      proxy.closed().map((event) => attemptsOf(event, names)),
      [viaFirst, viaFirst, viaFirst, 'second ok', 'second ok'],
    );
    await live.stop();
    // Tried last, never skipped.
    assert.equal(await ask(proxy.port), '');
    assert.equal(attemptsOf(await proxy.closedOne(6), names), 'second ECONNREFUSED, first ECONNREFUSED');
    await startNamed(t, 'back', dead.port);
    assert.equal(await ask(proxy.port), 'back');
    assert.equal(attemptsOf(await proxy.closedOne(7), names), 'second ECONNREFUSED, first ok');
    assert.equal(await ask(proxy.port), 'back');
    assert.equal(attemptsOf(await proxy.closedOne(8), names), 'first ok');
    const candidate = `127.0.0.1:${dead.port}`;
    assert.deepEqual(news(proxy), [
      {
        type: 'candidate-ejected',
        service: 'test',
        candidate,
        errno: 'ECONNREFUSED',
        fails: 3,
        forMs: FOR_THE_WHOLE_TEST,
        again: false,
      },
      { type: 'candidate-recovered', service: 'test', candidate, by: 'connection' },
    ]);
  },
);

test('a first candidate that has come back is used again once its ejection is over', TIMEOUT, async (t) => {
  const dead = local(await freePort());
  const live = await startNamed(t, 'live');
  const proxy = await startService(t, {
    candidates: [dead, live.address],
    maxFails: 1,
    failTimeoutMs: 200,
    recoveryTiming: NO_PROBES,
  });
  assert.equal(await ask(proxy.port), 'live');
  assert.equal(statesOf(proxy)[0], 'ejected');
  await startNamed(t, 'back', dead.port);
  await eventually(async () => (await ask(proxy.port)) === 'back', 'the first one is used again');
  assert.deepEqual(statesOf(proxy), ['available', 'available']);
});

/** Looks names up only when a test says so: a candidate that is slow to answer, to the millisecond. */
class SlowResolver implements Resolver {
  looks = 0;
  #answer: { resolve(ips: readonly string[]): void } | undefined;
  broken = true;

  resolve(): Promise<readonly string[]> {
    this.looks += 1;
    if (this.broken) return Promise.reject(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }));
    const answer = deferred<readonly string[]>();
    this.#answer = answer;
    return answer.promise;
  }

  answer(): void {
    this.#answer?.resolve(['127.0.0.1']);
  }
}

/** A slow candidate that a failed look-up has ejected, until a moment that has passed, before one that lives. */
async function ejectedUntilNow(t: TestContext) {
  const [slow, live] = [await startNamed(t, 'slow'), await startNamed(t, 'live')];
  const resolver = new SlowResolver();
  const proxy = await startService(t, {
    candidates: [{ kind: 'tcp', host: 'slow.test', port: slow.port }, live.address],
    maxFails: 1,
    failTimeoutMs: 1,
    recoveryTiming: NO_PROBES,
    dialing: { resolver, connectTimeoutMs: 30_000 },
  });
  assert.equal(await ask(proxy.port), 'live');
  assert.deepEqual([resolver.looks, statesOf(proxy)[0]], [1, 'ejected']);
  resolver.broken = false;
  const since = performance.now();
  await eventually(() => performance.now() - since > 5, 'the ejection is over');
  return { proxy, resolver };
}

test(
  'with 50 clients at once a candidate whose ejection is over gets one of them until that one is answered',
  TIMEOUT,
  async (t) => {
    const { proxy, resolver } = await ejectedUntilNow(t);
    const answers: string[] = [];
    const clients = Array.from({ length: 50 }, async () => answers.push(await ask(proxy.port)));
    await eventually(() => answers.length === 49, 'all but the one that probes are answered');
    assert.deepEqual(new Set(answers), new Set(['live']));
    assert.deepEqual([resolver.looks, statesOf(proxy)[0]], [2, 'probing']);
    resolver.answer();
    await Promise.all(clients);
    assert.equal(answers[49], 'slow');
    assert.equal(statesOf(proxy)[0], 'available');
    assert.deepEqual(
      news(proxy).map(({ type }) => type),
      ['candidate-ejected', 'candidate-recovered'],
    );
  },
);

test('a client that probes and leaves makes room for the next one', TIMEOUT, async (t) => {
  const { proxy, resolver } = await ejectedUntilNow(t);
  const leaving = await connectTo(proxy.port);
  await eventually(() => resolver.looks === 2, 'it is dialed for');
  assert.equal(statesOf(proxy)[0], 'probing');
  leaving.resetAndDestroy();
  await eventually(() => statesOf(proxy)[0] === 'ejected', 'the probe is over');
  assert.deepEqual(opensOf(proxy), [0, 0]);
  const next = ask(proxy.port);
  await eventually(() => resolver.looks === 3, 'the next one is the probe');
  resolver.answer();
  assert.equal(await next, 'slow');
});

test(
  'promise 13: round-robin skips a candidate that is ejected and keeps its exact rotation over the others',
  TIMEOUT,
  async (t) => {
    const dead = local(await freePort());
    const [a, b] = [await startNamed(t, 'a'), await startNamed(t, 'b')];
    const proxy = await startService(t, {
      candidates: [a.address, dead, b.address],
      policy: () => roundRobinPolicy(0),
      maxFails: 1,
      failTimeoutMs: FOR_THE_WHOLE_TEST,
      recoveryTiming: NO_PROBES,
    });
    const got = [];
    for (let i = 0; i < 8; i += 1) got.push(await ask(proxy.port));
    assert.deepEqual(got, ['a', '', 'b', 'a', 'b', 'a', 'b', 'a']);
    await Promise.all([a.stop(), b.stop()]);
    for (let i = 0; i < 2; i += 1) assert.equal(await ask(proxy.port), '');
    assert.deepEqual(statesOf(proxy), ['ejected', 'ejected', 'ejected']);
    // Nobody is left, so they are used all the same.
    await startNamed(t, 'a again', a.port);
    await eventually(async () => (await ask(proxy.port)) === 'a again', 'the one that answers is found');
  },
);

test(
  'a client that leaves while a black hole is dialed is no failure of it; one that is not answered is',
  TIMEOUT,
  async (t) => {
    const hole = await startBlackHole(t);
    const proxy = await startService(t, {
      candidates: [hole],
      maxFails: 1,
      recoveryTiming: NO_PROBES,
      dialing: { connectTimeoutMs: 500 },
    });
    const leaving = await connectTo(proxy.port);
    await eventually(() => opensOf(proxy)[0] === 1, 'it is dialed for');
    leaving.resetAndDestroy();
    assert.equal((await proxy.closedOne(1)).reason, 'client_gone');
    assert.deepEqual([statesOf(proxy), opensOf(proxy)], [['available'], [0]]);
    assert.equal(await ask(proxy.port), '');
    const [{ state, fails, lastErrno, open } = assert.fail()] = proxy.service.status.candidateStates;
    assert.deepEqual([state, fails, lastErrno, open], ['ejected', 1, 'TIMEOUT', 0]);
  },
);

test(
  'a candidate that fails its TLS handshake is ejected; for want of our own certificate nobody is',
  TIMEOUT,
  async (t) => {
    const { caPath } = await createAuthority(t);
    const deaf = await startServer(t, { onConnection: (socket) => socket.destroy() });
    const tls = dialingTls({ caPath });
    const candidates = [deaf.address];
    const failing = await startService(t, { candidates, maxFails: 2, dialing: { tls } });
    for (let i = 0; i < 2; i += 1) await ask(failing.port);
    await failing.closedOne(2);
    assert.deepEqual(statesOf(failing), ['ejected']);
    const bare = { ...tls, material: () => undefined };
    const lacking = await startService(t, { candidates, maxFails: 1, dialing: { tls: bare } });
    await ask(lacking.port);
    assert.deepEqual(
      (await lacking.closedOne()).attempts.map(({ outcome }) => outcome),
      ['NO_MATERIAL'],
    );
    assert.deepEqual(statesOf(lacking), ['available']);
  },
);

test('cluster mode: each listener judges its own candidate and goes on dialing it', TIMEOUT, async (t) => {
  const dead = local(await freePort());
  const live = await startNamed(t, 'live');
  const proxy = await startService(t, {
    listeners: [local(0), local(0)],
    candidates: [dead, live.address],
    maxFails: 1,
    failTimeoutMs: FOR_THE_WHOLE_TEST,
    recoveryTiming: NO_PROBES,
  });
  const [one = 0, two = 0] = proxy.ports();
  assert.deepEqual([await ask(one), await ask(two)], ['', 'live']);
  assert.deepEqual(statesOf(proxy), ['ejected', 'available']);
  await startNamed(t, 'back', dead.port);
  assert.equal(await ask(one), 'back');
  assert.deepEqual(statesOf(proxy), ['available', 'available']);
});

test('open connections of a candidate are counted until they are over, however they end', TIMEOUT, async (t) => {
  const server = await startServer(t);
  const dead = local(await freePort());
  const both = [dead, server.address];
  const proxy = await startService(t, { candidates: both, maxFails: 0, onChange: 'reset-removed' });
  const carry = async () => {
    const client = await connectTo(proxy.port);
    return { client, carried: await server.accepted() };
  };
  const pairs = [await carry(), await carry(), await carry(), await carry(), await carry(), await carry()];
  const [left, reset, halfClosed, resetByServer, ...staying] = pairs;
  assert.deepEqual(opensOf(proxy), [0, 6]);
  left?.client.destroy();
  left?.carried.end();
  reset?.client.resetAndDestroy();
  resetByServer?.carried.resetAndDestroy();
  halfClosed?.client.end();
  for (const { carried } of pairs) carried.resume();
  await proxy.closedOne(3);
  // A half-closed one is open still.
  assert.deepEqual(opensOf(proxy), [0, 3]);
  halfClosed?.carried.end();
  await proxy.closedOne(4);
  assert.deepEqual(opensOf(proxy), [0, 2]);
  // Away and back within one burst: what is still carried counts on.
  proxy.source.put([dead]);
  proxy.source.put(both);
  assert.deepEqual(opensOf(proxy), [0, 2]);
  // Away for good: those that are left are reset, and do not count when it comes back.
  proxy.source.put([dead]);
  const ends = await Promise.all(staying.map(({ client }) => readAll(client)));
  assert.deepEqual(
    ends.map(({ end }) => end),
    ['reset', 'reset'],
  );
  await proxy.closedOne(6);
  proxy.source.put(both);
  assert.deepEqual(opensOf(proxy), [0, 0]);
  const { client } = await carry();
  assert.deepEqual(opensOf(proxy), [0, 1]);
  client.destroy();
});
