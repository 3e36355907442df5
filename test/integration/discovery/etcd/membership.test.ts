import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memberKey, startSource } from '../../../support/etcd-source.ts';
import { startEtcd } from '../../../support/etcd.ts';
import { Stopwatch } from '../../../support/stopwatch.ts';

test('promise 20: a member that registers or leaves changes the set within 100 ms of the event', async (t) => {
  const etcd = await startEtcd(t);
  await etcd.api.put(memberKey('10.0.1.134:6379'));
  const { recorder } = startSource(t, { endpoints: [etcd.url] });
  await recorder.untilSet(['10.0.1.134:6379']);
  await recorder.untilStatus('synced');

  // The quickest of several: the machine may be busy, the mechanism is not.
  const delays: number[] = [];
  for (let n = 1; n <= 10; n += 1) {
    await etcd.api.put(memberKey(`10.0.2.${n}:6379`));
    const written = new Stopwatch();
    await recorder.until('the new member', () => recorder.current?.includes(`10.0.2.${n}:6379`) === true);
    delays.push(written.ms());
  }
  assert.ok(Math.min(...delays) < 50, `delays in ms: ${delays.join()}`);
  assert.ok(Math.max(...delays) < 1_000, `delays in ms: ${delays.join()}`);

  await etcd.api.remove(memberKey('10.0.1.134:6379'));
  await recorder.until('the removal', () => recorder.current?.length === 10);
  assert.deepEqual(recorder.ignoredKeys, []);
});
