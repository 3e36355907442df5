import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cpuShare, smallShare } from '../../../support/cpu.ts';
import { memberKey, startSource } from '../../../support/etcd-source.ts';
import { startEtcd } from '../../../support/etcd.ts';
import { Stopwatch } from '../../../support/stopwatch.ts';
import { eventually } from '../../../support/wait.ts';
import { activeResources, openSockets, untilResourcesAre } from '../../../support/resources.ts';
import { startFaultProxy } from '../../../support/fault-proxy.ts';

test('promise 24: a backend that accepts and never speaks: no socket is left per attempt, CPU under 2%, stop within 1 s', async (t) => {
  const proxy = await startFaultProxy(t, 1);
  await proxy.set({ mode: 'accept-and-swallow' });
  const before = activeResources();
  const { source, recorder } = startSource(t, { endpoints: [`http://127.0.0.1:${proxy.port}`] });
  await recorder.untilStatus('starting', { error: /^TIMEOUT: 127\.0\.0\.1:\d+ gave no answer within 1500 ms$/ });
  const small = smallShare();
  const share = await cpuShare({ windowMs: 7_000, below: small });
  assert.ok(share < small, `CPU ${(share * 100).toFixed(2)}%`);
  assert.ok(proxy.accepted >= 2, 'it gave up trying');
  assert.ok(proxy.open <= 1, `${proxy.open} connections open after ${proxy.accepted} attempts`);
  assert.equal(recorder.states.length, 1, 'one outage, one report');

  const began = new Stopwatch();
  await source.stop();
  assert.ok(began.ms() < 1_000);
  await untilResourcesAre(before, 1_000);
});

test('promise 24: a connection that falls silent: keep-alive finds out, no socket is left behind, and it heals', async (t) => {
  const etcd = await startEtcd(t);
  await etcd.api.put(memberKey('10.0.0.1:1'));
  const proxy = await startFaultProxy(t, etcd.port);
  // No re-read within the test: it would find out too.
  const timing = { checkMinMs: 60_000, checkMaxMs: 60_000 };
  const { recorder } = startSource(t, { endpoints: [`http://127.0.0.1:${proxy.port}`], timing });
  await recorder.untilStatus('synced');
  const sockets = openSockets();
  await proxy.set({ mode: 'accept-and-swallow' });
  const began = new Stopwatch();
  await recorder.untilStatus('stale');
  assert.ok(began.ms() < 15_000);
  await etcd.api.put(memberKey('10.0.0.2:1'));
  await proxy.set({ mode: 'pass' });
  await recorder.untilSet(['10.0.0.1:1', '10.0.0.2:1']);
  await recorder.untilStatus('synced');
  await eventually(() => openSockets() === sockets, 'the sockets of before');
});
