import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dialPolicy } from '../../../../src/core/dial-policy.ts';
import { DIRECTORY, memberKey, startSource } from '../../../support/etcd-source.ts';
import { startEtcd } from '../../../support/etcd.ts';

const UNUSABLE = ['', 'garbage', 'nested/10.0.0.5:1', '10.0.0.5:0', '10.0.0.5:1\n10.0.0.6:1', '169.254.169.254:80'];

test('promise 23: keys that are no usable address are ignored, with one report each, listed or watched', async (t) => {
  const { api, url } = await startEtcd(t);
  const [listed, watched] = [UNUSABLE.slice(0, 3), UNUSABLE.slice(3)];
  await api.transact({ put: ['10.0.0.1:1', ...listed].map(memberKey) });
  const { recorder } = startSource(t, { endpoints: [url], timing: { checkMinMs: 20, checkMaxMs: 40 } });
  await recorder.untilSet(['10.0.0.1:1']);
  await api.transact({ put: watched.map(memberKey) });
  await api.put(memberKey('garbage'), { value: 'again' });
  await api.put(memberKey('10.0.0.2:1'));
  await recorder.untilSet(['10.0.0.1:1', '10.0.0.2:1']);
  const checks = recorder.states.length;
  await recorder.until('further checks', () => recorder.states.length > checks + 3);
  assert.deepEqual([...recorder.ignoredKeys].sort(), [...UNUSABLE].sort());

  await api.transact({ remove: ['garbage', '10.0.0.2:1'].map(memberKey) });
  await recorder.untilSet(['10.0.0.1:1']);
  await api.put(memberKey('garbage'));
  await recorder.until('a report of the key that came back', () => recorder.ignoredKeys.length > UNUSABLE.length);
});

test('promise 23: a directory whose name begins with ours is another directory, listed and watched', async (t) => {
  const { api, url } = await startEtcd(t);
  const siblings = [`${DIRECTORY}2/10.0.9.1:1`, `${DIRECTORY}-old/10.0.9.2:1`, DIRECTORY, '/srv/redis/10.0.9.3:1'];
  await api.transact({ put: [memberKey('10.0.0.1:1'), ...siblings] });
  const { recorder } = startSource(t, { endpoints: [url] });
  await recorder.untilSet(['10.0.0.1:1']);
  await api.transact({ put: [...siblings, `${DIRECTORY}0/10.0.9.4:1`, `${DIRECTORY}.10.0.9.5:1`] });
  await api.put(memberKey('10.0.0.2:1'));
  await recorder.untilSet(['10.0.0.1:1', '10.0.0.2:1']);
  assert.equal(recorder.sets.length, 2);
  assert.deepEqual(recorder.ignoredKeys, []);
});

test('promise 42: DISCOVERY_ALLOW limits what is believed', async (t) => {
  const { api, url } = await startEtcd(t);
  await api.transact({ put: ['10.0.0.1:1', '192.168.0.1:1'].map(memberKey) });
  const { recorder } = startSource(t, { endpoints: [url], policy: dialPolicy(['192.168.0.0/16']) });
  await recorder.untilSet(['192.168.0.1:1']);
  assert.deepEqual(recorder.ignoredKeys, ['10.0.0.1:1']);
});
