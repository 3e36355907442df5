import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cpuMs } from '../../support/cpu.ts';
import { echoed, startLoadedProgram } from '../../support/load.ts';
import { Stopwatch } from '../../support/stopwatch.ts';

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
  await program.probe();
  const cpuBefore = cpuMs(program.pid);
  // Sends on without ever reading what comes back.
  for (const client of halfOpen) client.pause().write(Buffer.alloc(64 * 1024));
  for (const client of halfOpen.slice(0, OF_EACH_KIND / 2)) client.end();
  // Behind the burst of what they sent. How long that takes is a matter of how much of the machine the program gets, so
  // what is bounded is its CPU time.
  const first = await program.join();
  const firstMs = await echoed(first);
  first.destroy();
  const burstCpuMs = cpuMs(program.pid) - cpuBefore;
  const { loopDelayMaxMs } = await program.probe();
  t.diagnostic(
    `behind the burst of 20 MB: ${firstMs.toFixed(0)} ms, of which the program used ${burstCpuMs} ms of CPU, ` +
      `its event loop blocked for at most ${loopDelayMaxMs.toFixed(0)} ms at a time`,
  );
  assert.ok(burstCpuMs < 2_000, `the burst took the program ${burstCpuMs} ms of CPU`);
  const watch = new Stopwatch();
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
  assert.ok(worst - watch.lostMs() < 2_000, `one waited ${worst.toFixed(0)} ms`);
  const { loopDelayMaxMs: laterMs } = await program.probe();
  t.diagnostic(`then the event loop of the program was blocked for at most ${laterMs.toFixed(0)} ms at a time`);
  clearInterval(trickle);
  for (const client of [...trickling, ...silent, ...halfOpen]) client.destroy();
  await program.settled();
});
