import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis as Client } from 'ioredis';
import { startAttache, type LogLine } from '../../support/attache.ts';
import { startEtcd } from '../../support/etcd.ts';
import { startRedis } from '../../support/redis.ts';
import { Stopwatch } from '../../support/stopwatch.ts';

const DIRECTORY = '/srv/redis/debug';
const GAP_MS = 3_000;
const key = (port: number) => `${DIRECTORY}/127.0.0.1:${port}`;

test('promise 18: deregister the primary, 3 s later register the new one: ioredis sees a pause, no failed connection', async (t) => {
  const etcd = await startEtcd(t);
  const [blue, green] = [await startRedis(t, 'blue'), await startRedis(t, 'green')];
  await etcd.api.put(key(blue.port));
  const attache = startAttache(t, {
    env: { SRC: '127.0.0.1:0', SRV: DIRECTORY, DSC: etcd.url, HOLD_TIMEOUT: '30s' },
  });
  const port = await attache.port();
  const setOf = (count: number) => (line: LogLine) => line.msg === 'candidates changed' && line['candidates'] === count;
  await attache.line(setOf(1));

  const events: string[] = [];
  const client = new Client({ port, host: '127.0.0.1', retryStrategy: () => 20, maxRetriesPerRequest: null });
  t.after(() => client.disconnect());
  client.on('error', (error: NodeJS.ErrnoException) => events.push(error.code ?? error.message));
  client.on('connect', () => events.push('connect'));
  client.on('close', () => events.push('close'));
  assert.equal(await client.get('name'), 'blue');

  // The app goes on asking all the time.
  const answers: (string | null)[] = [];
  let longestMs = 0;
  const over = new AbortController();
  const watch = new Stopwatch();
  const app = (async () => {
    while (!over.signal.aborted) {
      const asked = performance.now();
      answers.push(await client.get('name'));
      longestMs = Math.max(longestMs, performance.now() - asked);
      await pause(5);
    }
  })();
  await etcd.api.remove(key(blue.port));
  await attache.line(setOf(0));
  await blue.kill();
  await pause(GAP_MS);
  await etcd.api.put(key(green.port));
  assert.equal(await client.get('name'), 'green');
  over.abort();
  await app;

  assert.deepEqual(new Set(answers), new Set(['blue', 'green']));
  assert.ok(
    longestMs >= GAP_MS - 500 && longestMs - watch.lostMs() < GAP_MS + 2_000,
    `one command took ${longestMs} ms`,
  );
  // The reset that tells of the change, and then one connection that waits and is answered: none that fails.
  assert.deepEqual(
    events.filter((event) => event !== 'ECONNRESET'),
    ['connect', 'close', 'connect'],
  );
  assert.ok(events.filter((event) => event === 'ECONNRESET').length <= 1, events.join());
  await attache.line((line) => line.msg === 'holding clients: no candidate answers');
  await attache.line((line) => line.msg === 'no clients held any more');
});

test('promise 18: a new client library that connects during the gap waits, too', async (t) => {
  const etcd = await startEtcd(t);
  const redis = await startRedis(t, 'here');
  const attache = startAttache(t, {
    env: { SRC: '127.0.0.1:0', SRV: DIRECTORY, DSC: etcd.url, HOLD_TIMEOUT: '30s' },
  });
  const errors: Error[] = [];
  const client = new Client({ port: await attache.port(), host: '127.0.0.1', retryStrategy: null });
  t.after(() => client.disconnect());
  client.on('error', (error) => errors.push(error));
  const answer = client.get('name');
  await attache.line((line) => line.msg === 'holding clients: no candidate answers');
  await etcd.api.put(key(redis.port));
  assert.equal(await answer, 'here');
  assert.deepEqual(errors, []);
});
