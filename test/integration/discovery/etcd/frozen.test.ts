import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { startAttache, type LogLine } from '../../../support/attache.ts';
import { cpuShare, smallShare } from '../../../support/cpu.ts';
import { DIRECTORY, memberKey, startSource } from '../../../support/etcd-source.ts';
import { startEtcd } from '../../../support/etcd.ts';
import { activeResources, untilResourcesAre } from '../../../support/resources.ts';
import { Stopwatch } from '../../../support/stopwatch.ts';
import { ask, startNamed } from '../../../support/tcp.ts';
import { eventually } from '../../../support/wait.ts';

test('promise 24: etcd frozen: the set stays, staleness shows within 15 s, and it heals', async (t) => {
  const etcd = await startEtcd(t);
  await etcd.api.put(memberKey('10.0.0.1:1'));
  const { recorder } = startSource(t, { endpoints: [etcd.url] });
  await recorder.untilStatus('synced');

  etcd.freeze();
  const frozen = new Stopwatch();
  await recorder.untilStatus('stale');
  assert.ok(frozen.ms() < 15_000);
  assert.deepEqual(recorder.sets, [['10.0.0.1:1']]);
  const reports = recorder.states.filter(({ status }) => status === 'stale').length;
  assert.ok(reports <= 3, `${reports} reports of one outage`);

  etcd.thaw();
  await recorder.untilStatus('synced');
  await etcd.api.put(memberKey('10.0.0.2:1'));
  await recorder.untilSet(['10.0.0.1:1', '10.0.0.2:1']);
});

test('stopping while etcd is frozen takes less than 1 s and leaves no socket and no timer', async (t) => {
  const etcd = await startEtcd(t);
  await etcd.api.put(memberKey('10.0.0.1:1'));
  const before = activeResources();
  // Re-reads all the time: one of them waits for its answer when the source is stopped.
  const timing = { checkMinMs: 1, checkMaxMs: 2, callMs: 60_000 };
  const { source, recorder } = startSource(t, { endpoints: [etcd.url], timing });
  await recorder.untilStatus('synced');
  etcd.freeze();
  await pause(50);

  const began = new Stopwatch();
  await source.stop();
  assert.ok(began.ms() < 1_000);
  const reports = recorder.states.length + recorder.sets.length;
  await untilResourcesAre(before, 1_000);
  etcd.thaw();
  await etcd.api.put(memberKey('10.0.0.2:1'));
  assert.equal(recorder.states.length + recorder.sets.length, reports, 'reported after stop');
});

const isStale = ({ msg }: LogLine) => msg === 'discovery stale';

test('promise 24: etcd frozen: the program carries to the last set, uses less than 2% CPU, and says so a few times', async (t) => {
  const etcd = await startEtcd(t);
  const member = await startNamed(t, 'member');
  await etcd.api.put(memberKey(`127.0.0.1:${member.port}`));
  const attache = startAttache(t, { env: { SRC: '127.0.0.1:0', SRV: DIRECTORY, DSC: etcd.url } });
  const port = await attache.port();
  await eventually(async () => (await ask(port)) === 'member', 'the member is known');
  etcd.freeze();
  await attache.line(isStale);
  // Longer than a try (1.5 s) and the longest wait between two (5 s).
  const small = smallShare();
  const share = await cpuShare({ pid: attache.child.pid, windowMs: 7_000, below: small });
  assert.ok(share < small, `CPU ${(share * 100).toFixed(2)}%`);
  assert.equal(await ask(port), 'member');
  assert.ok(attache.lines.filter(isStale).length <= 3, 'the log is bounded');
});
