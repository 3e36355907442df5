import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { runAttache } from '../../support/attache.ts';
import { createAuthority } from '../../support/certificates.ts';
import { startEtcd } from '../../support/etcd.ts';
import { putMaterial, s3Environment, startS3 } from '../../support/s3.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { freePort, startEcho } from '../../support/tcp.ts';
import { pemOf, startTlsServer } from '../../support/tls-service.ts';

const TIMEOUT = { timeout: 90_000 };

/** The rows of the report, each as `ok what says`, and how it ended. */
async function online(t: TestContext, env: Readonly<Record<string, string>>) {
  const { code, stdout, stderr } = await runAttache(t, { args: ['check', '--online'], env: { SRC: ':26379', ...env } });
  const rows = stdout.split('\n').filter((line) => /^ {2}(?:ok|FAIL) {2}/.test(line));
  return {
    code,
    stderr,
    verdict: stdout.trimEnd().split('\n').at(-1),
    rows: rows.map((row) => row.trim().replace(/ +/g, ' ')),
  };
}

test('check --online dials each member that etcd names once, and exits 0 when all answer', TIMEOUT, async (t) => {
  const [etcd, backend] = [await startEtcd(t), await startEcho(t)];
  await etcd.api.put(`/srv/redis/127.0.0.1:${backend.port}`);
  const { code, rows, verdict, stderr } = await online(t, {
    SRV: '/srv/redis',
    DSC: etcd.url,
    DISCOVERY_ALLOW: '127.0.0.0/8',
  });
  assert.deepEqual([code, stderr, verdict], [0, '', 'online: everything answers']);
  assert.equal(rows[0], `ok registry ${etcd.url} 1 member of /srv/redis`);
  assert.match(rows[1] ?? '', new RegExp(`^ok 127[.]0[.]0[.]1:${backend.port} answers in \\d+ ms$`));
  assert.equal(backend.sockets.length, 1);
});

test('a closed port and a name that there is not are named, beside one that answers: exit 1', TIMEOUT, async (t) => {
  const [backend, closed] = [await startEcho(t), await freePort()];
  const { code, rows, verdict } = await online(t, {
    DST: `127.0.0.1:${backend.port},127.0.0.1:${closed},nowhere.invalid:6379`,
    CONNECT_TIMEOUT: '10s',
  });
  assert.deepEqual([code, verdict], [1, 'online: 2 of 3 failed']);
  assert.match(rows[0] ?? '', /^ok .* answers in/);
  assert.equal(rows[1], `FAIL 127.0.0.1:${closed} ECONNREFUSED`);
  assert.match(rows[2] ?? '', /^FAIL nowhere[.]invalid:6379 (?:ENOTFOUND|EAI_AGAIN|DNS_TIMEOUT)/);
});

test('a registry that does not answer, and one without members, are failures that say so', TIMEOUT, async (t) => {
  const [etcd, closed] = [await startEtcd(t), await freePort()];
  const env = { SRV: '/srv/redis', DSC: `http://127.0.0.1:${closed}` };
  const silent = await online(t, env);
  assert.equal(silent.code, 1);
  assert.match(silent.rows.join('\n'), new RegExp(`^FAIL registry http://127[.]0[.]0[.]1:${closed} .*ECONNREFUSED`));
  const empty = await online(t, { ...env, DSC: etcd.url });
  assert.deepEqual([empty.code, empty.rows], [1, [`FAIL registry ${etcd.url} 0 members of /srv/redis`]]);
  await etcd.api.put('/srv/redis/redis');
  const wrong = await online(t, { ...env, DSC: etcd.url });
  assert.equal(wrong.code, 1);
  assert.match(wrong.rows[1] ?? '', /ignored: .*redis: expected host:port/);
});

test(
  'a TLS candidate is dialed by TLS: its name is in the report, and one of another authority is a failure',
  TIMEOUT,
  async (t) => {
    const [authority, stranger] = [await createAuthority(t), await createAuthority(t)];
    const [server, client, other] = [
      await authority.issue('server', ['DNS:localhost']),
      await authority.issue('client', ['DNS:client.internal']),
      await stranger.issue('server', ['DNS:localhost']),
    ];
    const good = await startTlsServer(t, pemOf({ caPath: authority.caPath, identity: server }));
    const bad = await startTlsServer(t, pemOf({ caPath: stranger.caPath, identity: other }));
    const { code, rows } = await online(t, {
      DST: `localhost:${good.port},localhost:${bad.port}`,
      TLS_MODE: 'client',
      TLS_CACERT: authority.caPath,
      TLS_CERT: client.certPath,
      TLS_KEY: client.keyPath,
    });
    assert.equal(code, 1);
    assert.match(rows[0] ?? '', /^ok certificates CN=.*, until \d{4}-\d\d-\d\d$/);
    assert.match(rows[1] ?? '', /^ok localhost:\d+ answers in \d+ ms, TLS with .*localhost/);
    assert.match(rows[2] ?? '', /^FAIL localhost:\d+ TLS handshake failed: /);
  },
);

test(
  'certificates in S3 are read: good ones pass, an S3 that is down is exit 1, what is missing or no good 78',
  TIMEOUT,
  async (t) => {
    const [s3, authority, backend] = [await startS3(t), await createAuthority(t), await startEcho(t)];
    const identity = await authority.issue('server', ['DNS:localhost']);
    await putMaterial(s3, 'tls', { caPath: authority.caPath, identity });
    const env = (folder: string) => ({
      ...s3Environment(s3),
      DST: `127.0.0.1:${backend.port}`,
      TLS_MODE: 'server',
      TLS_CERTPATH: `s3://material/${folder}`,
    });
    const good = await online(t, env('tls'));
    assert.deepEqual([good.code, good.stderr], [0, '']);
    assert.match(good.rows[0] ?? '', /^ok certificates CN=/);
    const down = await online(t, { ...env('tls'), AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${await freePort()}` });
    assert.equal(down.code, 1);
    assert.match(down.rows[0] ?? '', /^FAIL certificates .*tls\/ca[.]pem/);
    // As a start would: no other answer will come.
    const missing = await online(t, env('nowhere'));
    assert.equal(missing.code, 78);
    assert.match(missing.stderr, /^SRC: .*nowhere\/ca[.]pem/m);
    for (const part of ['ca', 'cert', 'key']) await s3.put(`material/bad/${part}.pem`, 'no PEM');
    const bad = await online(t, env('bad'));
    assert.equal(bad.code, 78);
    assert.match(bad.stderr, /^attache: the configuration cannot be used\nSRC: s3:\/\/material\/bad\//);
  },
);

test('check --online --json holds the findings beside the settings', TIMEOUT, async (t) => {
  const backend = await startEcho(t);
  const what = `127.0.0.1:${backend.port}`;
  const { code, stdout } = await runAttache(t, {
    args: ['check', '--online', '--json'],
    env: { SRC: ':26379', DST: what },
  });
  const { services, online: found } = JSON.parse(stdout) as Record<string, readonly Record<string, unknown>[]>;
  assert.equal(code, 0);
  assert.equal(services?.[0]?.['name'], 'default');
  const [{ service, ok, what: asked } = {}] = found ?? [];
  assert.deepEqual([found?.length, service, ok, asked], [1, 'default', true, what]);
});

test(
  'check --online reads SERVICES_KEY once, judges the list as a start would, and dials its services',
  TIMEOUT,
  async (t) => {
    const [etcd, backend] = [await startEtcd(t), await startEcho(t)];
    const what = 'SERVICES_KEY /attache/web';
    const check = async () => {
      const env = { SERVICES_KEY: '/attache/web', DSC: etcd.url };
      const { code, stdout, stderr } = await runAttache(t, { args: ['check', '--online', '--json'], env });
      const report = JSON.parse(stdout) as { readonly online: readonly Record<string, unknown>[] };
      return { code, stderr, found: report.online };
    };
    const put = (list: unknown) => etcd.api.put('/attache/web', { value: JSON.stringify(list) });

    const missing = await check();
    const says = 'there is no such key: put the list, or [] for no service';
    assert.deepEqual([missing.code, missing.stderr, missing.found], [1, '', [{ what, ok: false, says }]]);

    const cache = { name: 'cache', src: ':16379', dst: `127.0.0.1:${backend.port}` };
    await put([cache]);
    const good = await check();
    const revision = await etcd.api.revision();
    assert.equal(good.code, 0);
    assert.deepEqual(good.found[0], { what, ok: true, says: `1 service, revision ${revision}` });
    assert.deepEqual(
      good.found.slice(1).map(({ service, ok }) => [service, ok]),
      [['cache', true]],
    );
    assert.equal(backend.sockets.length, 1);

    // What a list from outside may not do is refused here, too.
    await put([
      { ...cache, src: ':80' },
      { name: 'b', src: ':16380', dst: 'x:0' },
    ]);
    const refused = await check();
    assert.equal(refused.code, 1);
    assert.match(
      refused.found.map((row) => `${String(row['ok'])} ${String(row['says'])}`).join('\n'),
      /^false SERVICES_KEY\[1\]/m,
    );
    await put([{ ...cache, src: ':80' }]);
    const privileged = await check();
    assert.equal(privileged.code, 1);
    assert.match(String(privileged.found[0]?.['says']), /^SERVICES_KEY\[0\][.]src: expected a port from 1024 on/);
  },
);

test(
  'services of the list are dialed as a running attache would, and their certificates are no reason to end',
  TIMEOUT,
  async (t) => {
    const etcd = await startEtcd(t);
    // What listens there belongs to nobody here: it would answer a dial that is not held back.
    const own = await startEcho(t);
    const certificates = await scratchFolder(t);
    for (const name of ['ca.pem', 'cert.pem', 'key.pem']) await writeFile(join(certificates, name), 'no certificate');
    const list = [
      { name: 'home', src: ':16379', dst: `127.0.0.1:${own.port}` },
      { name: 'secure', src: ':16380', dst: `127.0.0.1:${own.port}`, tls_mode: 'client', tls_certpath: certificates },
    ];
    await etcd.api.put('/attache/web', { value: JSON.stringify(list) });
    const { code, stdout } = await runAttache(t, {
      args: ['check', '--online', '--json'],
      env: {
        SERVICES_KEY: '/attache/web',
        DSC: etcd.url,
        HTTP_ADDR: `127.0.0.1:${own.port}`,
        CONFIG_ALLOW_PATHS: certificates,
      },
    });
    const { online } = JSON.parse(stdout) as { readonly online: readonly Record<string, unknown>[] };
    const [key, ...found] = online;
    assert.deepEqual([code, key?.['ok']], [1, true]);
    const rows = found.map(
      ({ service, what, ok, says }) => `${String(service)} ${String(what)} ${String(ok)}: ${String(says)}`,
    );
    assert.match(rows[0] ?? '', /^home .* false: not allowed: .* is a listener of this process/, rows.join('\n'));
    assert.equal(rows.filter((row) => /^secure certificates false: .*[.]pem: expected /.test(row)).length, 3);
    assert.deepEqual([rows.length, own.sockets.length], [4, 0]);
  },
);

test('a registry that does not tell the list of SERVICES_KEY is a failure that says so', TIMEOUT, async (t) => {
  // Another test may listen at a port of 127.0.0.1 by then.
  const closed = `127.77.0.1:${await freePort()}`;
  const env = { SERVICES_KEY: '/attache/web', DSC: `http://${closed}` };
  const { code, stdout } = await runAttache(t, { args: ['check', '--online'], env });
  assert.equal(code, 1);
  assert.match(stdout, /^online: the list of services\n {2}FAIL {2}SERVICES_KEY \/attache\/web {2}.*ECONNREFUSED/m);
  assert.match(stdout, /\nonline: 1 of 1 failed\n$/);
});
