import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memberKey, startSource } from '../../../support/etcd-source.ts';
import { startEtcd } from '../../../support/etcd.ts';

test('promise 21: the same set written again, a value changed, a lease refreshed or replaced: no new set', async (t) => {
  const { api, url } = await startEtcd(t);
  const [first, second] = [await api.grant(600), await api.grant(600)];
  await api.put(memberKey('10.0.0.1:1'), { lease: first });
  await api.put(memberKey('10.0.0.2:1'));
  const { recorder } = startSource(t, { endpoints: [url] });
  await recorder.untilSet(['10.0.0.1:1', '10.0.0.2:1']);
  await recorder.untilStatus('synced');

  await api.transact({ put: ['10.0.0.1:1', '10.0.0.2:1'].map(memberKey) });
  await api.put(memberKey('10.0.0.2:1'), { value: '{"weight":1,"version":"7.2"}' });
  await api.put(memberKey('10.0.0.2:1'), { value: 'up since May' });
  await api.put(memberKey('10.0.0.1:1'), { lease: first });
  await api.refresh(first);
  await api.put(memberKey('10.0.0.1:1'), { lease: second });
  // The same address spelt otherwise is the same member.
  await api.put(memberKey('[2001:DB8::1]:1'));
  await recorder.untilSet(['10.0.0.1:1', '10.0.0.2:1', '[2001:db8::1]:1']);
  await api.put(memberKey('[2001:db8::1]:1'));
  await api.put(memberKey('10.0.0.9:1'));
  await recorder.until('the last write', () => recorder.current?.includes('10.0.0.9:1') === true);
  assert.equal(recorder.sets.length, 3, JSON.stringify(recorder.sets));
});
