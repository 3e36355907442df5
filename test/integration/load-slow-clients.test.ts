import assert from 'node:assert/strict';
import { test } from 'node:test';
import { echoed, startLoadedProgram } from '../support/load.ts';

const OF_EACH_KIND = 300;
const ORDINARY = 300;

test('900 clients that trickle, say nothing or are half-open: ordinary ones are served promptly, no descriptor is left', async (t) => {
  const program = await startLoadedProgram(t);
  const some = () => Promise.all(Array.from({ length: OF_EACH_KIND }, () => program.join()));
  const [trickling, silent, halfOpen] = [await some(), await some(), await some()];
  const trickle = setInterval(() => {
    for (const client of trickling) client.write('.');
  }, 200);
  t.after(() => clearInterval(trickle));
  // Sends on without ever reading what comes back.
  for (const client of halfOpen) client.pause().write(Buffer.alloc(64 * 1024));
  for (const client of halfOpen.slice(0, OF_EACH_KIND / 2)) client.end();
  // Behind the burst of what they sent, which is not what is measured.
  const first = await program.join();
  await echoed(first);
  first.destroy();
  const times: number[] = [];
  for (let n = 0; n < ORDINARY; n += 1) {
    const began = performance.now();
    const client = await program.join();
    await echoed(client);
    times.push(performance.now() - began);
    client.destroy();
  }
  t.diagnostic(`the slowest was number ${times.indexOf(Math.max(...times))}`);
  times.sort((a, b) => a - b);
  const [median = 0, worst = 0] = [times[ORDINARY / 2], times.at(-1)];
  t.diagnostic(`ordinary clients: median ${median.toFixed(1)} ms, slowest ${worst.toFixed(0)} ms`);
  assert.ok(median < 250, `half of the ordinary clients waited ${median.toFixed(0)} ms or more`);
  assert.ok(worst < 2_000, `one waited ${worst.toFixed(0)} ms`);
  clearInterval(trickle);
  for (const client of [...trickling, ...silent, ...halfOpen]) client.destroy();
  await program.settled();
});
