import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Redis as Client } from 'ioredis';
import { startAttache, type LogLine } from '../../support/attache.ts';
import { startEtcd } from '../../support/etcd.ts';
import { startRedis } from '../../support/redis.ts';
import { Stopwatch } from '../../support/stopwatch.ts';
import { ask, freePort } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

const DIRECTORY = '/srv/redis/debug';
const key = (port: number) => `${DIRECTORY}/127.0.0.1:${port}`;

const hasCandidates = (count: number) => (line: LogLine) =>
  line.msg === 'candidates changed' && line['candidates'] === count;

function redisClient(port: number): Client {
  const client = new Client({ port, host: '127.0.0.1', retryStrategy: () => 20, maxRetriesPerRequest: null });
  client.on('error', () => undefined);
  return client;
}

test('the main job: a Redis client follows its backend through etcd while its own address stays the same', async (t) => {
  const etcd = await startEtcd(t);
  const [blue, green] = [await startRedis(t, 'blue'), await startRedis(t, 'green')];
  await etcd.api.put(key(blue.port));
  const attache = startAttache(t, { env: { SRC: '127.0.0.1:0', SRV: DIRECTORY, DSC: etcd.url } });
  const client = redisClient(await attache.port());
  t.after(() => client.disconnect());
  await attache.line(hasCandidates(1));
  await eventually(async () => (await client.get('name')) === 'blue', 'blue answers');

  await etcd.api.transact({ put: [key(green.port)], remove: [key(blue.port)] });
  await eventually(async () => (await client.get('name')) === 'green', 'green answers the same client', 4_000);
  const closed = attache.lines.filter((line) => line.msg === 'connection closed');
  assert.ok(closed.some((line) => line['reason'] === 'membership_changed'));
});

test('promise 19: with etcd down at start the process is up, says why, and heals by itself', async (t) => {
  const etcd = await startEtcd(t);
  const redis = await startRedis(t, 'here');
  await etcd.api.put(key(redis.port));
  await etcd.kill();
  const attache = startAttache(t, { env: { SRC: '127.0.0.1:0', SRV: DIRECTORY, DSC: etcd.url } });
  const port = await attache.port();
  const complaint = await attache.line((line) => line.msg === 'discovery starting' && line['error'] !== undefined);
  assert.equal(complaint['service'], 'default');
  assert.equal(await ask(port), '', 'closed at once: there is no candidate');
  await etcd.restart();
  const back = new Stopwatch();
  await attache.line(hasCandidates(1));
  assert.ok(back.ms() < 2_000 + 1_000, 'within two seconds, and slack for the machine');
  const client = redisClient(port);
  t.after(() => client.disconnect());
  assert.equal(await client.get('name'), 'here');
});

test('promise 24: etcd killed, established and new connections go on with the last set', async (t) => {
  const etcd = await startEtcd(t);
  const redis = await startRedis(t, 'steady');
  await etcd.api.put(key(redis.port));
  const attache = startAttache(t, { env: { SRC: '127.0.0.1:0', SRV: DIRECTORY, DSC: etcd.url } });
  const port = await attache.port();
  await attache.line(hasCandidates(1));
  // Behind its list: only then the watch is up, and only then the kill makes it stale.
  await attache.line((line) => line.msg === 'discovery synced');
  const before = redisClient(port);
  t.after(() => before.disconnect());
  assert.equal(await before.get('name'), 'steady');
  await etcd.kill();
  await attache.line((line) => line.msg === 'discovery stale');
  assert.equal(await before.get('name'), 'steady');
  const after = redisClient(port);
  t.after(() => after.disconnect());
  assert.equal(await after.get('name'), 'steady');
  assert.equal(attache.lines.filter((line) => line.msg === 'discovery stale').length, 1);
  await etcd.restart();
  await attache.line((line) => line.msg === 'discovery synced', 2);
  assert.equal(attache.lines.filter((line) => line.msg === 'connections reset').length, 0);
});

test('promise 12 with real Redis: kill -9 of the first brings the second, its return brings the first back', async (t) => {
  const [first, second] = [await startRedis(t, 'first'), await startRedis(t, 'second')];
  const attache = startAttache(t, {
    env: { SRC: '127.0.0.1:0', DST: `127.0.0.1:${first.port},127.0.0.1:${second.port}` },
  });
  const client = redisClient(await attache.port());
  t.after(() => client.disconnect());
  assert.equal(await client.get('name'), 'first');
  await first.kill();
  await eventually(async () => (await client.get('name')) === 'second', 'the second answers');
});

test('cluster mode over etcd: each listener keeps to its own Redis, in the order of the keys', async (t) => {
  const etcd = await startEtcd(t);
  const nodes = [await startRedis(t, 'a'), await startRedis(t, 'b')].sort((x, y) =>
    String(x.port) < String(y.port) ? -1 : 1,
  );
  for (const { port } of nodes) await etcd.api.put(key(port));
  const sources = [await freePort(), await freePort()];
  const attache = startAttache(t, {
    env: { SRC: sources.map((port) => `127.0.0.1:${port}`).join(','), SRV: DIRECTORY, DSC: etcd.url },
  });
  for (const [index, node] of nodes.entries()) {
    const throughAttache = redisClient(await attache.port('default', index));
    const direct = redisClient(node.port);
    t.after(() => {
      throughAttache.disconnect();
      direct.disconnect();
    });
    for (let i = 0; i < 3; i += 1) assert.equal(await throughAttache.get('name'), await direct.get('name'));
  }
});
