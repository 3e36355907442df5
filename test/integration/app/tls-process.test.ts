import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { copyFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { runAttache, startAttache } from '../../support/attache.ts';
import { createAuthority, type CertificateFiles, type TestAuthority } from '../../support/certificates.ts';
import { startRedis } from '../../support/redis.ts';
import { connectTo, freePort, readAll, startEcho } from '../../support/tcp.ts';
import { connectTls, pemOf } from '../../support/tls-service.ts';

const TIMEOUT = { timeout: 60_000 };

test(
  'plain Redis through attache tls-client and attache tls-server to Redis, by the seed’s flags',
  TIMEOUT,
  async (t) => {
    const authority = await createAuthority(t);
    const server = await directory(t, authority, await authority.issue('server', ['DNS:localhost']));
    const client = await directory(t, authority, await authority.issue('client', ['DNS:client.internal']));
    const redis = await startRedis(t, 'tls-redis');
    const inner = startAttache(t, {
      args: ['tls-server', '--src', '127.0.0.1:0', '--dst', `127.0.0.1:${redis.port}`, '--tlscertpath', server],
      env: { TLS_ALLOW: 'dns:client.internal' },
    });
    const innerPort = await inner.port();
    const outer = startAttache(t, {
      args: ['tls-client', '--src', '127.0.0.1:0', '--dst', `localhost:${innerPort}`, '--tlscertpath', client],
    });
    const socket = await connectTo(await outer.port());
    socket.write('SET tls both-ways\r\nGET tls\r\nQUIT\r\n');
    const { bytes } = await readAll(socket);
    socket.destroy();
    assert.equal(bytes.toString(), '+OK\r\n$9\r\nboth-ways\r\n+OK\r\n');
    const line = await inner.line(({ msg }) => msg === 'connection closed');
    assert.deepEqual([line['tlsPeer'], line['tlsVersion'], line['reason']], ['client.internal', 'TLSv1.3', 'finished']);
  },
);

test('material that is no good at start: exit 78 that names the file and the fault', TIMEOUT, async (t) => {
  const authority = await createAuthority(t);
  const expired = await authority.issue('server', ['DNS:localhost'], { notAfter: new Date(Date.now() - 60_000) });
  const path = await directory(t, authority, expired);
  const env = { HTTP_ADDR: 'off', ADMIN_ADDR: 'off', SRC: '127.0.0.1:0', DST: '127.0.0.1:1', TLS_MODE: 'server' };
  const { code, stdout } = await runAttache(t, { env: { ...env, TLS_CERTPATH: path } });
  assert.equal(code, 78);
  assert.match(stdout, new RegExp(`${path}/cert\\.pem: .*expired`));
  const missing = await runAttache(t, { env: { ...env, TLS_CERTPATH: '/nowhere' } });
  assert.equal(missing.code, 78);
  assert.match(missing.stdout, /\/nowhere\/key\.pem/);
});

test(
  '10 rotations under 50 busy connections: none fails, new ones see the new certificate, a broken pair is refused',
  TIMEOUT,
  async (t) => {
    const authority = await createAuthority(t);
    const first = await authority.issue('server', ['DNS:localhost']);
    const path = await directory(t, authority, first);
    const web = pemOf({ caPath: authority.caPath, identity: await authority.issue('web', ['DNS:web.internal']) });
    const echo = await startEcho(t);
    const attache = startAttache(t, {
      env: {
        SRC: '127.0.0.1:0',
        DST: `127.0.0.1:${echo.port}`,
        TLS_MODE: 'server',
        TLS_CERTPATH: path,
        TLS_RELOAD: '0',
      },
    });
    const port = await attache.port();
    const busy = await Promise.all(Array.from({ length: 50 }, () => connectTls(port, web)));
    t.after(() => busy.forEach((socket) => socket.destroy()));
    const stop = new AbortController();
    const rounds = busy.map((socket) => keepTalking(socket, stop.signal));
    for (let n = 1; n <= 10; n += 1) {
      const next = await authority.issue('server', ['DNS:localhost']);
      if (n === 5) {
        await writeFile(join(path, 'key.pem'), 'broken');
        attache.child.kill('SIGHUP');
        await attache.line((line) => line.msg === 'tls material' && line['outcome'] === 'refused');
      }
      await install(path, next);
      attache.child.kill('SIGHUP');
      // The first set was loaded at start.
      const line = await attache.line(({ msg, outcome }) => msg === 'tls material' && outcome === 'loaded', n + 1);
      const fresh = await connectTls(port, web);
      assert.equal(fresh.getPeerX509Certificate()?.serialNumber, line['serial']);
      fresh.destroy();
    }
    stop.abort();
    const turns = await Promise.all(rounds);
    assert.ok(turns.every((count) => count > 0));
  },
);

test('S3 out of reach keeps its service not ready, with the reason, and nobody else waiting', TIMEOUT, async (t) => {
  const [http, nobody] = [await freePort(), await freePort()];
  const echo = await startEcho(t);
  const attache = startAttache(t, {
    env: {
      SRC_PLAIN: '127.0.0.1:0',
      SRC_SAFE: '127.0.0.1:0',
      DST_PLAIN: `127.0.0.1:${echo.port}`,
      DST_SAFE: `127.0.0.1:${echo.port}`,
      TLS_MODE_SAFE: 'server',
      TLS_CERTPATH_SAFE: 's3://bucket/safe',
      HTTP_ADDR: `127.0.0.1:${http}`,
      AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${nobody}`,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'AKIDFORATEST',
      AWS_SECRET_ACCESS_KEY: 'secret-of-a-test',
    },
  });
  await attache.line(({ msg, outcome }) => msg === 'tls material' && outcome === 'unavailable');
  await attache.line(({ msg, phase }) => msg === 'lifecycle' && phase === 'started');
  const socket = await connectTo(await attache.port('plain'));
  socket.end('hello');
  assert.equal((await readAll(socket)).bytes.toString(), 'hello');
  socket.destroy();
  const answer = await fetch(`http://127.0.0.1:${http}/readyz`);
  assert.equal(answer.status, 503);
  const { services } = (await answer.json()) as { services: { name: string; ready: boolean; reasons: string[] }[] };
  assert.equal(services.find(({ name }) => name === 'plain')?.ready, true);
  assert.match(
    services.find(({ name }) => name === 'safe')?.reasons[0] ?? '',
    /^no TLS material yet: s3:\/\/bucket\/safe/,
  );
  assert.ok(!JSON.stringify(attache.lines).includes('secret-of-a-test'));
  attache.child.kill('SIGTERM');
  assert.equal(await attache.exited, 0);
});

async function keepTalking(socket: TLSSocket, signal: AbortSignal): Promise<number> {
  const ended = new Promise<never>((_, reject) =>
    socket.once('close', () => reject(new Error('a live connection was closed by a rotation'))),
  );
  ended.catch(() => undefined);
  for (let turns = 0; ; turns += 1) {
    if (signal.aborted && turns > 0) return turns;
    await Promise.race([echoOnce(socket), ended]);
  }
}

async function echoOnce(socket: Socket): Promise<void> {
  const data = randomBytes(4_096);
  socket.write(data);
  let got = 0;
  while (got < data.length) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    assert.ok(chunk.equals(data.subarray(got, got + chunk.length)));
    got += chunk.length;
  }
}

async function directory(t: TestContext, authority: TestAuthority, identity: CertificateFiles): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'attache-tls-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  await copyFile(authority.caPath, join(path, 'ca.pem'));
  await install(path, identity);
  return path;
}

/** Each file by a rename, as an operator's tool would. */
async function install(path: string, { certPath, keyPath }: CertificateFiles): Promise<void> {
  for (const [from, name] of [
    [certPath, 'cert.pem'],
    [keyPath, 'key.pem'],
  ] as const) {
    await copyFile(from, join(path, `${name}.new`));
    await rename(join(path, `${name}.new`), join(path, name));
  }
}
