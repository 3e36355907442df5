import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, closeSync } from 'node:fs';
import { test } from 'node:test';
import { mainFile } from '../../support/attache.ts';
import { endWithProcess } from '../../support/end-with.ts';
import { httpAsk } from '../../support/http.ts';
import { samplesOf, valueOf } from '../../support/prometheus.ts';
import { engineChoice } from '../../support/engine-choice.ts';
import { ask, freePort, startNamed } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

test('on a full disk it serves, ends with 0, and /metrics counts the lines that are lost', async (t) => {
  const server = await startNamed(t, 'hello');
  const [port, http] = [await freePort(), await freePort()];
  const full = openSync('/dev/full', 'w');
  const child = spawn(process.execPath, [mainFile], {
    env: {
      PATH: process.env['PATH'],
      SRC: `127.0.0.1:${port}`,
      DST: `127.0.0.1:${server.port}`,
      HTTP_ADDR: `127.0.0.1:${http}`,
      ADMIN_ADDR: 'off',
      ENGINE: engineChoice(),
    },
    stdio: ['ignore', full, full],
  });
  closeSync(full);
  endWithProcess(child);
  t.after(() => child.kill('SIGKILL'));
  const ended = once(child, 'exit');
  await eventually(async () => (await ask(port).catch(() => '')) === 'hello', 'service', 20_000);
  for (let i = 0; i < 20; i += 1) assert.equal(await ask(port), 'hello');
  const lost = async () =>
    valueOf(samplesOf((await httpAsk(http, '/metrics')).body), 'attache_log_lines_dropped_total') ?? 0;
  await eventually(async () => (await lost().catch(() => 0)) >= 20, 'lost lines', 20_000);
  child.kill('SIGTERM');
  assert.deepEqual(await ended, [0, null]);
});
