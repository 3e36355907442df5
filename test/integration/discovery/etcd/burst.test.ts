import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DIRECTORY, memberKey, startSource } from '../../../support/etcd-source.ts';
import { startEtcd } from '../../../support/etcd.ts';

test('promise 22: a burst of changes ends at the final set', async (t) => {
  const { api, url } = await startEtcd(t);
  const { recorder } = startSource(t, { endpoints: [url] });
  await recorder.untilStatus('synced');
  const members = Array.from({ length: 300 }, (_, n) => `10.0.${n % 7}.${n % 250}:${6000 + n}`);
  for (let from = 0; from < members.length; from += 50) {
    const some = members.slice(from, from + 50);
    await Promise.all(some.map(async (member) => api.put(memberKey(member))));
    await Promise.all(some.filter((_, n) => n % 3 === 0).map(async (member) => api.remove(memberKey(member))));
  }
  const left = await api.names(`${DIRECTORY}/`);
  assert.equal(left.length, 198);
  await recorder.untilSet(left);
});

test('promise 22: a transaction is one change, whole', async (t) => {
  const { api, url } = await startEtcd(t);
  const members = Array.from({ length: 100 }, (_, n) => `10.0.1.${n}:6379`);
  await api.transact({ put: members.map(memberKey) });
  const { recorder } = startSource(t, { endpoints: [url] });
  await recorder.untilStatus('synced');
  const others = members.map((member) => member.replace('10.0.1', '10.0.2'));
  await api.transact({ put: others.slice(0, 60).map(memberKey), remove: members.slice(0, 60).map(memberKey) });
  await recorder.untilSet([...members.slice(60), ...others.slice(0, 60)]);
  assert.equal(recorder.sets.length, 2);
});
