import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { StatusReport } from '../../../src/admin/status-report.ts';
import type { ConnectionsPage } from '../../../src/admin/status-routes.ts';
import type { Story } from '../../../src/admin/story.ts';
import { startAttache, type Attache } from '../../support/attache.ts';
import { createAuthority } from '../../support/certificates.ts';
import { httpAsk, httpPort } from '../../support/http.ts';
import { promtool, samplesOf, valueOf } from '../../support/prometheus.ts';
import { RegistryDirectory, SERVICE } from '../../support/registry-directory.ts';
import { ask, connectTo, freePort, readAll, startEcho, startNamed } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

const SECRET = 'hunter2-very-secret';

function start(t: TestContext, env: Readonly<Record<string, string>>): Attache {
  return startAttache(t, { env: { SRC: '127.0.0.1:0', HTTP_ADDR: '127.0.0.1:0', ...env } });
}

async function statusAt(port: number): Promise<StatusReport> {
  const { status, body } = await httpAsk(port, '/status');
  assert.equal(status, 200);
  return JSON.parse(body) as StatusReport;
}

async function open(t: TestContext, port: number, count: number): Promise<readonly Socket[]> {
  const sockets: Socket[] = [];
  for (let n = 0; n < count; n += 1) {
    const socket = await connectTo(port);
    t.after(() => socket.destroy());
    socket.write('x');
    await once(socket, 'data');
    sockets.push(socket);
  }
  return sockets;
}

test('/status tells of a service what it is and does, what changed and what was ignored, with nothing a terminal obeys', async (t) => {
  const registry = await RegistryDirectory.create(t);
  const [dead, echo] = [await freePort(), await startEcho(t)];
  await registry.add(`127.0.0.1:${echo.port}`);
  const attache = start(t, {
    SRV: SERVICE,
    DSC: pathToFileURL(registry.root).href,
    LB: 'true',
    RETRIES: '1',
    ETCD_PASSWORD: SECRET,
    ETCD_USERNAME: 'me',
  });
  const [port, http] = [await attache.port(), await httpPort(attache, 'health')];
  await eventually(async () => (await statusAt(http)).services[0]?.candidateCount === 1, 'a candidate');
  await open(t, port, 1);
  await registry.add(`127.0.0.1:${dead}`);
  await registry.add('bad\u001b[31m\u009b\u202ekey');
  await eventually(async () => {
    const [service] = (await statusAt(http)).services;
    return service?.candidateCount === 2 && service.ignored.length === 1 && service.changes[0]?.reset !== undefined;
  }, 'the change');
  const again = await connectTo(port);
  t.after(() => again.destroy());
  const second = await connectTo(port);
  t.after(() => second.destroy());
  await eventually(async () => {
    const [service] = (await statusAt(http)).services;
    return service?.candidates.some(({ lastError }) => lastError?.errno === 'ECONNREFUSED') === true;
  }, 'the failure');
  const { body } = await httpAsk(http, '/status');
  // eslint-disable-next-line no-control-regex -- none of them may be there
  assert.doesNotMatch(body.trimEnd(), /[\u0000-\u001f\u007f-\u009f\u202e]/);
  assert.ok(!body.includes(SECRET));
  const report = JSON.parse(body) as StatusReport;
  assert.deepEqual([report.phase, report.ready, report.version], ['serving', true, '0.1.0']);
  assert.ok(report.uptimeMs > 0 && Date.parse(report.startedAt) <= Date.now());
  const [service] = report.services;
  assert.ok(service !== undefined);
  assert.equal(service.name, 'default');
  assert.deepEqual(service.settings['srv'], SERVICE);
  assert.deepEqual(service.settings['balance'], 'round-robin');
  assert.deepEqual(service.words, service.settings, 'the former name');
  assert.deepEqual(service.listeners, [{ address: `127.0.0.1:${port}`, state: 'listening' }]);
  assert.equal(service.discovery.status, 'synced');
  assert.deepEqual(service.changes[0]?.added, [`127.0.0.1:${dead}`]);
  assert.deepEqual(service.changes[0].reset, { connections: 1, mode: 'reset' });
  assert.deepEqual(service.changes[1]?.added, [`127.0.0.1:${echo.port}`]);
  assert.equal(service.ignored[0]?.key, 'bad\\u001b[31m\\u009b\\u202ekey');
  assert.deepEqual(
    service.candidates.map(({ state }) => state),
    ['available', 'available'],
  );
});

test('/connections shows open ones, newest first, in pages that never overlap and never grow beyond their bound', async (t) => {
  const echo = await startEcho(t);
  const attache = start(t, { DST: `127.0.0.1:${echo.port}` });
  const [port, http] = [await attache.port(), await httpPort(attache, 'health')];
  const sockets = await open(t, port, 7);
  const page = async (query: string) => (await httpAsk(http, `/connections${query}`)).json() as ConnectionsPage;
  const all = await page('');
  assert.equal(all.open, 7);
  assert.deepEqual(
    all.connections.map(({ id }) => id),
    [7, 6, 5, 4, 3, 2, 1],
  );
  assert.equal(all.next, undefined);
  const [newest] = all.connections;
  assert.deepEqual(
    [newest?.candidate, newest?.phase, newest?.bytesToClient, newest?.service],
    [`127.0.0.1:${echo.port}`, 'relaying', 1, 'default'],
  );
  const first = await page('?limit=3');
  assert.deepEqual([first.connections.map(({ id }) => id), first.next], [[7, 6, 5], '5']);
  // What comes and goes between two pages moves nothing from one to the other.
  await open(t, port, 1);
  sockets[6]?.destroy();
  const next = await page(`?limit=3&cursor=${first.next ?? ''}`);
  assert.deepEqual([next.connections.map(({ id }) => id), next.next], [[4, 3, 2], '2']);
  const last = await page(`?limit=3&cursor=${next.next ?? ''}`);
  assert.deepEqual([last.connections.map(({ id }) => id), last.next], [[1], undefined]);
  assert.equal((await page('?limit=3&cursor=1')).connections.length, 0);
  assert.ok((await page('?limit=999999999')).connections.length >= 7);
  assert.ok((await page('?service=default')).open >= 7);
  for (const query of [
    '?limit=0',
    '?limit=-1',
    '?limit=x',
    '?limit=',
    '?cursor=x',
    '?cursor=1e3',
    '?limit=9999999999999999',
  ]) {
    assert.equal((await httpAsk(http, `/connections${query}`)).status, 400, query);
  }
  assert.equal((await httpAsk(http, '/connections?service=nobody')).status, 404);
});

test('a page holds 500 connections at most', { timeout: 60_000 }, async (t) => {
  const echo = await startEcho(t);
  const attache = start(t, { DST: `127.0.0.1:${echo.port}` });
  const [port, http] = [await attache.port(), await httpPort(attache, 'health')];
  await open(t, port, 501);
  const page = (await httpAsk(http, '/connections?limit=100000')).json() as ConnectionsPage;
  assert.deepEqual([page.open, page.connections.length, page.next], [501, 500, '2']);
  assert.equal(((await httpAsk(http, '/connections')).json() as ConnectionsPage).connections.length, 100);
});

test('/connections/<id> tells the story of one that is open, of one that ended and of one that nobody carried', async (t) => {
  const [dead, echo] = [await freePort(), await startEcho(t)];
  const attache = start(t, { DST: `127.0.0.1:${dead},127.0.0.1:${echo.port}` });
  const [port, http] = [await attache.port(), await httpPort(attache, 'health')];
  const story = async (id: number) => (await httpAsk(http, `/connections/${id}`)).json() as Story;
  const [client] = await open(t, port, 1);
  assert.ok(client !== undefined);
  const alive = await story(1);
  assert.deepEqual([alive.state, alive.phase, alive.tried], ['open', 'relaying', 2]);
  assert.match(alive.story, /^Connection 1 of service default came from 127\.0\.0\.1:\d+ at /);
  assert.match(alive.story, new RegExp(`127\\.0\\.0\\.1:${dead} failed after [\\d.]+ m?s: ECONNREFUSED\\. `));
  assert.match(alive.story, new RegExp(`is carried by 127\\.0\\.0\\.1:${echo.port}\\.$`));
  client.end();
  await readAll(client);
  await attache.line(({ msg, id }) => msg === 'connection closed' && id === 1);
  const ended = await story(1);
  assert.match(
    ended.story,
    /1 bytes went to the candidate and 1 to the client\. It ended after .*: both sides finished and nothing was lost; the client finished first\.$/,
  );
  assert.deepEqual(
    [ended.state, ended.reason, ended.endedBy, ended.candidate, ended.bytesToClient, ended.tried],
    ['finished', 'finished', 'client', `127.0.0.1:${echo.port}`, 1, 2],
  );
  assert.deepEqual(
    ended.attempts.map(({ outcome }) => outcome),
    ['ECONNREFUSED', 'ok'],
  );
  assert.ok(Date.parse(ended.acceptedAt) <= Date.parse(ended.closedAt ?? ''));
  await echo.stop();
  assert.equal(await ask(port), '');
  await attache.line(({ msg, id }) => msg === 'connection closed' && id === 2);
  const refused = await story(2);
  assert.match(refused.story, /no candidate that may be tried answered\.$/);
  assert.equal(refused.candidate, undefined);
  for (const path of [
    '/connections/3',
    '/connections/0',
    '/connections/x',
    '/connections/-1',
    '/connections/1/2',
    '/connections/',
  ]) {
    assert.equal((await httpAsk(http, path)).status, 404, path);
  }
});

test('the flight recorder keeps the last thousand and no more', { timeout: 60_000 }, async (t) => {
  const named = await startNamed(t, 'x');
  const attache = start(t, { DST: `127.0.0.1:${named.port}`, LOG_LEVEL: 'info' });
  const [port, http] = [await attache.port(), await httpPort(attache, 'health')];
  for (let n = 0; n < 1_010; n += 10) await Promise.all(Array.from({ length: 10 }, () => ask(port)));
  await attache.line(({ msg }) => msg === 'connection closed', 1_010);
  const statuses = await Promise.all([1, 2].map(async (id) => (await httpAsk(http, `/connections/${id}`)).status));
  assert.ok(statuses.includes(404));
  assert.equal((await httpAsk(http, '/connections/1010')).status, 200);
  assert.equal((await httpAsk(http, '/connections/500')).status, 200);
});

test('HEAD is GET without a body, and no other method does anything', async (t) => {
  const attache = start(t, { DST: '127.0.0.1:1' });
  const http = await httpPort(attache, 'health');
  for (const path of ['/status', '/connections', '/metrics', '/healthz']) {
    const [get, head] = [await httpAsk(http, path), await httpAsk(http, path, { method: 'HEAD' })];
    assert.deepEqual([get.status, head.status, head.body], [200, 200, ''], path);
    assert.equal(head.headers['content-type'], get.headers['content-type']);
    assert.ok(Number(head.headers['content-length']) > 0);
    assert.equal(get.headers['x-content-type-options'], 'nosniff');
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      const { status, headers } = await httpAsk(http, path, { method });
      assert.deepEqual([status, headers.allow], [405, 'GET, HEAD'], `${method} ${path}`);
    }
    assert.equal((await httpAsk(http, path, { headers: { 'content-length': '1' }, body: 'x' })).status, 413);
  }
  assert.equal((await httpAsk(http, '/nothing')).status, 404);
});

test('the program exports its metrics, counted from its first connection on', async (t) => {
  const named = await startNamed(t, 'hello');
  const attache = start(t, { DST: `127.0.0.1:${named.port}` });
  const [port, http] = [await attache.port(), await httpPort(attache, 'health')];
  assert.equal(await ask(port), 'hello');
  await attache.line(({ msg }) => msg === 'connection closed');
  const { body, headers } = await httpAsk(http, '/metrics');
  assert.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  assert.deepEqual(promtool(['check', 'metrics'], { input: body }), { status: 0, output: '' });
  const samples = samplesOf(body);
  assert.equal(valueOf(samples, 'attache_connections_opened_total'), 1);
  assert.equal(valueOf(samples, 'attache_bytes_total', { direction: 'to_client' }), 5);
  assert.equal(valueOf(samples, 'attache_build_info', { version: '0.1.0' }), 1);
});

test('a certificate is in /status and /metrics with its name and its end, and a refused client in the story of its connection', async (t) => {
  const authority = await createAuthority(t);
  const notAfter = new Date(Date.now() + 20 * 86_400_000);
  const server = await authority.issue('server', ['DNS:localhost'], { notAfter });
  const echo = await startEcho(t);
  const attache = start(t, {
    DST: `127.0.0.1:${echo.port}`,
    TLS_MODE: 'server',
    TLS_CACERT: authority.caPath,
    TLS_CERT: server.certPath,
    TLS_KEY: server.keyPath,
  });
  const [port, http] = [await attache.port(), await httpPort(attache, 'health')];
  const { tls } = (await statusAt(http)).services[0] ?? {};
  assert.deepEqual([tls?.mode, tls?.status, tls?.certificate?.subject], ['server', 'ready', 'CN=server']);
  assert.ok(Math.abs(Date.parse(tls?.notAfter ?? '') - notAfter.getTime()) < 2_000);
  const plain = await connectTo(port);
  plain.end('GET / HTTP/1.0\r\n\r\n');
  await readAll(plain);
  await attache.line(({ msg }) => msg === 'connection closed');
  const { story, tlsFailure } = (await httpAsk(http, '/connections/1')).json() as Story;
  assert.match(story, /TLS with the client failed: \w+\. .*no candidate was dialed\.$/);
  assert.equal(tlsFailure?.side, 'client');
  const samples = samplesOf((await httpAsk(http, '/metrics')).body);
  const expiry = valueOf(samples, 'attache_tls_cert_not_after_seconds') ?? 0;
  assert.ok(Math.abs(expiry - notAfter.getTime() / 1_000) < 2);
  assert.equal(valueOf(samples, 'attache_tls_handshake_failures_total', { side: 'client' }), 1);
  const { body } = await httpAsk(http, '/status');
  assert.doesNotMatch(body, /PRIVATE|BEGIN/);
  assert.ok(body.includes(join(server.keyPath)), 'where the key is, not what it is');
});
