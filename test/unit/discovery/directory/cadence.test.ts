import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cadence } from '../../../../src/discovery/directory/cadence.ts';

const OPTIONS = { quietMs: 20, burstMs: 200 };

async function timed(wait: Promise<void>): Promise<number> {
  const since = performance.now();
  await wait;
  return performance.now() - since;
}

test('a wait nobody nudges lasts as long as asked', async () => {
  assert.ok((await timed(new Cadence(OPTIONS).wait(60))) >= 59);
});

test('a nudged wait ends after the quiet time, long before it was due', async () => {
  const cadence = new Cadence(OPTIONS);
  const wait = timed(cadence.wait(60_000));
  cadence.nudge();
  const took = await wait;
  assert.ok(took >= 19 && took < 30_000, `${took} ms`);
});

test('a nudge between two waits counts for the next', async () => {
  const cadence = new Cadence(OPTIONS);
  cadence.nudge();
  assert.ok((await timed(cadence.wait(60_000))) < 30_000);
});

test('nudges without pause cannot put the end off beyond the burst time', async () => {
  const cadence = new Cadence(OPTIONS);
  const noise = setInterval(() => cadence.nudge(), 2);
  const took = await timed(cadence.wait(60_000));
  clearInterval(noise);
  assert.ok(took < 30_000, `${took} ms`);
});

test('an ended cadence ends the wait under way and makes every later one end at once', async () => {
  const cadence = new Cadence(OPTIONS);
  const wait = cadence.wait(60_000);
  cadence.end();
  await wait;
  await cadence.wait(60_000);
  cadence.nudge();
});
