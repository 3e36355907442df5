import assert from 'node:assert/strict';
import { mock, test, type TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { EmptySurvey } from '../../../src/discovery/source.ts';
import { EmptyWatch } from '../../../src/proxy/empty-watch.ts';

const SURVEY: EmptySurvey = { directory: '/srv/a', nearest: undefined };

/** A watch whose time only the test moves on. */
function watched(t: TestContext, survey: () => Promise<EmptySurvey | undefined>) {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => mock.timers.reset());
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  const reports: number[] = [];
  const watch = new EmptyWatch({ source: { survey }, report: () => reports.push(now) });
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= 500) {
      now += 500;
      mock.timers.tick(500);
      await setImmediate();
    }
  };
  return { watch, reports, pass };
}

test('a set that stays empty is reported after a second, then once a minute', async (t) => {
  const { watch, reports, pass } = watched(t, () => Promise.resolve(SURVEY));
  watch.changed(true);
  await pass(130_000);
  assert.deepEqual(reports, [1_000, 61_000, 121_000]);
});

test('a set that is empty for a moment is not reported', async (t) => {
  const { watch, reports, pass } = watched(t, () => Promise.resolve(SURVEY));
  watch.changed(true);
  await pass(500);
  watch.changed(false);
  await pass(120_000);
  assert.deepEqual(reports, []);
});

test('a set that is empty by turns is reported once a minute at most', async (t) => {
  const { watch, reports, pass } = watched(t, () => Promise.resolve(SURVEY));
  for (let i = 0; i < 30; i++) {
    watch.changed(true);
    watch.changed(true);
    await pass(2_000);
    watch.changed(false);
    await pass(1_000);
  }
  assert.equal(reports.length, 2);
  assert.ok((reports[1] ?? 0) - (reports[0] ?? 0) >= 60_000);
});

test('a survey that hangs or fails delays nothing, and is asked anew once a minute, one at a time', async (t) => {
  let asked = 0;
  const { watch, reports, pass } = watched(t, () => {
    asked += 1;
    return asked === 1 ? Promise.reject(new Error('no')) : new Promise(() => undefined);
  });
  watch.changed(true);
  await pass(240_000);
  assert.deepEqual([asked, reports.length], [2, 0]);
});

test('nothing is reported for a set that is full again when the survey answers, nor after the end', async (t) => {
  let answer: ((survey: EmptySurvey) => void) | undefined;
  const { watch, reports, pass } = watched(t, () => new Promise((resolve) => (answer = resolve)));
  watch.changed(true);
  await pass(1_000);
  watch.changed(false);
  answer?.(SURVEY);
  await pass(1_000);
  watch.changed(true);
  watch.stop();
  await pass(120_000);
  assert.deepEqual(reports, []);
});
