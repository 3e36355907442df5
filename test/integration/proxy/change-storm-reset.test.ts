import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import type { Attache } from '../../support/attache.ts';
import { Stopwatch } from '../../support/stopwatch.ts';
import { closedFor, startStorm, timeOf } from '../../support/storm.ts';
import { connectTo } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

test('promise 20: half of the members leave under 5,000 connections: reset ends all within 2 s, and new clients get the new set', async (t) => {
  const storm = await startStorm(t, { ON_CHANGE: 'reset' });
  const { attache, connections, members } = storm;
  const before = members.map(({ sockets }) => sockets.length);
  const watch = new Stopwatch();
  await storm.halfLeaves();
  for (let i = 0; i < 8; i += 1) {
    const client = await connectTo(storm.port);
    client.write('?');
    await once(client, 'data');
    client.destroy();
  }
  assert.deepEqual(
    members.map(({ sockets }, index) => sockets.length - (before[index] ?? 0)),
    [0, 0, 4, 4],
  );

  const resets = () => closedFor(attache, 'membership_changed');
  await eventually(() => resets().length + dropped(attache) >= connections, `${connections} resets`, 20_000);
  const changed = await attache.line(({ msg }) => msg === 'candidates changed', 2);
  const took = Math.max(...resets().map(timeOf)) - timeOf(changed);
  const lost = watch.lostMs();
  t.diagnostic(
    `${connections} connections were reset within ${took} ms, ${lost} of them lost, ${dropped(attache)} lines dropped`,
  );
  assert.ok(took - lost < 2_000, `${took} ms, ${lost} of them lost`);
  assert.equal(await storm.probe(), 0);
  assert.deepEqual(
    attache.lines.filter(({ msg }) => msg === 'connections reset').map((line) => line['connections']),
    [connections],
  );
});

/** Lines that a test process too busy to read has cost: they are told of. */
function dropped({ lines }: Attache): number {
  return lines.filter(({ msg }) => msg === 'log lines dropped').reduce((sum, line) => sum + Number(line['lines']), 0);
}
