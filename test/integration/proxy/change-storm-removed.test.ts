import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Stopwatch } from '../../support/stopwatch.ts';
import { closedFor, startStorm, timeOf } from '../../support/storm.ts';
import { eventually } from '../../support/wait.ts';

test('promise 20: half of the members leave under 5,000 connections: reset-removed ends those alone, evenly over RESET_JITTER', async (t) => {
  const storm = await startStorm(t, { ON_CHANGE: 'reset-removed', RESET_JITTER: '10s' });
  const { attache, connections, leaving } = storm;
  const half = connections / 2;
  const watch = new Stopwatch();
  const from = await storm.halfLeaves();
  const resets = () => closedFor(attache, 'membership_changed');
  await eventually(() => resets().length >= half, `${half} resets`, 20_000);

  assert.equal(await storm.probe(), half);
  const ended = attache.lines.filter(({ msg }) => msg === 'connection closed');
  assert.equal(ended.length, half);
  const removed = new Set<unknown>(leaving);
  assert.ok(ended.every(({ candidate }) => removed.has(candidate)));

  const times = resets().map((line) => timeOf(line) - from);
  const last = Math.max(...times);
  assert.ok(last - watch.lostMs() <= 11_500, `the last after ${last} ms`);
  const perSecond = Array.from({ length: 10 }, (_, second) => {
    const within = times.filter((ms) => Math.min(9, Math.floor(ms / 1_000)) === second);
    return within.length / half;
  });
  t.diagnostic(`share of each second: ${perSecond.map((share) => share.toFixed(3)).join(' ')}, last after ${last} ms`);
  // Each reset has a slot of its own, so there is no chance in it; what is left is a machine that was busy elsewhere.
  for (const share of perSecond) assert.ok(share >= 0.06 && share <= 0.14, `shares ${perSecond.join(' ')}`);
});
