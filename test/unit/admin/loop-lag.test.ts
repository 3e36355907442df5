import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { LoopLag } from '../../../src/admin/loop-lag.ts';
import { eventually } from '../../support/wait.ts';

const lag = new LoopLag();

before(() => lag.start());
after(() => lag.stop());

test('an event loop that has nothing to do is woken a few times a second', async () => {
  const wakeUps = () => process.resourceUsage().voluntaryContextSwitches;
  const wokenInASecond = async () => {
    const first = wakeUps();
    await delay(1_000);
    return wakeUps() - first;
  };
  await eventually(async () => (await wokenInASecond()) < 50, 'a second with fewer than 50 wake-ups', 20_000);
});

test('a pause is seen, whether the event loop was quiet before or not', async () => {
  const pauses = () => lag.buckets.counts.slice(2).reduce((sum, count) => sum + count, 0);
  for (const before of ['quiet', 'quiet a moment ago']) {
    const seen = pauses();
    block(25);
    await eventually(() => pauses() > seen, `a value of more than 9 ms; ${before}`);
  }
});

test('a second weighs about a hundred values', async () => {
  const [from, count] = [performance.now(), lag.buckets.count];
  await eventually(() => lag.buckets.count - count >= 400, '400 values', 20_000);
  const share = (lag.buckets.count - count) / ((performance.now() - from) / 10);
  assert.ok(share > 0.3 && share < 1.2, `${share} values for each 10 ms`);
});

function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}
