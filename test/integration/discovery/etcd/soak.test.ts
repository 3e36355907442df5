import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { DIRECTORY, memberKey, startSource } from '../../../support/etcd-source.ts';
import { startEtcd, type EtcdNode } from '../../../support/etcd.ts';
import { openSockets } from '../../../support/resources.ts';
import { startFaultProxy } from '../../../support/fault-proxy.ts';
import { eventually } from '../../../support/wait.ts';

const ROUNDS = 4;
const CUTS_A_ROUND = 50;
/** How long a member stays, counted in members that its writer adds after it. */
const LIFETIME = 20;

/**
 * Adds members and takes each away again, every name once: an event that gets lost is not made good by a later one.
 *
 * @param writer its own range of names
 * @returns how much was written
 */
async function writeUntil({ api }: EtcdNode, writer: number, stop: AbortSignal): Promise<number> {
  const key = (n: number) => memberKey(`10.${writer}.${n >> 8}.${n & 255}:6379`);
  let n = 0;
  while (!stop.aborted) {
    await api.put(key(n));
    if (n >= LIFETIME) await api.remove(key(n - LIFETIME));
    n += 1;
  }
  return n;
}

test('promise 25: 200 cuts of the connection under continuous writes end with exactly the set that etcd holds', async (t) => {
  const etcd = await startEtcd(t);
  const proxy = await startFaultProxy(t, etcd.port);
  const sockets = openSockets();
  const { source, recorder } = startSource(t, {
    endpoints: [`http://127.0.0.1:${proxy.port}`],
    // Cuts come far quicker than a network would bring them. And no re-read: the watch has to be exact by itself.
    timing: { backoffMaxMs: 100, checkMinMs: 600_000, checkMaxMs: 600_000 },
  });
  await recorder.untilStatus('synced');
  let members = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const writing = new AbortController();
    const writers = [0, 1].map(async (writer) => writeUntil(etcd, 2 * round + writer, writing.signal));
    for (let cut = 0; cut < CUTS_A_ROUND; cut += 1) {
      // From the middle of connecting to well within a watch.
      await pause(Math.random() * 200);
      proxy.resetAll();
    }
    // The writes go on over the beginning of the last session: what falls between its list and its watch counts.
    const reported = recorder.sets.length;
    await recorder.until('changes seen by that session', () => recorder.sets.length >= reported + 20);
    writing.abort();
    for (const count of await Promise.all(writers)) members += count;
    await recorder.untilSet(await etcd.api.names(`${DIRECTORY}/`));
  }

  await recorder.untilStatus('synced');
  const state = recorder.latest;
  assert.ok(state?.status === 'synced' && state.counters);
  const { sessions, mismatches, regressions } = state.counters;
  t.diagnostic(`${members} members came and went, ${sessions} sessions, ${recorder.sets.length} sets`);
  assert.ok(sessions > (ROUNDS * CUTS_A_ROUND) / 4, `only ${sessions} sessions`);
  assert.deepEqual({ mismatches, regressions }, { mismatches: 0, regressions: 0 });
  assert.deepEqual(recorder.ignoredKeys, []);

  await source.stop();
  await eventually(() => proxy.open === 0 && openSockets() <= sockets, 'every connection closed');
});
