import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { echoed, startLoadedProgram } from '../support/load.ts';

const PER_SECOND = 2_000;
const SECONDS = 20;
/** More than this under way means that the machine does not keep up: then the rate is lower, and reported. */
const MOST_UNDER_WAY = 500;

test('promise 9: 2,000 new connections a second for 20 s: none fails and no descriptor is left', async (t) => {
  const program = await startLoadedProgram(t);
  const failures: unknown[] = [];
  let [begun, underWay] = [0, 0];
  const one = async () => {
    underWay += 1;
    try {
      const client = await program.join();
      await echoed(client);
      client.end();
      if (!client.closed) await once(client.resume(), 'close', { signal: AbortSignal.timeout(20_000) });
    } catch (error) {
      failures.push(error);
    } finally {
      underWay -= 1;
    }
  };
  const all: Promise<void>[] = [];
  const started = performance.now();
  const elapsed = () => (performance.now() - started) / 1_000;
  while (elapsed() < SECONDS) {
    while (begun < elapsed() * PER_SECOND && underWay < MOST_UNDER_WAY) {
      begun += 1;
      all.push(one());
    }
    await pause(5);
  }
  await Promise.all(all);
  t.diagnostic(`${(begun / elapsed()).toFixed(0)} connections a second of ${PER_SECOND} wanted, ${begun} in all`);
  assert.deepEqual(failures.slice(0, 3), []);
  await program.settled();
});
