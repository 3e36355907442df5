import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { startBind } from '../../../support/bind.ts';
import { startSilentServer } from '../../../support/dns.ts';
import { startDnsFaultProxy, type DnsFaults } from '../../../support/dns-fault-proxy.ts';
import { followDns } from '../../../support/dns-source.ts';
import { scratchFolder } from '../../../support/scratch.ts';
import { Stopwatch } from '../../../support/stopwatch.ts';
import { eventually } from '../../../support/wait.ts';

const SERVICE = { directory: 'redis.test:6379' };
const MEMBERS = ['10.0.0.1:6379', '10.0.0.2:6379'];
const RECORDS = ['redis A 10.0.0.1', 'redis A 10.0.0.2'];

async function behindProxy(t: TestContext) {
  const bind = await startBind(t, RECORDS);
  return { bind, proxy: await startDnsFaultProxy(t, bind.port) };
}

for (const [fault, faults] of [
  ['a query that is lost', { lose: 1 }],
  ['an answer that is late', { delayMs: 700 }],
  ['an answer under another id', { spoof: '10.6.6.6' }],
  ['bytes that are no DNS', { garbage: true }],
  ['an answer that is cut off', { truncate: true }],
] as const satisfies readonly (readonly [string, DnsFaults])[]) {
  test(`${fault} changes no set`, async (t) => {
    const { proxy } = await behindProxy(t);
    Object.assign(proxy.faults, faults);
    const seen = followDns(t, { ...SERVICE, servers: [proxy.address] });
    await seen.holds(MEMBERS);
    await seen.nextLooks(2);
    assert.deepEqual(seen.sets, [MEMBERS]);
    assert.ok(seen.states.every(({ status }) => status === 'synced'));
  });
}

for (const [fault, faults, error] of [
  ['SERVFAIL', { say: 'SERVFAIL' }, /^A redis\.test: 127\.0\.0\.1:\d+: SERVFAIL$/],
  ['a refusal', { say: 'REFUSED' }, /: REFUSED$/],
  ['silence', { silent: true }, /: TIMEOUT$/],
] as const satisfies readonly (readonly [string, DnsFaults, RegExp])[]) {
  test(`${fault} keeps the last set and shows as stale; with DISCOVERY_ON_FAILURE=clear it goes`, async (t) => {
    const { proxy } = await behindProxy(t);
    const keeps = followDns(t, { ...SERVICE, servers: [proxy.address] });
    const clears = followDns(t, { ...SERVICE, servers: [proxy.address], onFailure: 'clear' });
    await Promise.all([keeps, clears].map((seen) => seen.holds(MEMBERS)));
    Object.assign(proxy.faults, faults);
    await keeps.untilStatus('stale', { error });
    await clears.untilSet([]);
    assert.deepEqual(keeps.sets, [MEMBERS]);
    Object.assign(proxy.faults, { say: undefined, silent: false });
    await Promise.all([keeps, clears].map((seen) => seen.holds(MEMBERS)));
    assert.deepEqual(keeps.sets, [MEMBERS]);
  });
}

for (const say of ['NXDOMAIN', 'empty'] as const) {
  test(`${say} of one server for moments empties nothing, and is believed when it stays`, async (t) => {
    const { proxy } = await behindProxy(t);
    const seen = followDns(t, { ...SERVICE, servers: [proxy.address], doubtMs: 1_500 });
    await seen.holds(MEMBERS);
    proxy.faults.say = say;
    const before = proxy.queries().udp;
    await eventually(() => proxy.queries().udp > before, 'a doubtful answer');
    delete proxy.faults.say;
    await seen.nextLooks(2);
    assert.deepEqual(seen.sets, [MEMBERS]);
    proxy.faults.say = say;
    const since = performance.now();
    await seen.holds([]);
    assert.ok(performance.now() - since >= 1_500, 'two looks so far apart');
  });

  test(`${say} of two servers is believed at once; of one, while the other has the records, never`, async (t) => {
    const { bind, proxy } = await behindProxy(t);
    const other = await startDnsFaultProxy(t, bind.port);
    const seen = followDns(t, { ...SERVICE, servers: [proxy.address, other.address], doubtMs: 60_000 });
    await seen.holds(MEMBERS);
    proxy.faults.say = say;
    await seen.nextLooks(3);
    assert.deepEqual(seen.sets, [MEMBERS]);
    other.faults.say = say;
    await seen.holds([]);
  });
}

test('a server that restarts, answering nothing, SERVFAIL and NXDOMAIN in turn, costs no member', async (t) => {
  const { bind, proxy } = await behindProxy(t);
  const seen = followDns(t, { ...SERVICE, servers: [proxy.address], doubtMs: 10_000 });
  await seen.holds(MEMBERS);
  await bind.kill();
  await seen.untilStatus('stale');
  proxy.faults.say = 'NXDOMAIN';
  await bind.restart();
  await bind.update('add redis.test 1 A 10.0.0.3');
  delete proxy.faults.say;
  await seen.holds([...MEMBERS, '10.0.0.3:6379']);
  assert.deepEqual(seen.sets, [MEMBERS, [...MEMBERS, '10.0.0.3:6379']]);
});

test('the second server is asked when the first is dead or silent, and first from then on', async (t) => {
  const bind = await startBind(t, RECORDS);
  const [silent, port] = [await startSilentServer(t), `127.0.0.1:${bind.port}`];
  const seen = followDns(t, { ...SERVICE, servers: ['127.0.0.1:1', `127.0.0.1:${silent.port}`, port] });
  await seen.holds(MEMBERS);
  const packets = silent.packets();
  await seen.nextLooks(3);
  assert.equal(silent.packets(), packets);
});

test('an SRV record whose server cannot be looked up any more keeps the set; one that was never there is left out', async (t) => {
  const bind = await startBind(t, ['_redis._tcp SRV 1 1 1 r1', '_redis._tcp SRV 1 1 1 r2.elsewhere.', 'r1 A 10.0.0.1']);
  // BIND serves one zone here, and refuses what is not in it.
  const seen = followDns(t, { directory: '_redis._tcp.test', servers: [`127.0.0.1:${bind.port}`] });
  await seen.holds(['10.0.0.1:1']);
  assert.match(seen.reasons.get('r2.elsewhere') ?? '', /REFUSED/);
});

test("dns:// asks the system's servers; search domains and ndots are for names without a dot at the end", async (t) => {
  const bind = await startBind(t, ['redis.prod A 10.0.0.1', 'redis A 10.0.0.2', '_r._tcp.prod SRV 1 1 7 redis']);
  const folder = await scratchFolder(t);
  const paths = { resolvConf: join(folder, 'resolv.conf') };
  await writeFile(paths.resolvConf, 'search nowhere.test prod.test test\noptions ndots:2\n');
  const servers = [`127.0.0.1:${bind.port}`];
  await followDns(t, { directory: 'redis:1', servers, paths }).holds(['10.0.0.1:1']);
  await followDns(t, { directory: 'redis.test.:1', servers, paths }).holds(['10.0.0.2:1']);
  await followDns(t, { directory: '_r._tcp', servers, paths }).holds(['10.0.0.2:7']);
  await writeFile(paths.resolvConf, 'nameserver 127.0.0.254\n');
  await followDns(t, { directory: 'redis.test:1', servers: [], paths }).untilStatus('starting', {
    error: /^A redis\.test: 127\.0\.0\.254:53: /,
  });
});

test('a source that is stopped in the middle of a question ends at once', { timeout: 10_000 }, async (t) => {
  const silent = await startSilentServer(t);
  const { dnsSource } = await import('../../../../src/discovery/dns/source.ts');
  const { permitAll } = await import('../../../../src/core/dial-policy.ts');
  const source = dnsSource({
    ...SERVICE,
    ...{ servers: [`127.0.0.1:${silent.port}`], net: 'tcp', policy: permitAll, onFailure: 'keep', maxMembers: 0 },
    ...{ minIntervalMs: 1_000, maxIntervalMs: 30_000 },
  });
  const seen: string[] = [];
  source.start({
    candidates: () => seen.push('set'),
    state: () => seen.push('state'),
    ignored: () => seen.push('key'),
  });
  await eventually(() => silent.packets() > 0, 'a question');
  const since = new Stopwatch();
  await source.stop();
  await source.stop();
  assert.ok(since.ms() < 1_000);
  assert.deepEqual(seen, []);
});
