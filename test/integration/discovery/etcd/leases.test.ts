import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memberKey, startSource } from '../../../support/etcd-source.ts';
import { startEtcd } from '../../../support/etcd.ts';
import { Stopwatch } from '../../../support/stopwatch.ts';

const TTL_S = 2;

test('promise 27: a lease that expires removes its member within TTL + 3 s', async (t) => {
  const { api, url } = await startEtcd(t);
  await api.put(memberKey('10.0.0.1:1'));
  await api.put(memberKey('10.0.0.2:1'), { lease: await api.grant(TTL_S) });
  const granted = new Stopwatch();
  const { recorder } = startSource(t, { endpoints: [url] });
  await recorder.untilSet(['10.0.0.1:1', '10.0.0.2:1']);
  await recorder.untilSet(['10.0.0.1:1']);
  const tookMs = granted.ms();
  assert.ok(tookMs < (TTL_S + 3) * 1_000, `removed after ${tookMs} ms`);
});

test('promise 27: all members expiring together is one transition, believed at once', async (t) => {
  const { api, url } = await startEtcd(t);
  const lease = await api.grant(TTL_S);
  const members = Array.from({ length: 20 }, (_, n) => `10.0.0.${n}:1`);
  await Promise.all(members.map(async (member) => api.put(memberKey(member), { lease })));
  const { recorder } = startSource(t, { endpoints: [url] });
  await recorder.untilSet(members);
  await recorder.untilSet([], (TTL_S + 3) * 1_000);
  assert.equal(recorder.sets.length, 2);
});

test('members with a lease each, expiring together, leave in few transitions', async (t) => {
  const { api, url } = await startEtcd(t);
  const members = Array.from({ length: 12 }, (_, n) => `10.0.0.${n}:1`);
  const leases = await Promise.all(members.map(async () => api.grant(TTL_S)));
  await Promise.all(members.map(async (member, n) => api.put(memberKey(member), { lease: leases[n] ?? '' })));
  const { recorder } = startSource(t, { endpoints: [url] });
  await recorder.untilSet(members);
  await recorder.untilSet([], (TTL_S + 4) * 1_000);
  // Each lease is revoked in a transaction of its own: one set where the disk is quick, a few where it is not.
  assert.ok(recorder.sets.length <= members.length / 2, JSON.stringify(recorder.sets.map((set) => set.length)));
});
