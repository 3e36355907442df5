import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { test, type TestContext } from 'node:test';
import { startAttache } from '../../support/attache.ts';
import { httpPort } from '../../support/http.ts';
import { askRaw } from '../../support/raw-http.ts';

const READ = ['/', '/events', '/readyz', '/metrics', '/status', '/connections', '/connections/1', '/nothing'];

async function start(t: TestContext, env: Readonly<Record<string, string>> = {}) {
  const both = { SRC: '127.0.0.1:0', DST: '127.0.0.1:1', HTTP_ADDR: '127.0.0.1:0', ADMIN_ADDR: '127.0.0.1:0' };
  const attache = startAttache(t, { env: { ...both, ...env } });
  const [http, admin] = [await httpPort(attache, 'health'), await httpPort(attache, 'admin')];
  const said = async (port: number, target: string, ...lines: readonly string[]) => {
    const bytes = `${target} HTTP/1.1\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
    const { statuses, text } = await askRaw({ port, bytes, withinMs: 4_000 });
    return { status: statuses.length === 1 ? statuses[0] : statuses, text };
  };
  return { attache, http, admin, said };
}

test('a page under a name of its own reads nothing of HTTP_ADDR, and learns which setting would let it', async (t) => {
  const { http, said } = await start(t);
  for (const path of READ) {
    const { status, text } = await said(http, `GET ${path}`, 'Host: evil.example:29091');
    assert.equal(status, 403, path);
    assert.match(text, /HTTP_ALLOW_HOSTS/);
    assert.doesNotMatch(text, /default|127\.0\.0\.1/);
  }
  assert.equal((await said(http, 'HEAD /metrics', 'Host: evil.example')).status, 403);
  assert.equal((await said(http, 'GET /healthz', 'Host: evil.example')).status, 200);
});

test('HTTP_ADDR answers under an address, localhost, its machine, names without dots and of a cluster', async (t) => {
  const { http, said } = await start(t);
  for (const host of ['127.0.0.1', '[::1]:1', 'localhost:29091', hostname(), 'attache:29091', 'attache.shop.svc'])
    assert.equal((await said(http, 'GET /status', `Host: ${host}`)).status, 200, host);
});

test('HTTP_ALLOW_HOSTS adds names to those under which HTTP_ADDR answers, and none to ADMIN_ADDR', async (t) => {
  const { http, admin, said } = await start(t, { HTTP_ALLOW_HOSTS: 'attache.example.com,*.corp.example' });
  for (const host of ['attache.example.com', 'ATTACHE.example.com:80', 'a.corp.example']) {
    assert.equal((await said(http, 'GET /status', `Host: ${host}`)).status, 200, host);
    assert.equal((await said(admin, 'POST /reload', `Host: ${host}`)).status, 403, host);
  }
  assert.equal((await said(http, 'GET /status', 'Host: corp.example')).status, 403);
});

for (const [setting, good] of [
  ['HTTP_ADDR', 'GET'],
  ['ADMIN_ADDR', 'POST'],
] as const) {
  test(`${setting} refuses two Hosts, and a target whose host is not that of Host or not ours`, async (t) => {
    const { http, admin, said } = await start(t);
    const [port, path] = setting === 'HTTP_ADDR' ? [http, '/status'] : [admin, '/reload'];
    for (const [target, hosts, status] of [
      [path, ['localhost', 'localhost'], 400],
      [path, ['localhost', 'evil.example'], 400],
      [path, ['evil.example', 'localhost'], 400],
      [path, [], 400],
      [path, ['evil.example'], 403],
      [path, ['localhost'], 200],
      [`http://localhost:1${path}`, ['localhost:1'], 200],
      [`HTTP://LocalHost:1${path}?x=1`, ['localHOST:1'], 200],
      [`http://evil.example${path}`, ['evil.example'], 403],
      [`http://evil.example${path}`, ['localhost'], 400],
      [`http://localhost${path}`, ['evil.example'], 400],
      [`http://localhost${path}`, ['localhost', 'localhost'], 400],
      [`http://user@localhost${path}`, ['user@localhost'], 403],
      [`https://localhost${path}`, ['localhost'], 400],
      [`http://${path}`, ['localhost'], 400],
      [path.slice(1), ['localhost'], 400],
      ['*', ['localhost'], 400],
    ] as const) {
      const answer = await said(port, `${good} ${target}`, ...hosts.map((host) => `Host: ${host}`));
      assert.equal(answer.status, status, `${target} ${hosts.join()}: ${answer.text}`);
    }
  });
}
