import assert from 'node:assert/strict';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { startAttache } from '../../support/attache.ts';
import { createAuthority } from '../../support/certificates.ts';
import { httpAsk, httpPort } from '../../support/http.ts';
import { ask, freePort, startNamed } from '../../support/tcp.ts';

async function start(t: TestContext, env: Readonly<Record<string, string>>) {
  const attache = startAttache(t, { env: { SRC: '127.0.0.1:0', ADMIN_ADDR: '127.0.0.1:0', ...env } });
  const admin = await httpPort(attache, 'admin');
  return { attache, post: (path: string, headers = {}) => httpAsk(admin, path, { method: 'POST', headers }), admin };
}

test('a candidate is drained and undrained by name, and who is no candidate is not found', async (t) => {
  const [a, b] = [await startNamed(t, 'a'), await startNamed(t, 'b')];
  const [keyA, keyB] = [`127.0.0.1:${a.port}`, `127.0.0.1:${b.port}`];
  const { attache, post } = await start(t, { DST: `${keyA},${keyB}` });
  const port = await attache.port();
  const drained = await post(`/drain?candidate=${keyA}`);
  assert.deepEqual([drained.status, drained.json()], [200, { candidate: keyA, drained: true, services: ['default'] }]);
  assert.equal(await ask(port), 'b');
  assert.equal((await post(`/drain?candidate=${keyB}&service=default`)).status, 200);
  assert.equal(await ask(port), '');
  const undrained = await post(`/undrain?candidate=${keyA}`);
  assert.deepEqual(undrained.json(), { candidate: keyA, drained: false, services: ['default'] });
  assert.equal(await ask(port), 'a');
  await attache.line(({ msg, candidate }) => msg === 'candidate drained' && candidate === keyA);
  await attache.line(({ msg, candidate }) => msg === 'candidate no longer drained' && candidate === keyA);
  for (const [path, status] of [
    ['/drain', 400],
    ['/drain?candidate=', 400],
    ['/drain?candidate=10.0.0.9:1', 404],
    [`/drain?candidate=${keyA}&service=other`, 404],
    ['/undrain?candidate=%1b%5b31m', 404],
  ] as const) {
    const reply = await post(path);
    assert.equal(reply.status, status, path);
    // eslint-disable-next-line no-control-regex -- none of them may be there
    assert.doesNotMatch(reply.body.trimEnd(), /[\u0000-\u001f]/);
  }
});

test('the log level changes while it runs, and a level that is none is refused with those there are', async (t) => {
  const named = await startNamed(t, 'x');
  const { attache, post } = await start(t, { DST: `127.0.0.1:${named.port}` });
  const port = await attache.port();
  await ask(port);
  await attache.line(({ msg }) => msg === 'connection closed');
  assert.ok(!attache.lines.some(({ msg }) => msg === 'connection opened'));
  const set = await post('/loglevel?level=DEBUG');
  assert.deepEqual([set.status, set.json()], [200, { level: 'debug' }]);
  await ask(port);
  await attache.line(({ msg }) => msg === 'connection opened');
  assert.deepEqual((await post('/loglevel?level=warning')).json(), { level: 'warn' });
  const seen = attache.lines.length;
  await ask(port);
  const back = await post('/loglevel?level=info');
  assert.equal(back.status, 200);
  await attache.line(({ msg, to }) => msg === 'log level changed' && to === 'info');
  assert.ok(!attache.lines.slice(seen).some(({ msg }) => msg === 'connection opened'));
  for (const level of ['loud', '', '%00']) {
    const refused = await post(`/loglevel?level=${level}`);
    assert.equal(refused.status, 400);
    assert.match(refused.body, /^level: expected debug, info, warn, error, fatal or silent, got /);
  }
});

test('POST /reload answers with what came of it: unchanged, loaded, refused', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'attache-reload-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const authority = await createAuthority(t);
  const place = async (name: string) => {
    const { certPath, keyPath } = await authority.issue(name);
    await copyFile(certPath, join(folder, 'cert.pem'));
    await copyFile(keyPath, join(folder, 'key.pem'));
  };
  await copyFile(authority.caPath, join(folder, 'ca.pem'));
  await place('first');
  const { post, attache } = await start(t, {
    DST: `127.0.0.1:${await freePort()}`,
    TLS_MODE: 'server',
    TLS_CERTPATH: folder,
    TLS_RELOAD: '0',
  });
  await attache.port();
  const reload = async () => {
    const { status, body } = await post('/reload');
    return [status, JSON.parse(body) as { services: readonly { outcome: string; error?: string }[] }] as const;
  };
  assert.deepEqual(await reload(), [200, { services: [{ service: 'default', outcome: 'unchanged' }] }]);
  await place('second');
  assert.deepEqual(await reload(), [200, { services: [{ service: 'default', outcome: 'loaded' }] }]);
  await writeFile(join(folder, 'cert.pem'), 'nonsense');
  const [status, { services }] = await reload();
  assert.deepEqual([status, services[0]?.outcome], [503, 'refused']);
  assert.match(services[0]?.error ?? '', /cert\.pem/);
  await rm(join(folder, 'key.pem'));
  assert.equal((await reload())[0], 503);
  await place('third');
  assert.equal((await reload())[1].services[0]?.outcome, 'loaded');
});

test('without TLS there is nothing to reload, and that is fine', async (t) => {
  const { post } = await start(t, { DST: '127.0.0.1:1' });
  const { status, body } = await post('/reload');
  assert.deepEqual([status, body], [200, '{"services":[]}\n']);
});

test('every call of ADMIN_ADDR is a POST, and of no web page', async (t) => {
  const { attache, post, admin } = await start(t, { DST: '127.0.0.1:1' });
  for (const path of [
    '/quit',
    '/reload',
    '/drain?candidate=127.0.0.1:1',
    '/undrain?candidate=127.0.0.1:1',
    '/loglevel?level=debug',
  ]) {
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE']) {
      const { status, headers } = await httpAsk(admin, path, { method });
      assert.deepEqual([status, headers.allow], [405, 'POST'], `${method} ${path}`);
    }
    assert.equal((await post(path, { origin: 'https://evil.example' })).status, 403, path);
    assert.equal((await post(path, { host: 'evil.example' })).status, 403, path);
    assert.equal((await httpAsk(admin, path, { method: 'POST', body: 'x' })).status, 413, path);
  }
  assert.match((await post('/nothing')).body, /\/quit, \/reload, \/drain, \/undrain, \/loglevel/);
  assert.ok(!attache.lines.some(({ msg }) => msg === 'log level changed' || msg === 'candidate drained'));
  assert.equal(attache.child.exitCode, null);
});
