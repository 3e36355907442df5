import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memberKey, startSource } from '../../../support/etcd-source.ts';
import { startEtcd } from '../../../support/etcd.ts';
import { Stopwatch } from '../../../support/stopwatch.ts';

test('promise 19: etcd down at start: says why, reports no set, and heals within 2 s of etcd coming up', async (t) => {
  const etcd = await startEtcd(t);
  await etcd.api.put(memberKey('10.0.0.1:1'));
  await etcd.kill();
  const { recorder } = startSource(t, { endpoints: [etcd.url] });
  await recorder.untilStatus('starting', { error: /ECONNREFUSED/ });
  assert.equal(recorder.current, undefined);

  await etcd.restart();
  const up = new Stopwatch();
  await recorder.untilStatus('synced');
  const tookMs = up.ms();
  assert.ok(tookMs < 2_000, `healed after ${tookMs} ms`);
  assert.deepEqual(recorder.current, ['10.0.0.1:1']);
});

test('promise 19: an empty directory is an answer: the empty set is reported at once', async (t) => {
  const etcd = await startEtcd(t);
  const { recorder } = startSource(t, { endpoints: [etcd.url] });
  await recorder.untilStatus('synced');
  assert.deepEqual(recorder.sets, [[]]);
});
