import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';
import { startAttache, type Attache } from '../../support/attache.ts';
import { RedisInline } from '../../support/redis-inline.ts';
import { startRedisWriter, type RedisWriter } from '../../support/redis-writer.ts';
import { startSentinelWorld, type SentinelRedis, type SentinelWorld } from '../../support/sentinel.ts';
import { Stopwatch } from '../../support/stopwatch.ts';
import { eventually } from '../../support/wait.ts';

const TIMEOUT = { timeout: 120_000 };
/** From the promotion to the first write, at the default interval. */
const PROMISED_MS = 1_000;

interface Scenario {
  readonly world: SentinelWorld;
  readonly attache: Attache;
  readonly writer: RedisWriter;
  readonly old: SentinelRedis;
}

/** An app writes through attache to whoever leads, with nothing but the three addresses and the check. */
async function begin(t: TestContext, downAfterMs = 500): Promise<Scenario> {
  const world = await startSentinelWorld(t, { downAfterMs });
  const attache = startAttache(t, {
    env: {
      SRC: '127.0.0.1:0',
      DST: world.servers.map(({ port }) => `127.0.0.1:${port}`).join(),
      HEALTH_CHECK: 'redis-primary',
      HOLD_TIMEOUT: '15s',
    },
  });
  const writer = startRedisWriter(t, await attache.port(), { replicas: 2 });
  await eventually(() => writer.acknowledged.length >= 50, 'the app writes');
  const primary = await world.primaryPort();
  const old = world.servers.find(({ port }) => port === primary);
  assert.ok(old);
  return { world, attache, writer, old };
}

/** When another server than `old` first said that it is the primary, and a watch that begins then. */
interface Promotion {
  readonly atMs: number;
  readonly watch: Stopwatch;
  readonly port: number;
}

/** Each server is asked every few milliseconds. */
async function promotion({ world, old }: Scenario): Promise<Promotion> {
  const others = world.servers.filter((server) => server !== old);
  const deadline = performance.now() + 40_000;
  while (performance.now() < deadline) {
    const roles = await Promise.all(others.map((server) => server.role()));
    const place = roles.indexOf('master');
    if (place !== -1) return { atMs: performance.now(), watch: new Stopwatch(), port: others[place]?.port ?? 0 };
    await pause(5);
  }
  throw new Error('nobody was promoted');
}

/** What is owed whatever the scenario is. */
async function settled(t: TestContext, scenario: Scenario, promoted: Promotion): Promise<void> {
  const { attache, writer } = scenario;
  const seen = await attache.line(
    ({ msg, candidate }) => msg === 'candidate healthy' && candidate === `127.0.0.1:${promoted.port}`,
  );
  assert.equal(seen['before'], 'unhealthy');
  // Until the old one is known to lead no more it is kept: a split cannot be told from a failover.
  const lost = await attache.line(
    ({ msg, candidate }) => msg === 'candidate unhealthy' && candidate === `127.0.0.1:${scenario.old.port}`,
  );
  const after = (list: RedisWriter['written']) => list.filter(({ atMs }) => atMs > promoted.atMs);
  await eventually(() => after(writer.acknowledged).length >= 100, 'the app goes on writing', 30_000);
  await writer.stop();
  const firstMs = (after(writer.written)[0]?.atMs ?? Infinity) - promoted.atMs;
  const seenMs = Math.max(...[seen, lost].map(({ time }) => Date.parse(String(time)))) - performance.timeOrigin;
  const { written, acknowledged, refusals } = writer;
  t.diagnostic(`first write ${Math.round(firstMs)} ms after the promotion; ${refusals.length} refusals`);
  assert.ok(firstMs - promoted.watch.lostMs() < PROMISED_MS, `the first write came ${firstMs} ms after the promotion`);
  // What is on its way when the line is written may still be answered.
  assert.deepEqual(
    refusals.filter(({ atMs }) => atMs > seenMs + 100),
    [],
    'nobody is refused once the change was seen',
  );
  const redis = await RedisInline.connect(promoted.port);
  const missing: number[] = [];
  for (const { n } of acknowledged) if ((await redis.words(`EXISTS w:${n}`)) !== '1') missing.push(n);
  redis.close();
  assert.deepEqual(missing, [], `of ${acknowledged.length} acknowledged writes and ${written.length} in all`);
}

test('Redis with Sentinel: the primary is killed', TIMEOUT, async (t) => {
  const scenario = await begin(t);
  const changing = promotion(scenario);
  await scenario.old.kill();
  scenario.writer.replicas = 1;
  await settled(t, scenario, await changing);
});

test('Redis with Sentinel: the primary is paused, and wakes up when another leads', TIMEOUT, async (t) => {
  // No longer silent than this: a check has failed by then, and everybody is asked often.
  const scenario = await begin(t, 4_000);
  const changing = promotion(scenario);
  scenario.old.freeze();
  scenario.writer.replicas = 1;
  const promoted = await changing;
  await settled(t, scenario, promoted);
  scenario.old.thaw();
  // For a moment it takes itself for the primary still.
  const writer = startRedisWriter(t, await scenario.attache.port(), { replicas: 1 });
  await eventually(async () => (await scenario.old.role()) === 'slave', 'the Sentinels have demoted it', 30_000);
  await eventually(() => writer.acknowledged.length >= 100, 'the app writes');
  await writer.stop();
  assert.deepEqual([writer.refusals, writer.connections()], [[], 1], 'nothing was noticed of it');
});

test('Redis with Sentinel: the primary is demoted by SENTINEL FAILOVER', TIMEOUT, async (t) => {
  const scenario = await begin(t);
  const changing = promotion(scenario);
  assert.equal(await scenario.world.sentinel('SENTINEL FAILOVER main'), 'OK');
  await settled(t, scenario, await changing);
});
