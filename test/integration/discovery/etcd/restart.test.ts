import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memberKey, startSource } from '../../../support/etcd-source.ts';
import { startEtcd } from '../../../support/etcd.ts';
import { Stopwatch } from '../../../support/stopwatch.ts';

test('promise 24: etcd killed and back: the last set stays, staleness shows, and the source heals within 2 s', async (t) => {
  const etcd = await startEtcd(t);
  await etcd.api.transact({ put: ['10.0.0.1:1', '10.0.0.2:1'].map(memberKey) });
  const { recorder } = startSource(t, { endpoints: [etcd.url] });
  await recorder.untilSet(['10.0.0.1:1', '10.0.0.2:1']);
  await recorder.untilStatus('synced');
  const setsBefore = recorder.sets.length;

  await etcd.kill();
  await recorder.untilStatus('stale', { error: /^ECONNREFUSED: 127\.0\.0\.1:\d+ refused the connection$/ });
  assert.equal(recorder.sets.length, setsBefore, 'the set was touched');

  await etcd.restart();
  const up = new Stopwatch();
  await recorder.untilStatus('synced');
  const tookMs = up.ms();
  assert.ok(tookMs < 2_000, `healed after ${tookMs} ms`);
  const outage = recorder.states.flatMap((state) => (state.status === 'stale' ? [state.error.split(':')[0]] : []));
  assert.equal(new Set(outage).size, outage.length, `one report for each class of fault: ${outage.join()}`);
  assert.equal(recorder.sets.length, setsBefore, 'an unchanged set was reported again');

  await etcd.api.remove(memberKey('10.0.0.1:1'));
  await recorder.untilSet(['10.0.0.2:1']);
});
