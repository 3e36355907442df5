import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { DIRECTORY, memberKey, startSource } from '../support/etcd-source.ts';
import { startEtcd, type EtcdNode } from '../support/etcd.ts';
import { startTcpCutter } from '../support/tcp-cutter.ts';
import { eventually } from '../support/wait.ts';

const CUTS = 200;
const NAMES = 40;

/** Puts and deletes members at random, one after the other, until told to stop. */
async function writeUntil({ api }: EtcdNode, stop: AbortSignal): Promise<number> {
  let writes = 0;
  while (!stop.aborted) {
    const key = memberKey(`10.0.0.${Math.floor(Math.random() * NAMES)}:6379`);
    await (Math.random() < 0.5 ? api.put(key) : api.remove(key));
    writes += 1;
  }
  return writes;
}

test(`${CUTS} cuts of the connection under continuous writes end with exactly etcd's set`, async (t) => {
  const etcd = await startEtcd(t);
  const cutter = await startTcpCutter(t, etcd.port);
  const { recorder } = startSource(t, {
    endpoints: [`http://127.0.0.1:${cutter.port}`],
    // Cuts come far quicker than a network would bring them.
    timing: { backoffMaxMs: 100 },
  });
  await recorder.untilStatus('synced');
  const writing = new AbortController();
  const writers = [1, 2].map(async () => writeUntil(etcd, writing.signal));
  for (let cut = 0; cut < CUTS; cut += 1) {
    // From the middle of connecting to well within a watch.
    await pause(Math.random() * 200);
    cutter.cut();
  }
  writing.abort();
  const writes = (await Promise.all(writers)).reduce((sum, count) => sum + count, 0);

  await eventually(() => cutter.open === 2, 'the two connections of one session, those of ended ones gone');
  await recorder.untilSet(await etcd.api.names(`${DIRECTORY}/`));
  await recorder.untilStatus('synced');
  const state = recorder.latest;
  assert.ok(state?.status === 'synced' && state.counters);
  const { sessions, mismatches, regressions } = state.counters;
  t.diagnostic(`${writes} writes, ${sessions} sessions, ${recorder.sets.length} sets`);
  assert.ok(sessions > CUTS / 4, `only ${sessions} sessions`);
  assert.deepEqual({ mismatches, regressions }, { mismatches: 0, regressions: 0 });
});
