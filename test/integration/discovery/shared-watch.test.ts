import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAttache } from '../../support/attache.ts';
import { DIRECTORY, memberKey } from '../../support/etcd-source.ts';
import { startEtcd, type EtcdNode } from '../../support/etcd.ts';
import { ask, startNamed } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

/** How many watches etcd has. */
async function watches({ url }: EtcdNode): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^etcd_debugging_mvcc_watcher_total (\d+)$/m.exec(text)?.[1]);
}

test('services of one process that follow the same directory share one watch', async (t) => {
  const [etcd, first, second] = [await startEtcd(t), await startNamed(t, 'first'), await startNamed(t, 'second')];
  const before = await watches(etcd);
  await etcd.api.put(memberKey(`127.0.0.1:${first.port}`));
  await etcd.api.put(`/srv/other/127.0.0.1:${second.port}`);
  const shared = Object.fromEntries(
    ['A', 'B', 'C'].flatMap((name) => [
      [`SRC_${name}`, '127.0.0.1:0'],
      [`SRV_${name}`, DIRECTORY],
    ]),
  );
  const attache = startAttache(t, {
    env: { ...shared, BALANCE_B: 'round-robin', SRC_OTHER: '127.0.0.1:0', SRV_OTHER: '/srv/other', DSC: etcd.url },
  });
  const ports = await Promise.all(['a', 'b', 'c'].map((name) => attache.port(name)));
  await attache.line(({ msg }) => msg === 'discovery synced', 4);
  await eventually(async () => (await watches(etcd)) - before === 2, 'one watch for each directory');
  await etcd.api.remove(memberKey(`127.0.0.1:${first.port}`));
  await etcd.api.put(memberKey(`127.0.0.1:${second.port}`));
  for (const port of ports) await eventually(async () => (await ask(port)) === 'second', 'each follows');
  assert.equal((await watches(etcd)) - before, 2);
});
