import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memberKey, startSource } from '../../../support/etcd-source.ts';
import { startEtcd } from '../../../support/etcd.ts';
import { startFaultProxy } from '../../../support/fault-proxy.ts';

test('DISCOVERY_ON_FAILURE=clear: an unreachable etcd empties the set, and its return restores it', async (t) => {
  const etcd = await startEtcd(t);
  await etcd.api.put(memberKey('10.0.0.1:1'));
  const { recorder } = startSource(t, { endpoints: [etcd.url], onFailure: 'clear' });
  await recorder.untilStatus('synced');
  await etcd.kill();
  await recorder.untilSet([]);
  await recorder.untilStatus('stale');
  await etcd.restart();
  await recorder.untilSet(['10.0.0.1:1']);
  assert.deepEqual(recorder.sets, [['10.0.0.1:1'], [], ['10.0.0.1:1']]);
});

test('DISCOVERY_ON_FAILURE=clear: a frozen etcd empties the set too', async (t) => {
  const etcd = await startEtcd(t);
  await etcd.api.put(memberKey('10.0.0.1:1'));
  const timing = { checkMinMs: 200, checkMaxMs: 400, callMs: 500 };
  const { recorder } = startSource(t, { endpoints: [etcd.url], onFailure: 'clear', timing });
  await recorder.untilStatus('synced');
  etcd.freeze();
  await recorder.untilSet([]);
  etcd.thaw();
  await recorder.untilSet(['10.0.0.1:1']);
});

test('DISCOVERY_ON_FAILURE=clear: a connection that is cut and comes back at once empties nothing', async (t) => {
  const etcd = await startEtcd(t);
  const proxy = await startFaultProxy(t, etcd.port);
  await etcd.api.put(memberKey('10.0.0.1:1'));
  const { recorder } = startSource(t, { endpoints: [`http://127.0.0.1:${proxy.port}`], onFailure: 'clear' });
  await recorder.untilStatus('synced');
  for (let cuts = 1; cuts <= 5; cuts += 1) {
    proxy.resetAll();
    await recorder.until('a new session', () => {
      const state = recorder.latest;
      return state?.status === 'synced' && state.counters?.sessions === cuts + 1;
    });
  }
  assert.deepEqual(recorder.sets, [['10.0.0.1:1']]);
  assert.ok(recorder.states.every(({ status }) => status === 'synced'));
});
