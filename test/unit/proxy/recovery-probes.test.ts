import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Candidate } from '../../../src/balancing/candidate.ts';
import { orderedPolicy } from '../../../src/balancing/policies.ts';
import { Pool } from '../../../src/balancing/pool.ts';
import type { Address } from '../../../src/core/address.ts';
import { permitAll } from '../../../src/core/dial-policy.ts';
import { RecoveryProbes, type RecoveryOptions } from '../../../src/proxy/recovery-probes.ts';
import type { DialOwner, DialSettings } from '../../../src/transport/engine.ts';

const MINUTE = 60_000;
const at = (port: number): Address => ({ kind: 'tcp', host: '10.0.0.1', port });
const dialing: DialSettings = {
  connectTimeoutMs: 5_000,
  keepAliveMs: 0,
  family: 4,
  policy: permitAll,
  resolver: { resolve: () => Promise.reject(new Error('nobody is looked up here')) },
};

interface Probe {
  readonly port: number;
  /** ms since the test began. */
  readonly at: number;
  readonly owner: DialOwner;
  aborted: boolean;
}

/** A pool of candidates 1, 2, ... with probes that only the test answers, on a clock that only the test moves. */
function setUp(t: TestContext, size: number, options: Partial<RecoveryOptions> = {}) {
  let now = 0;
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const probes: Probe[] = [];
  const news: string[] = [];
  const drained = new Set<string>();
  const recovery = new RecoveryProbes({
    dialing,
    isWaitedFor: () => false,
    now: () => now,
    random: () => 0.5,
    engine: {
      dial: (address, _settings, owner) => ({
        start() {
          probes.push({ port: address.kind === 'tcp' ? address.port : 0, at: now, owner, aborted: false });
        },
        abort() {
          const own = probes.find((probe) => probe.owner === owner);
          if (own !== undefined) own.aborted = true;
        },
      }),
    },
    ...options,
  });
  const pool: Pool = new Pool(orderedPolicy(), {
    ejection: { maxFails: 1, failTimeoutMs: 10 * MINUTE },
    drained,
    now: () => now,
    onHealth(candidate, change) {
      news.push(
        `${candidate.key.split(':')[1]} ${change.kind}${change.kind === 'recovered' ? ` by ${change.by}` : ''}`,
      );
      if (change.kind === 'ejected') recovery.ejected(candidate, pool);
      else recovery.recovered(candidate);
    },
  });
  pool.replace(Array.from({ length: size }, (_, i) => at(i + 1)));
  t.after(() => recovery.stop());
  return {
    recovery,
    pool,
    drained,
    probes,
    news,
    /** A connection fails at the first candidate that is not ejected. */
    eject: () => {
      const selection = pool.select();
      selection.next();
      selection.failed('ECONNREFUSED');
    },
    /** Time passes in steps of 10 ms. */
    pass: (ms: number) => {
      for (const end = now + ms; now < end;) {
        now += 10;
        t.mock.timers.tick(10);
      }
    },
    /** The probe that is under way fails. */
    refuse: () => probes.at(-1)?.owner.dialFailed('ECONNREFUSED'),
    times: () => probes.map((probe) => probe.at),
    states: () => pool.statuses.map(({ state }) => state),
  };
}

/** A candidate that has connected; tells how it was closed. */
function answer(probe: Probe | undefined): string[] {
  const ends: string[] = [];
  probe?.owner.dialed({
    tls: undefined,
    reset: () => ends.push('reset'),
    destroy: () => ends.push('destroyed'),
  });
  return ends;
}

test('an ejected candidate is probed after 250 ms, then twice as late each time, at most 1 s', (t) => {
  const { eject, pass, refuse, times, states } = setUp(t, 2);
  eject();
  for (let i = 0; i < 500; i += 1) {
    const before = times().length;
    pass(10);
    if (times().length > before) refuse();
  }
  assert.deepEqual(times(), [250, 750, 1_750, 2_750, 3_750, 4_750]);
  assert.deepEqual(states(), ['ejected', 'available']);
});

test('the first probe that is answered makes the candidate available and is reset; nobody is probed after it', (t) => {
  const { eject, pass, probes, news, states } = setUp(t, 2);
  eject();
  pass(250);
  assert.deepEqual(answer(probes[0]), ['reset']);
  assert.deepEqual(states(), ['available', 'available']);
  assert.deepEqual(news, ['1 ejected', '1 recovered by probe']);
  pass(MINUTE);
  assert.equal(probes.length, 1);
});

test('nobody is probed while nobody is ejected', (t) => {
  const { recovery, pass, probes } = setUp(t, 2);
  recovery.used();
  pass(5_000);
  assert.equal(probes.length, 0);
});

test('a service without a new connection for a minute probes nobody, and at once when one comes', (t) => {
  const { eject, recovery, pass, refuse, times } = setUp(t, 2);
  eject();
  const passAll = (ms: number) => {
    for (let i = 0; i < ms; i += 10) {
      const before = times().length;
      pass(10);
      if (times().length > before) refuse();
    }
  };
  passAll(2 * MINUTE);
  const whileUsed = times().length;
  assert.ok(whileUsed >= 58 && whileUsed <= 61, `${whileUsed} probes in a minute`);
  assert.ok((times().at(-1) ?? Infinity) < MINUTE);
  recovery.used();
  passAll(50);
  assert.equal(times().length, whileUsed + 1);
});

test('clients that are held use the service for as long as they wait', (t) => {
  const { eject, pass, refuse, times } = setUp(t, 2, { isWaitedFor: () => true });
  eject();
  for (let i = 0; i < 100; i += 1) {
    pass(1_000);
    refuse();
  }
  assert.ok((times().at(-1) ?? 0) > MINUTE + 30_000, `last probe at ${times().at(-1)}`);
});

test('what a probe finds that began before a recovery says nothing about an ejection after it', (t) => {
  const { eject, pool, pass, probes, news, states } = setUp(t, 1);
  eject();
  pass(250);
  const selection = pool.select();
  selection.next();
  selection.answered().leave();
  assert.equal(probes[0]?.aborted, true);
  eject();
  // A dial that was given up tells nothing any more; this one does all the same.
  answer(probes[0]);
  assert.deepEqual(states(), ['ejected']);
  assert.deepEqual(news, ['1 ejected', '1 recovered by connection', '1 ejected']);
  pass(250);
  answer(probes[1]);
  assert.deepEqual(states(), ['available']);
});

test('a candidate that leaves is probed no more, and the probe of it that is under way is given up', (t) => {
  const { eject, pool, recovery, pass, probes } = setUp(t, 2);
  eject();
  pass(250);
  pool.replace([at(2), at(3)]);
  recovery.changed();
  assert.equal(probes[0]?.aborted, true);
  pass(5_000);
  assert.equal(probes.length, 1);
});

test('a candidate that stays through a change of the set goes on being probed', (t) => {
  const { eject, pool, recovery, pass, probes, states } = setUp(t, 2);
  eject();
  pass(250);
  pool.replace([at(3), at(1)]);
  recovery.changed();
  assert.equal(probes[0]?.aborted, false);
  answer(probes[0]);
  assert.deepEqual(states(), ['available', 'available']);
});

test('a drained candidate is not probed, and again once it is not drained any more', (t) => {
  const { eject, drained, recovery, pass, probes, states } = setUp(t, 2);
  eject();
  pass(250);
  drained.add('10.0.0.1:1');
  recovery.changed();
  assert.equal(probes[0]?.aborted, true);
  pass(5_000);
  assert.equal(probes.length, 1);
  drained.clear();
  pass(1_000);
  assert.equal(probes.length, 2);
  answer(probes[1]);
  assert.deepEqual(states(), ['available', 'available']);
});

test('a candidate that is ejected again while it is ejected keeps its rhythm', (t) => {
  const { eject, recovery, pool, pass, refuse, times } = setUp(t, 2);
  eject();
  const [first] = pool.candidates as readonly [Candidate];
  for (let i = 0; i < 24; i += 1) {
    pass(10);
    recovery.ejected(first, pool);
  }
  pass(10);
  assert.deepEqual(times(), [250]);
  refuse();
});

test('one that is ejected while others wait for a second is still probed after 250 ms', (t) => {
  const { eject, pass, probes } = setUp(t, 2);
  eject();
  for (let i = 0; i < 20; i += 1) {
    pass(100);
    probes.at(-1)?.owner.dialFailed('ECONNREFUSED');
  }
  const before = probes.length;
  eject();
  pass(260);
  assert.deepEqual(
    probes.slice(before).map(({ port }) => port),
    [2],
  );
});

test('a thousand ejected candidates are probed at most 80 times a second, all of them in turn', (t) => {
  const { eject, recovery, pass, probes } = setUp(t, 1_000);
  for (let i = 0; i < 1_000; i += 1) eject();
  for (let i = 0; i < 13_000; i += 10) {
    recovery.used();
    const before = probes.length;
    pass(10);
    for (const probe of probes.slice(before)) probe.owner.dialFailed('ECONNREFUSED');
  }
  assert.ok(probes.length <= 13 * 80, `${probes.length} probes in 13 s`);
  assert.equal(new Set(probes.map(({ port }) => port)).size, 1_000);
});

test('stop gives up what is under way, and nobody is probed any more', (t) => {
  const { eject, recovery, pass, probes } = setUp(t, 2);
  eject();
  pass(250);
  recovery.stop();
  recovery.stop();
  assert.equal(probes[0]?.aborted, true);
  eject();
  recovery.used();
  pass(5_000);
  assert.equal(probes.length, 1);
});

for (const [name, version, tls, preface] of [
  ['plain service with PROXY_PROTOCOL=v1 sends no header', 'v1', undefined, undefined],
  ['TLS service without PROXY_PROTOCOL sends no header', 'off', {}, undefined],
  ['TLS service with PROXY_PROTOCOL=v1 sends UNKNOWN', 'v1', {}, 'PROXY UNKNOWN\r\n'],
  // Version 2, command LOCAL, no address.
  ['TLS service with PROXY_PROTOCOL=v2 sends LOCAL', 'v2', {}, '\r\n\r\n\0\r\nQUIT\n\x20\0\0\0'],
] as const) {
  test(`a probe of a ${name}`, (t) => {
    const settings = { ...dialing, tls: tls as DialSettings['tls'] };
    const { eject, pass, probes } = setUp(t, 2, { dialing: settings, proxyProtocol: version });
    eject();
    pass(250);
    assert.equal(probes[0]?.owner.preface?.toString('latin1'), preface);
  });
}
