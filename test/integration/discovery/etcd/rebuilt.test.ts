import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { inspect } from 'node:util';
import type { EtcdSourceOptions } from '../../../../src/discovery/etcd/source.ts';
import { memberKey, startSource } from '../../../support/etcd-source.ts';
import { startEtcd } from '../../../support/etcd.ts';
import { startFaultProxy } from '../../../support/fault-proxy.ts';

const MEMBERS = ['10.0.0.1:1', '10.0.0.2:1'];

/**
 * A source that has seen two members, at a revision well above that of an empty etcd. Then it is cut off, and etcd loses
 * its data.
 */
async function rebuild(t: TestContext, options: Partial<EtcdSourceOptions>) {
  const etcd = await startEtcd(t);
  for (let n = 0; n < 10; n += 1) await etcd.api.transact({ put: MEMBERS.map(memberKey) });
  const proxy = await startFaultProxy(t, etcd.port);
  const { recorder } = startSource(t, { endpoints: [`http://127.0.0.1:${proxy.port}`], ...options });
  await recorder.untilSet(MEMBERS);
  await recorder.untilStatus('synced');
  await proxy.set({ mode: 'refuse' });
  await etcd.kill();
  await etcd.wipe();
  await etcd.restart();
  return { etcd, recorder, proxy };
}

test('promise 26: etcd wiped and empty: the last set stays for the grace, visibly, and is then given up', async (t) => {
  const regressGraceMs = 3_000;
  const { recorder, proxy } = await rebuild(t, { regressGraceMs });
  await proxy.set({ mode: 'pass' });
  await recorder.untilStatus('stale', { error: /^REVISION_REGRESSED: .*lower revision.*stays for 3 s/ });
  const doubted = performance.now();
  assert.deepEqual(recorder.current, MEMBERS);
  const stale = recorder.latest;
  assert.ok(stale?.status === 'stale' && stale.counters?.regressions === 1);

  await recorder.untilSet([]);
  const keptMs = performance.now() - doubted;
  assert.ok(keptMs > regressGraceMs - 100, `given up after ${keptMs} ms`);
  await recorder.untilStatus('synced');
  assert.equal(recorder.sets.length, 2);
});

test('promise 26: etcd wiped and empty: members that register during the grace are believed at once', async (t) => {
  const { etcd, recorder, proxy } = await rebuild(t, { regressGraceMs: 60_000 });
  await proxy.set({ mode: 'pass' });
  await recorder.untilStatus('stale', { error: /REVISION_REGRESSED/ });
  await etcd.api.put(memberKey('10.0.0.9:1'));
  await recorder.untilSet(['10.0.0.9:1']);
  await recorder.untilStatus('synced');

  // Doubt is over: the last member's leaving is an ordinary change now.
  await etcd.api.remove(memberKey('10.0.0.9:1'));
  await recorder.untilSet([]);
});

test('promise 25: etcd wiped and rebuilt with other members at a lower revision: believed at once', async (t) => {
  const { etcd, recorder, proxy } = await rebuild(t, { regressGraceMs: 60_000 });
  await etcd.api.put(memberKey('10.0.0.7:1'));
  await proxy.set({ mode: 'pass' });
  await recorder.untilSet(['10.0.0.7:1']);
  await recorder.untilStatus('synced');
  assert.ok(
    recorder.states.every((state) => !inspect(state).includes('REVISION_REGRESSED')),
    'no doubt about a set that has members',
  );
  const synced = recorder.latest;
  assert.ok(synced?.status === 'synced' && synced.counters?.regressions === 1);
});

test('promise 26: members deleted one by one are believed at once, down to the last', async (t) => {
  const etcd = await startEtcd(t);
  await etcd.api.transact({ put: MEMBERS.map(memberKey) });
  const { recorder } = startSource(t, { endpoints: [etcd.url], regressGraceMs: 60_000 });
  await recorder.untilSet(MEMBERS);
  for (const member of MEMBERS) await etcd.api.remove(memberKey(member));
  await recorder.untilSet([]);
  assert.equal(recorder.latest?.status, 'synced');
});
