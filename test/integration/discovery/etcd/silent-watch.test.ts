import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memberKey, startSource } from '../../../support/etcd-source.ts';
import { startEtcd } from '../../../support/etcd.ts';
import { startFaultProxy } from '../../../support/fault-proxy.ts';
import { eventually } from '../../../support/wait.ts';

test('promise 25: a watch that dies without a word while lists are answered: found by the re-read, counted, replaced', async (t) => {
  const etcd = await startEtcd(t);
  await etcd.api.put(memberKey('10.0.0.1:1'));
  const proxy = await startFaultProxy(t, etcd.port);
  const endpoints = [`http://127.0.0.1:${proxy.port}`];
  const timing = { checkMinMs: 200, checkMaxMs: 400, recheckMs: 500 };
  const { recorder } = startSource(t, { endpoints, timing });
  await recorder.untilStatus('synced');
  // The client's connections in the order it opens them: lists, then the watch.
  await eventually(() => proxy.open === 2, 'the end of the connection that asked first');
  proxy.silence(1);

  await etcd.api.put(memberKey('10.0.0.2:1'));
  await recorder.untilSet(['10.0.0.1:1', '10.0.0.2:1'], 5_000);
  await recorder.until('the count', () => {
    const state = recorder.latest;
    return state?.status === 'synced' && state.counters?.mismatches === 1 && state.counters.sessions === 2;
  });
  await etcd.api.put(memberKey('10.0.0.3:1'));
  await recorder.untilSet(['10.0.0.1:1', '10.0.0.2:1', '10.0.0.3:1']);
  assert.ok(recorder.states.every(({ status }) => status === 'synced'));
});
