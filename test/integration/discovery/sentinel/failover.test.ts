import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAttache } from '../../../support/attache.ts';
import { RedisInline } from '../../../support/redis-inline.ts';
import { followSentinels } from '../../../support/sentinel-source.ts';
import { PRIMARY, startSentinelWorld } from '../../../support/sentinel.ts';
import { eventually } from '../../../support/wait.ts';

const TIMEOUT = { timeout: 180_000 };
const FAILOVER_MS = 40_000;
/** No look of its own falls into a test: only news can tell. */
const NO_LOOK_MS = 600_000;

test(
  'the primary is the member; a failover by command is followed at the word of Sentinels, and the replicas with it',
  TIMEOUT,
  async (t) => {
    const world = await startSentinelWorld(t);
    const sentinels = world.sentinels.slice(0, 1).map(({ address }) => address);
    const primary = followSentinels(t, { sentinels, askMs: NO_LOOK_MS });
    const replicas = followSentinels(t, { sentinels, role: 'replicas', askMs: 2_000 });
    const [first, ...others] = world.servers.map(({ address }) => address);
    assert.ok(first !== undefined);
    await primary.holds([first]);
    await replicas.holds(others.toSorted());
    const second = `127.0.0.1:${await world.failover()}`;
    await primary.until('another primary', () => primary.current?.[0] !== first, FAILOVER_MS);
    assert.deepEqual(primary.sets, [[first], [second]]);
    const rest = world.servers.map(({ address }) => address).filter((address) => address !== second);
    await replicas.until('its replicas', () => replicas.current?.join() === rest.toSorted().join(), FAILOVER_MS);
  },
);

test(
  'a primary that is killed is replaced; a Sentinel that is killed or frozen does not matter',
  TIMEOUT,
  async (t) => {
    const world = await startSentinelWorld(t, { downAfterMs: 1_000 });
    const [one, two] = world.sentinels;
    const [first] = world.servers;
    assert.ok(one !== undefined && two !== undefined && first !== undefined);
    // The one that is named dies: those that it told of are asked.
    const seen = followSentinels(t, { sentinels: [one.address], askMs: 1_000 });
    await seen.holds([first.address]);
    await seen.nextLooks(3);
    await one.kill();
    await seen.nextLooks(3);
    assert.equal(seen.status, 'synced');
    await one.restart();
    two.freeze();
    await seen.nextLooks(3);
    assert.deepEqual([seen.status, seen.sets], ['synced', [[first.address]]]);
    two.thaw();
    await first.kill();
    await seen.until('another primary', () => seen.current?.[0] !== first.address, FAILOVER_MS);
    await eventually(async () => seen.current?.[0] === `127.0.0.1:${await world.primaryPort(two)}`, 'all agree');
  },
);

test('the program: one service writes to the primary, another reads from its replicas', TIMEOUT, async (t) => {
  const world = await startSentinelWorld(t);
  const attache = startAttache(t, {
    env: {
      ...{ SRC_W: '127.0.0.1:0', SRV_W: PRIMARY, SRC_R: '127.0.0.1:0', SRV_R: PRIMARY, SENTINEL_ROLE_R: 'replicas' },
      DSC: `sentinel://${world.sentinels.map(({ address }) => address).join()}`,
    },
  });
  const [w, r] = [await attache.port('w'), await attache.port('r')];
  const roleAt = async (port: number) => {
    const redis = await RedisInline.connect(port);
    try {
      const [role] = (await redis.words('ROLE')).split('\n');
      return role;
    } catch {
      return undefined;
    } finally {
      redis.close();
    }
  };
  const isSettled = async () => (await roleAt(w)) === 'master' && (await roleAt(r)) === 'slave';
  await eventually(isSettled, 'a primary and a replica', FAILOVER_MS);
  await world.failover();
  await eventually(isSettled, 'both follow', FAILOVER_MS);
});
