import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { parse } from 'yaml';
import { runAttache, startAttache } from '../../support/attache.ts';
import { startDnsmasqHosts } from '../../support/dnsmasq-hosts.ts';
import { document, fencedBlocks } from '../../support/documents.ts';
import { local, recipe } from '../../support/recipe.ts';
import { RedisInline } from '../../support/redis-inline.ts';
import { PRIMARY, startSentinelWorld } from '../../support/sentinel.ts';
import { ask, startServer } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

const TIMEOUT = { timeout: 120_000 };
const page = document('docs/registries.md');

test('every recipe of the page is a configuration that attache takes', TIMEOUT, async (t) => {
  const names = [...page.text.matchAll(/^```sh registry (\S+)$/gm)].map(([, name = '']) => name);
  assert.deepEqual(names, ['sentinel', 'sentinel-replicas']);
  for (const name of names) {
    const { code, stderr } = await runAttache(t, { args: ['check'], env: recipe(page, `sh registry ${name}`) });
    assert.deepEqual([code, stderr], [0, ''], name);
  }
});

test(
  'a headless Service: Pods come and go, the Service is empty for a while, its name server restarts',
  TIMEOUT,
  async (t) => {
    const [block = ''] = fencedBlocks(page, 'yaml').filter((text) => text.includes('cluster.local'));
    const { env } = parse(block) as { readonly env: readonly { readonly name: string; readonly value: string }[] };
    const settings = Object.fromEntries(env.map(({ name, value }) => [name, value]));
    const { SRV = '' } = settings;
    const name = SRV.replace(/[.]:\d+$/, '');
    assert.equal(name, 'redis.prod.svc.cluster.local');
    const dns = await startDnsmasqHosts(t, name);
    const port = await startPods(t, ['127.0.0.21', '127.0.0.22', '127.0.0.23']);
    await dns.set(['127.0.0.21', '127.0.0.22']);
    const attache = startAttache(t, {
      env: local(settings, { SRV: `${name}.:${port}`, DSC: `dns://${dns.address}` }),
    });
    const listener = await attache.port();
    /** Who answers four connections. */
    const seen = async () => {
      const answers = await Promise.all([1, 2, 3, 4].map(() => ask(listener).catch(() => '')));
      return [...new Set(answers)].toSorted().join() || 'nobody';
    };
    const answer = (who: string) => eventually(async () => (await seen()) === who, who, 30_000);
    await answer('127.0.0.21,127.0.0.22');
    await dns.set(['127.0.0.22', '127.0.0.23']);
    await answer('127.0.0.22,127.0.0.23');
    // Believed when the same server says so again.
    await dns.set([]);
    await answer('nobody');
    await dns.set(['127.0.0.21']);
    await answer('127.0.0.21');
    await dns.kill();
    await attache.line(({ msg }) => msg === 'discovery stale');
    assert.equal(await seen(), '127.0.0.21', 'the last set stays');
    await dns.start();
    await dns.set(['127.0.0.23']);
    await answer('127.0.0.23');
  },
);

test(
  'Redis with Sentinel: writes go to the primary and reads to a replica, also after a failover',
  TIMEOUT,
  async (t) => {
    const world = await startSentinelWorld(t);
    const sentinels = world.sentinels.map(({ address }) => address).join();
    const env = local(recipe(page, 'sh registry sentinel-replicas'), { SRV: PRIMARY, DSC: `sentinel://${sentinels}` });
    const attache = startAttache(t, { env });
    const told = async (service: string, command: string): Promise<string> => {
      const redis = await RedisInline.connect(await attache.port(service));
      try {
        return await redis.words(command);
      } catch {
        return '';
      } finally {
        redis.close();
      }
    };
    const roleOf = async (service: string) => (await told(service, 'ROLE')).split('\n')[0];
    const isSettled = async () => (await roleOf('write')) === 'master' && (await roleOf('read')) === 'slave';
    await eventually(isSettled, 'both have their role', 30_000);
    assert.equal(await told('write', 'SET key first'), 'OK');
    await eventually(async () => (await told('read', 'GET key')) === 'first', 'the replica has it');
    await world.failover();
    await eventually(isSettled, 'both follow', 30_000);
    assert.equal(await told('write', 'SET key second'), 'OK');
  },
);

/** Servers of one port, each at an address of its own, that say it. */
async function startPods(t: TestContext, hosts: readonly string[]): Promise<number> {
  let port = 0;
  for (const host of hosts) {
    const server = await startServer(t, { host, port, onConnection: (socket) => socket.end(host) });
    ({ port } = server);
  }
  return port;
}
