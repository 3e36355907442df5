import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { memberKey, startSource } from '../../../support/etcd-source.ts';
import { startEtcd } from '../../../support/etcd.ts';
import { startFaultProxy } from '../../../support/fault-proxy.ts';
import { eventually } from '../../../support/wait.ts';

/** grpc-js waits this long at most, jitter included, before it connects again by itself. */
const GRPC_RECONNECT_MS = 1_200;

// In the order of a session: 0 asks whether the endpoint speaks, 1 carries the lists, 2 the watch.
for (const connection of [0, 1, 2]) {
  test(`connection ${connection} of a session reset while it opens: synced all the same, and none left over`, async (t) => {
    const etcd = await startEtcd(t);
    await etcd.api.put(memberKey('10.0.0.1:1'));
    const proxy = await startFaultProxy(t, etcd.port);
    proxy.resetNth(connection);
    const { source, recorder } = startSource(t, { endpoints: [`http://127.0.0.1:${proxy.port}`] });
    await recorder.untilStatus('synced');
    await etcd.api.put(memberKey('10.0.0.2:1'));
    await recorder.untilSet(['10.0.0.1:1', '10.0.0.2:1']);

    // Nothing announces that a connection will not be opened: there is only waiting for when it would have been.
    await pause(GRPC_RECONNECT_MS + 100);
    assert.equal(proxy.open, 2);
    await source.stop();
    await eventually(() => proxy.open === 0, 'every connection closed');
  });
}
