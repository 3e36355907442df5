import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runAttache, startAttache } from '../../support/attache.ts';
import { document } from '../../support/documents.ts';
import { local, recipe } from '../../support/recipe.ts';
import { RedisInline } from '../../support/redis-inline.ts';
import { startSentinelWorld } from '../../support/sentinel.ts';
import { eventually } from '../../support/wait.ts';

const TIMEOUT = { timeout: 120_000 };
const page = document('docs/health-checks.md');

test('every recipe of the page is a configuration that attache takes', TIMEOUT, async (t) => {
  const names = [...page.text.matchAll(/^```sh health (\S+)$/gm)].map(([, name = '']) => name);
  assert.ok(names.length >= 5);
  for (const name of names) {
    const { code, stdout, stderr } = await runAttache(t, { args: ['check'], env: recipe(page, `sh health ${name}`) });
    assert.deepEqual([code, stderr], [0, ''], name);
    assert.match(stdout, /health_check +(?!off)/);
  }
});

test(
  'Redis with Sentinel: writes go to the primary and reads to a replica, also after a failover',
  TIMEOUT,
  async (t) => {
    const world = await startSentinelWorld(t);
    const servers = world.servers.map(({ port }) => `127.0.0.1:${port}`);
    const attache = startAttache(t, { env: local(recipe(page, 'sh health redis-replicas'), { DST: servers.join() }) });
    const ask = async (service: string, command: string): Promise<string> => {
      const redis = await RedisInline.connect(await attache.port(service));
      try {
        return await redis.words(command);
      } finally {
        redis.close();
      }
    };
    const roleOf = (service: string) =>
      ask(service, 'ROLE').then(
        (answer) => answer.split('\n')[0],
        () => undefined,
      );
    assert.equal(await ask('write', 'SET key first'), 'OK');
    assert.deepEqual([await roleOf('write'), await roleOf('read')], ['master', 'slave']);
    await eventually(async () => (await ask('read', 'GET key')) === 'first', 'the replica has it');
    const before = await world.primaryPort();
    assert.equal(await world.sentinel('SENTINEL FAILOVER main'), 'OK');
    await eventually(async () => (await world.primaryPort()) !== before, 'another leads', 40_000);
    const isSettled = async () => (await roleOf('write')) === 'master' && (await roleOf('read')) === 'slave';
    await eventually(isSettled, 'both follow', 30_000);
    assert.equal(await ask('write', 'SET key second'), 'OK');
  },
);
