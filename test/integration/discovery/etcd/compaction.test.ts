import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memberKey, startSource } from '../../../support/etcd-source.ts';
import { startEtcd } from '../../../support/etcd.ts';
import { startFaultProxy } from '../../../support/fault-proxy.ts';

test('promise 25: changed and compacted while cut off: the source converges by listing again, in one set', async (t) => {
  const etcd = await startEtcd(t);
  const proxy = await startFaultProxy(t, etcd.port);
  await etcd.api.transact({ put: ['10.0.0.1:1', '10.0.0.2:1'].map(memberKey) });
  const { recorder } = startSource(t, { endpoints: [`http://127.0.0.1:${proxy.port}`] });
  await recorder.untilStatus('synced');

  await proxy.set({ mode: 'refuse' });
  await recorder.untilStatus('stale');
  for (let n = 0; n < 20; n += 1) await etcd.api.put(memberKey(`10.0.1.${n}:1`));
  for (let n = 0; n < 20; n += 1) await etcd.api.remove(memberKey(`10.0.1.${n}:1`));
  await etcd.api.transact({ put: [memberKey('10.0.0.3:1')], remove: [memberKey('10.0.0.1:1')] });
  await etcd.api.compact();

  await proxy.set({ mode: 'pass' });
  await recorder.untilSet(['10.0.0.2:1', '10.0.0.3:1']);
  await recorder.untilStatus('synced');
  assert.equal(recorder.sets.length, 2, JSON.stringify(recorder.sets));
  await etcd.api.put(memberKey('10.0.0.4:1'));
  await recorder.untilSet(['10.0.0.2:1', '10.0.0.3:1', '10.0.0.4:1']);
});

test('promise 25: compacted while cut off, with the members as they were: no set is reported', async (t) => {
  const etcd = await startEtcd(t);
  const proxy = await startFaultProxy(t, etcd.port);
  await etcd.api.put(memberKey('10.0.0.1:1'));
  const { recorder } = startSource(t, { endpoints: [`http://127.0.0.1:${proxy.port}`] });
  await recorder.untilStatus('synced');

  await proxy.set({ mode: 'refuse' });
  await recorder.untilStatus('stale');
  for (let n = 0; n < 10; n += 1) await etcd.api.put(memberKey('10.0.0.1:1'), { value: String(n) });
  await etcd.api.compact();
  await proxy.set({ mode: 'pass' });
  await recorder.untilStatus('synced');
  assert.deepEqual(recorder.sets, [['10.0.0.1:1']]);
});
