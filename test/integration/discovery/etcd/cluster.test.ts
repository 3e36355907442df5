import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memberKey, startSource } from '../../../support/etcd-source.ts';
import { startEtcdCluster, type EtcdNode } from '../../../support/etcd.ts';
import { Stopwatch } from '../../../support/stopwatch.ts';

async function leaderOf(nodes: readonly EtcdNode[]): Promise<EtcdNode> {
  const statuses = await Promise.all(
    nodes.map(async (node) => {
      const status = await node.api.call('maintenance/status', {});
      return status as { leader: string; header: { member_id: string } };
    }),
  );
  const leader = nodes.find((_, index) => statuses[index]?.header.member_id === statuses[index]?.leader);
  if (leader === undefined) throw new Error('the cluster has no leader');
  return leader;
}

test('promise 25: three members, the leader killed: the set goes on following etcd, without a false change', async (t) => {
  const nodes = await startEtcdCluster(t, 3);
  const leader = await leaderOf(nodes);
  const others = nodes.filter((node) => node !== leader);
  await leader.api.put(memberKey('10.0.0.1:1'));
  // With random at 0 the first endpoint is asked first: the leader carries the watch.
  const endpoints = [leader, ...others].map(({ url }) => url);
  const { recorder } = startSource(t, { endpoints, random: () => 0 });
  await recorder.untilStatus('synced');

  await leader.kill();
  const [survivor] = others;
  assert.ok(survivor);
  // A write fails until the others have elected a leader.
  for (let done = false; !done;) {
    done = await survivor.api.put(memberKey('10.0.0.2:1')).then(
      () => true,
      () => false,
    );
  }
  await recorder.untilSet(['10.0.0.1:1', '10.0.0.2:1']);
  await recorder.untilStatus('synced');
  assert.equal(recorder.sets.length, 2);
});

test('promise 24: quorum lost: seen as stale although the watched member lives, and healed when it is back', async (t) => {
  const nodes = await startEtcdCluster(t, 3);
  const [watched, second, third] = nodes;
  assert.ok(watched && second && third);
  await watched.api.put(memberKey('10.0.0.1:1'));
  // No re-read within the test: it would find out too.
  const timing = { checkMinMs: 60_000, checkMaxMs: 60_000 };
  const { recorder } = startSource(t, { endpoints: [watched.url], timing });
  await recorder.untilStatus('synced');

  await Promise.all([second.kill(), third.kill()]);
  const lost = new Stopwatch();
  await recorder.untilStatus('stale');
  assert.ok(lost.ms() < 15_000);
  assert.deepEqual(recorder.sets, [['10.0.0.1:1']]);

  await second.restart();
  await recorder.untilStatus('synced');
  assert.deepEqual(recorder.sets, [['10.0.0.1:1']]);
});
