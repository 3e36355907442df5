import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memberKey, startSource } from '../../../support/etcd-source.ts';
import { startEtcd, startEtcdCluster } from '../../../support/etcd.ts';
import { reservePorts } from '../../../support/ports.ts';
import { Stopwatch } from '../../../support/stopwatch.ts';
import { eventually } from '../../../support/wait.ts';

test('promise 19: one of three endpoints down at start: synced within 2 s, whichever it is', async (t) => {
  const nodes = await startEtcdCluster(t, 3);
  await nodes[0]?.api.put(memberKey('10.0.0.1:1'));
  await nodes[2]?.kill();
  for (const first of [0, 1, 2]) {
    const began = new Stopwatch();
    const random = () => first / 3;
    const { recorder } = startSource(t, { endpoints: nodes.map(({ url }) => url), random });
    await recorder.untilStatus('synced');
    assert.ok(began.ms() < 2_000, `from endpoint ${first}`);
    assert.deepEqual(recorder.sets, [['10.0.0.1:1']]);
  }
});

test('promise 19: a name that cannot be resolved among the endpoints: the others serve', async (t) => {
  const etcd = await startEtcd(t);
  await etcd.api.put(memberKey('10.0.0.1:1'));
  const { recorder } = startSource(t, { endpoints: ['http://no-such-name.invalid:2379', etcd.url], random: () => 0 });
  await recorder.untilStatus('starting', { error: /^(ENOTFOUND|EAI_AGAIN|TIMEOUT): no-such-name\.invalid:2379 / });
  await recorder.untilSet(['10.0.0.1:1']);
  await recorder.untilStatus('synced');
});

test('endpoints that fail in different ways, in turn, are reported once each', async (t) => {
  const reserved = await reservePorts(1);
  await reserved.release();
  const endpoints = [`http://127.0.0.1:${reserved.ports[0] ?? 0}`, 'http://no-such-name.invalid:2379'];
  let rounds = 0;
  const random = () => {
    rounds += 1;
    return 0;
  };
  const { recorder } = startSource(t, { endpoints, random });
  await recorder.until('both', () => recorder.states.length >= 2);
  const round = rounds;
  await eventually(() => rounds >= round + 10, 'ten more rounds');
  const classes = recorder.states.map((state) => JSON.stringify(state).replace(/.*"error":"(\w+).*/, '$1'));
  assert.equal(new Set(classes).size, classes.length, classes.join());
});
