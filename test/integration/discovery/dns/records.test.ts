import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startBind } from '../../../support/bind.ts';
import { startDnsFaultProxy } from '../../../support/dns-fault-proxy.ts';
import { followDns } from '../../../support/dns-source.ts';
import { eventually } from '../../../support/wait.ts';

const at = ({ port }: { readonly port: number }) => [`127.0.0.1:${port}`];

test('every address of a name is a member, with the port of SRV; a dynamic update is followed within its TTL', async (t) => {
  const bind = await startBind(t, ['redis A 10.0.0.2', 'redis A 10.0.0.1']);
  const seen = followDns(t, { directory: 'redis.test:6379', servers: at(bind) });
  await seen.holds(['10.0.0.1:6379', '10.0.0.2:6379']);
  await bind.update('add redis.test 1 A 10.0.0.3', 'delete redis.test A 10.0.0.2');
  await seen.holds(['10.0.0.1:6379', '10.0.0.3:6379']);
  assert.equal(seen.sets.length, 2);
});

for (const { what, ttlS, minIntervalMs, maxIntervalMs, gapMs } of [
  { what: 'when the records expire', ttlS: 3, minIntervalMs: 50, maxIntervalMs: 600_000, gapMs: 3_000 },
  {
    what: 'DNS_MAX_INTERVAL later, however long they are good',
    ttlS: 600,
    minIntervalMs: 50,
    maxIntervalMs: 1_000,
    gapMs: 1_000,
  },
  { what: 'not before DNS_MIN_INTERVAL', ttlS: 1, minIntervalMs: 2_500, maxIntervalMs: 600_000, gapMs: 2_500 },
] as const) {
  test(`the next look is ${what}`, async (t) => {
    const bind = await startBind(t, [`redis ${ttlS} A 10.0.0.1`]);
    const proxy = await startDnsFaultProxy(t, bind.port);
    const from = performance.now();
    const seen = followDns(t, { directory: 'redis.test.:1', servers: [proxy.address], minIntervalMs, maxIntervalMs });
    await seen.holds(['10.0.0.1:1']);
    const asked = proxy.queries().udp;
    await eventually(() => proxy.queries().udp > asked, 'it asks again', 20_000);
    const tookMs = performance.now() - from;
    assert.ok(tookMs > gapMs - 100, `after ${tookMs} ms`);
    assert.ok(tookMs < gapMs + 10_000, `after ${tookMs} ms`);
  });
}

test('rotated answers are the same set', async (t) => {
  const ips = Array.from({ length: 8 }, (_, n) => `10.0.0.${n + 1}`);
  const bind = await startBind(
    t,
    ips.map((ip) => `redis A ${ip}`),
  );
  const seen = followDns(t, { directory: 'redis.test.:6379', servers: at(bind) });
  await seen.nextLooks(12);
  assert.deepEqual(seen.sets, [ips.map((ip) => `${ip}:6379`)]);
});

test('NET decides which families are looked up', async (t) => {
  const bind = await startBind(t, ['redis A 10.0.0.1', 'redis AAAA fd00::1', 'four A 10.0.0.4']);
  const [v4, v6] = ['10.0.0.1:1', '[fd00::1]:1'];
  for (const [net, members] of [
    ['tcp4', [v4]],
    ['tcp6', [v6]],
    ['tcp', [v4, v6]],
  ] as const) {
    await followDns(t, { directory: 'redis.test:1', servers: at(bind), net }).holds(members);
  }
  await followDns(t, { directory: 'four.test:1', servers: at(bind), net: 'tcp' }).holds(['10.0.0.4:1']);
});

test('a set that does not fit into a packet comes by TCP', async (t) => {
  const ips = Array.from({ length: 100 }, (_, n) => `10.0.1.${n + 100}`);
  const bind = await startBind(
    t,
    ips.map((ip) => `many A ${ip}`),
  );
  const proxy = await startDnsFaultProxy(t, bind.port);
  const seen = followDns(t, { directory: 'many.test:1', servers: [proxy.address] });
  await seen.holds(ips.map((ip) => `${ip}:1`));
  assert.ok(proxy.queries().tcp > 0);
});

test('CNAME records are followed', async (t) => {
  const bind = await startBind(t, ['a CNAME b', 'b CNAME c', 'c A 10.0.0.1']);
  await followDns(t, { directory: 'a.test:1', servers: at(bind) }).holds(['10.0.0.1:1']);
});

test('SRV records give port, priority and weight; their servers are looked up', async (t) => {
  const bind = await startBind(t, [
    '_redis._tcp.prod SRV 10 3 6379 r1',
    '_redis._tcp.prod SRV 10 0 6380 r2',
    '_redis._tcp.prod SRV 20 1 6379 r3',
    '_redis._tcp.prod SRV 10 5 6379 gone',
    ...['r1 A 10.0.0.1', 'r2 A 10.0.0.2', 'r3 A 10.0.0.3', 'r3 A 10.0.0.4'],
    '_off._tcp SRV 0 0 0 .',
  ]);
  const seen = followDns(t, { directory: '_redis._tcp.prod.test', servers: at(bind) });
  await seen.holds(['10.0.0.1:6379', '10.0.0.2:6380', '10.0.0.3:6379', '10.0.0.4:6379']);
  assert.deepEqual(
    seen.endpoints.map(({ weight, priority }) => [priority, weight]),
    [
      [10, 3],
      [10, 1],
      [20, 1],
      [20, 1],
    ],
  );
  assert.deepEqual([...seen.reasons], [['gone.test', 'the name has no address in NET']]);
  assert.deepEqual(seen.ignoredKeys, ['gone.test']);
  await bind.update('delete _redis._tcp.prod.test SRV', 'add _redis._tcp.prod.test 1 SRV 1 9 7000 r2.test.');
  await seen.holds(['10.0.0.2:7000']);
  assert.deepEqual(
    seen.endpoints.map(({ weight, priority }) => [priority, weight]),
    [[1, 9]],
  );
  await followDns(t, { directory: '_off._tcp.test', servers: at(bind) }).holds([]);
});

test('an address that may not be dialed is ignored, and a set beyond MAX_MEMBERS is not believed', async (t) => {
  const bind = await startBind(t, ['redis A 169.254.169.254', 'redis A 10.0.0.1']);
  const seen = followDns(t, { directory: 'redis.test:80', servers: at(bind), maxMembers: 2 });
  await seen.holds(['10.0.0.1:80']);
  assert.deepEqual(seen.ignoredKeys, ['169.254.169.254:80']);
  await bind.update('add redis.test 1 A 10.0.0.2');
  await seen.untilStatus('stale', { error: /^3 members, more than MAX_MEMBERS=2/ });
  assert.deepEqual(seen.current, ['10.0.0.1:80']);
});
