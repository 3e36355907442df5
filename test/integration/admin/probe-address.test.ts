import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { runAttache, startAttache } from '../../support/attache.ts';
import { httpAsk, httpPort } from '../../support/http.ts';

const SERVICE = { SRC: '127.0.0.1:0', DST: '127.0.0.1:1' } as const;

test('PROBE_ADDR answers /healthz and /readyz alone, beside HTTP_ADDR or without it', async (t) => {
  const attache = startAttache(t, { env: { ...SERVICE, PROBE_ADDR: '127.0.0.1:0' } });
  const port = await httpPort(attache, 'probe');
  assert.deepEqual([(await httpAsk(port, '/healthz')).body, (await httpAsk(port, '/readyz')).status], ['ok\n', 200]);
  for (const path of ['/', '/metrics', '/status', '/connections', '/events', '/quit']) {
    const { status, body } = await httpAsk(port, path);
    assert.deepEqual([status, body], [404, 'there are /healthz and /readyz\n'], path);
  }
  assert.equal((await httpAsk(port, '/readyz', { method: 'POST' })).status, 405);
  assert.equal((await httpAsk(port, '/readyz', { headers: { host: 'evil.example' } })).status, 403);
});

test('healthcheck and wait ask PROBE_ADDR when it is set, and HTTP_ADDR otherwise', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'attache-probe-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const PROBE_ADDR = `unix:${join(folder, 'probe')}`;
  const attache = startAttache(t, { env: { ...SERVICE, HTTP_ADDR: '127.0.0.1:0', PROBE_ADDR } });
  const HTTP_ADDR = `127.0.0.1:${await httpPort(attache, 'health')}`;
  await attache.line(({ msg, server }) => msg === 'HTTP server listening' && server === 'probe');
  const nobody = '127.0.0.1:1';
  for (const args of [['healthcheck'], ['wait', '--timeout', '1s']]) {
    const asked = async (env: Readonly<Record<string, string>>) => (await runAttache(t, { args, env })).code;
    assert.equal(await asked({ PROBE_ADDR, HTTP_ADDR: 'off' }), 0, args[0]);
    assert.equal(await asked({ PROBE_ADDR, HTTP_ADDR: nobody }), 0, args[0]);
    assert.equal(await asked({ HTTP_ADDR }), 0, args[0]);
    assert.equal(await asked({ PROBE_ADDR: nobody, HTTP_ADDR }), 1, args[0]);
  }
});
