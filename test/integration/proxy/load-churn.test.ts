import assert from 'node:assert/strict';
import { test } from 'node:test';
import { churn } from '../../support/churn.ts';
import { cpuMs } from '../../support/cpu.ts';
import { startLoadedProgram } from '../../support/load.ts';

/** A machine that does not keep up gets less, which is reported. */
const PER_SECOND = 2_000;
const SECONDS = 20;

test('promise 9: 2,000 new connections a second for 20 s: none fails and no descriptor is left', async (t) => {
  const program = await startLoadedProgram(t);
  const [cpuBefore, echoBefore] = [cpuMs(program.pid), cpuMs(program.echoPid)];
  const { begun, answered, perSecond, failures, clientMicros } = await churn(t, {
    port: program.port,
    perSecond: PER_SECOND,
    seconds: SECONDS,
  });
  const micros = (ms: number) => ((1_000 * ms) / begun).toFixed(0);
  t.diagnostic(`${perSecond.toFixed(0)} connections a second of ${PER_SECOND} wanted, ${begun} in all`);
  t.diagnostic(
    `µs of CPU for each: ${micros(cpuMs(program.pid) - cpuBefore)} in the program, ` +
      `${micros(cpuMs(program.echoPid) - echoBefore)} in the server, ${clientMicros.toFixed(0)} in the clients`,
  );
  assert.deepEqual(failures, []);
  assert.equal(answered, begun);
  await program.settled();
});
