import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Metrics } from '../../../src/admin/metrics.ts';

const ASKED = 300;

test('300 who ask for the metrics one turn after the other get at most 100 texts', async (t) => {
  const metrics = new Metrics('test');
  t.after(() => metrics.close());
  let written = 0;
  const measured = {
    status: { version: 'test', phase: 'started', isReady: true, startedAt: 0, connections: 0, services: [] } as never,
    traffic: () => {
      written += 1;
      return [];
    },
  };
  await metrics.render(measured);
  const before = written;
  const answers: Promise<void>[] = [];
  for (let i = 0; i < ASKED; i += 1) {
    answers.push(metrics.render(measured).then(() => undefined));
    const until = performance.now() + 0.5;
    // What it costs to accept a client and to read his request.
    while (performance.now() < until);
    await nextTurn();
  }
  await Promise.all(answers);
  assert.ok(written - before <= ASKED / 3, `${written - before} texts`);
});
