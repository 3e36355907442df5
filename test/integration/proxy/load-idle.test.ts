import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { connectionsThatFit } from '../../../src/app/descriptors.ts';
import { cpuShare } from '../../support/cpu.ts';
import { descriptorLimit, residentKb } from '../../support/kernel.ts';
import { echoed, startLoadedProgram } from '../../support/load.ts';
import { Stopwatch } from '../../support/stopwatch.ts';

const WANTED = 10_000;
/** Descriptors that are no connection of the test, per process. */
const SPARE = 200;
const AT_ONCE = 100;

test('promise 9: 10,000 idle connections: a new one is prompt, no measurable CPU, little memory, no descriptor left', async (t) => {
  const program = await startLoadedProgram(t, { IDLE_TIMEOUT: '1h' });
  // One more than stay, for the newcomer.
  const admitted = connectionsThatFit(descriptorLimit(program.pid), 1) - 1;
  const room = Math.min(descriptorLimit() - SPARE, admitted);
  const count = Math.min(WANTED, Math.floor(room / AT_ONCE) * AT_ONCE);
  t.diagnostic(`${count} connections (${WANTED} wanted; descriptor limit ${descriptorLimit(program.pid)} a process)`);
  assert.ok(count >= 100, 'the descriptor limit leaves no room for a load');
  const clients: Socket[] = [];
  const join = async (upTo: number) => {
    while (clients.length < upTo) {
      const batch = await Promise.all(Array.from({ length: AT_ONCE }, () => program.join()));
      await Promise.all(batch.map(echoed));
      clients.push(...batch);
    }
  };
  // Code and buffers that the first ones need are not a connection's.
  const few = Math.min(1_000, count / 2);
  await join(few);
  const kb = residentKb(program.pid);
  await join(count);
  const kbEach = (residentKb(program.pid) - kb) / (count - few);
  const share = await cpuShare({ pid: program.pid, windowMs: 4_000, below: 0.01 });
  const watch = new Stopwatch();
  const client = await program.join();
  const newMs = await echoed(client);
  t.diagnostic(`${kbEach.toFixed(1)} kB a connection, CPU ${(share * 100).toFixed(2)}%, new in ${newMs.toFixed(1)} ms`);
  assert.ok(share < 0.01, `CPU ${(share * 100).toFixed(2)}%`);
  assert.ok(kbEach < 40, `${kbEach.toFixed(1)} kB a connection`);
  assert.ok(newMs - watch.lostMs() < 1_000, `a new one took ${newMs.toFixed(0)} ms`);
  for (const one of [clients[0], clients.at(-1)]) if (one !== undefined) await echoed(one);
  for (const one of [client, ...clients]) one.destroy();
  await program.settled();
});
