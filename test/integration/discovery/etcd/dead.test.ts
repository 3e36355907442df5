import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAttache, type LogLine } from '../../../support/attache.ts';
import { cpuShare, smallShare } from '../../../support/cpu.ts';
import { DIRECTORY, memberKey } from '../../../support/etcd-source.ts';
import { startEtcd } from '../../../support/etcd.ts';
import { readyzThat } from '../../../support/readyz.ts';
import { ask, freePort, startNamed } from '../../../support/tcp.ts';

const isDiscovery = ({ msg }: LogLine) => msg?.startsWith('discovery ') === true;

test('promise 24: etcd dead: traffic goes on, /readyz, metrics and one line a change of state show it, CPU and log stay small', async (t) => {
  const [etcd, member, http] = [await startEtcd(t), await startNamed(t, 'member'), await freePort()];
  await etcd.api.put(memberKey(`127.0.0.1:${member.port}`));
  const attache = startAttache(t, {
    env: { SRC: '127.0.0.1:0', SRV: DIRECTORY, DSC: etcd.url, HTTP_ADDR: `127.0.0.1:${http}` },
  });
  const port = await attache.port();
  await readyzThat(http, ({ status }) => status === 200, 'ready');
  // Ready is behind the list; only the watch behind it makes the set synced.
  await attache.line(({ msg }) => msg === 'discovery synced');
  const fresh = await lastSuccess(http);

  await etcd.kill();
  const stale = await readyzThat(http, ({ services }) => services[0]?.discovery.status === 'stale', 'stale');
  assert.equal(stale.status, 200);
  const [service] = stale.services;
  assert.match(service?.discovery.error ?? '', /ECONNREFUSED|refused/);
  await attache.line(({ msg }) => msg === 'discovery stale');
  const lines = attache.lines.length;
  const small = smallShare();
  const share = await cpuShare({ pid: attache.child.pid, windowMs: 5_000, below: small });
  assert.ok(share < small, `CPU ${(share * 100).toFixed(2)}%`);
  assert.equal(attache.lines.length, lines, 'nothing more is said while it lasts');
  assert.equal(await ask(port), 'member');
  const later = await readyzThat(http, () => true, 'an answer');
  assert.ok((later.services[0]?.discovery.lastOkAgeMs ?? 0) >= 5_000, 'the age of the set');
  // The moment of the last success stands still, so that an alert sees how long ago it was.
  const stuck = await lastSuccess(http);
  assert.ok(stuck >= fresh && Date.now() / 1_000 - stuck >= 5, `last success ${stuck}`);

  await etcd.restart();
  await readyzThat(http, ({ services }) => services[0]?.discovery.status === 'synced', 'synced');
  assert.ok((await lastSuccess(http)) > stuck);
  await attache.line(({ msg }) => msg === 'discovery synced', 2);
  const states = attache.lines.filter(isDiscovery).map(({ msg }) => msg);
  assert.deepEqual(states, ['discovery synced', 'discovery stale', 'discovery synced']);
});

async function lastSuccess(http: number): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${http}/metrics`)).text();
  return Number(/^attache_discovery_last_success_timestamp_seconds\S* (\S+)$/m.exec(text)?.[1]);
}
