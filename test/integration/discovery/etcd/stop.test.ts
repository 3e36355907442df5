import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { permitAll } from '../../../../src/core/dial-policy.ts';
import { etcdSource } from '../../../../src/discovery/etcd/source.ts';
import { DIRECTORY, memberKey, startSource } from '../../../support/etcd-source.ts';
import { startEtcd } from '../../../support/etcd.ts';
import { activeResources, openSockets, untilResourcesAre } from '../../../support/resources.ts';
import { SourceRecorder } from '../../../support/source-recorder.ts';
import { Stopwatch } from '../../../support/stopwatch.ts';
import { eventually } from '../../../support/wait.ts';

test('stop may come before start, and twice; a stopped source does not start', async () => {
  const endpoints = ['http://127.0.0.1:1'];
  const source = etcdSource({ directory: DIRECTORY, endpoints, policy: permitAll, onFailure: 'keep' });
  const recorder = new SourceRecorder();
  await source.stop();
  await source.stop();
  source.start(recorder);
  await pause(50);
  await source.stop();
  assert.deepEqual([recorder.sets, recorder.states], [[], []]);
});

test('stopped at any moment of a session: prompt, silent afterwards, nothing left', async (t) => {
  const etcd = await startEtcd(t);
  await etcd.api.put(memberKey('10.0.0.1:1'));
  const sockets = openSockets();
  // The first one loads the package; what that leaves behind is not what a source leaves behind.
  const first = startSource(t, { endpoints: [etcd.url] });
  await first.recorder.untilStatus('synced');
  await first.source.stop();
  const before = activeResources();

  for (let delayMs = 0; delayMs < 40; delayMs += 2) {
    const { source, recorder } = startSource(t, { endpoints: [etcd.url], timing: { checkMinMs: 1, checkMaxMs: 5 } });
    await pause(delayMs);
    const began = new Stopwatch();
    const stopped = source.stop();
    const reports = recorder.sets.length + recorder.states.length;
    await Promise.all([stopped, source.stop()]);
    assert.ok(began.ms() < 1_000);
    await untilResourcesAre(before, 1_000);
    assert.equal(recorder.sets.length + recorder.states.length, reports, 'reported after stop');
    await eventually(() => openSockets() <= sockets, 'every socket closed');
  }
});
