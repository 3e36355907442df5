import assert from 'node:assert/strict';
import { constants } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { connect, createServer, type TlsOptions } from 'node:tls';
import { startAttache } from '../../support/attache.ts';
import { createAuthority, type CertificateFiles, type TestAuthority } from '../../support/certificates.ts';
import { ACCOUNT, putMaterial, s3Environment, s3Error, startS3 } from '../../support/s3.ts';
import { ask, startNamed } from '../../support/tcp.ts';
import { pemOf } from '../../support/tls-service.ts';
import { eventually } from '../../support/wait.ts';

const TIMEOUT = { timeout: 60_000 };

interface SecureOptions extends Pick<TlsOptions, 'secureOptions' | 'maxVersion'> {
  readonly name: string;
  /** What its certificate names. */
  readonly san: string;
}

/** A TLS server that demands a certificate of `authority`, answers with its name and closes. */
async function startSecure(t: TestContext, authority: TestAuthority, { name, san, ...options }: SecureOptions) {
  const identity = await authority.issue(name, [san]);
  const server = createServer(
    { ...options, ...pemOf({ caPath: authority.caPath, identity }), requestCert: true, rejectUnauthorized: true },
    (socket) => socket.on('error', () => undefined).end(name),
  );
  server.on('tlsClientError', () => undefined).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function folder(t: TestContext, authority: TestAuthority, identity: CertificateFiles): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'attache-tls-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  await copyFile(authority.caPath, join(path, 'ca.pem'));
  await copyFile(identity.certPath, join(path, 'cert.pem'));
  await copyFile(identity.keyPath, join(path, 'key.pem'));
  return path;
}

test('TLS_SERVER_NAME is the name a candidate must have, whatever address it is dialed at', TIMEOUT, async (t) => {
  const authority = await createAuthority(t);
  const port = await startSecure(t, authority, { name: 'db', san: 'DNS:db.internal' });
  const material = await folder(t, authority, await authority.issue('client'));
  const env = { SRC: '127.0.0.1:0', DST: `127.0.0.1:${port}`, TLS_MODE: 'client', TLS_CERTPATH: material };
  const named = startAttache(t, { env: { ...env, TLS_SERVER_NAME: 'db.internal' } });
  assert.equal(await ask(await named.port()), 'db');
  const unnamed = startAttache(t, { env });
  assert.equal(await ask(await unnamed.port()), '');
  const line = await unnamed.line(({ msg }) => msg === 'connection closed');
  assert.equal(line['reason'], 'no_candidate_answered');
  assert.match(JSON.stringify(line['attempts']), /ERR_TLS_CERT_ALTNAME_INVALID/);
});

test(
  'tls-client with discovery: round-robin, a bad certificate passed over by RETRIES, a new member used',
  TIMEOUT,
  async (t) => {
    const authority = await createAuthority(t);
    const stranger = await createAuthority(t);
    const local = 'IP:127.0.0.1';
    const ports = [
      await startSecure(t, authority, { name: 'a', san: local }),
      await startSecure(t, authority, { name: 'b', san: local }),
    ];
    const bad = await startSecure(t, stranger, { name: 'bad', san: local });
    const registry = await mkdtemp(join(tmpdir(), 'attache-registry-'));
    t.after(() => rm(registry, { recursive: true, force: true }));
    const members = join(registry, 'srv', 'tls');
    await mkdir(members, { recursive: true });
    for (const port of ports) await writeFile(join(members, `127.0.0.1:${port}`), '');
    const attache = startAttache(t, {
      env: {
        SRC: '127.0.0.1:0',
        SRV: '/srv/tls',
        DSC: `file://${registry}`,
        LB: 'true',
        RETRIES: '2',
        TLS_MODE: 'client',
        TLS_CERTPATH: await folder(t, authority, await authority.issue('client')),
      },
    });
    const port = await attache.port();
    const hasMembers = (count: number) =>
      attache.line((line) => line.msg === 'candidates changed' && line['candidates'] === count);
    await hasMembers(2);
    const four = [await ask(port), await ask(port), await ask(port), await ask(port)];
    assert.deepEqual(four.sort(), ['a', 'a', 'b', 'b']);
    await writeFile(join(members, `127.0.0.1:${bad}`), '');
    await hasMembers(3);
    const six = [];
    for (let i = 0; i < 6; i += 1) six.push(await ask(port));
    assert.ok(
      six.every((name) => name === 'a' || name === 'b'),
      six.join(),
    );
    const resumed = attache.lines.filter((line) => line.msg === 'connection closed' && line['tlsResumed'] === true);
    assert.ok(resumed.length > 0, 'sessions are taken up again');
  },
);

test(
  'material from S3: trouble that can pass is waited out, others serve meanwhile, no credential is shown',
  TIMEOUT,
  async (t) => {
    const authority = await createAuthority(t);
    const s3 = await startS3(t);
    await putMaterial(s3, 'client', { caPath: authority.caPath, identity: await authority.issue('client') });
    const port = await startSecure(t, authority, { name: 'behind', san: 'IP:127.0.0.1' });
    const plain = await startNamed(t, 'plain');
    s3.answer(...Array.from({ length: 3 }, () => s3Error(500, 'InternalError')));
    const attache = startAttache(t, {
      env: {
        ...s3Environment(s3),
        LOG_LEVEL: 'debug',
        SRC_TLS: '127.0.0.1:0',
        DST_TLS: `127.0.0.1:${port}`,
        TLS_MODE_TLS: 'client',
        TLS_CERTPATH_TLS: 's3://material/client',
        SRC_PLAIN: '127.0.0.1:0',
        DST_PLAIN: `127.0.0.1:${plain.port}`,
      },
    });
    assert.equal(await ask(await attache.port('plain')), 'plain');
    assert.equal(await ask(await attache.port('tls')), 'behind');
    assert.ok(s3.statuses.includes(500), 'there was trouble');
    attache.child.kill('SIGTERM');
    assert.equal(await attache.exited, 0);
    const said = JSON.stringify(attache.lines) + attache.stderr();
    assert.ok(!said.includes(ACCOUNT.AWS_SECRET_ACCESS_KEY), 'no credential in the log');
  },
);

test('material that S3 does not have: exit 78 that names bucket and key', TIMEOUT, async (t) => {
  const s3 = await startS3(t);
  const attache = startAttache(t, {
    env: {
      ...s3Environment(s3),
      SRC: '127.0.0.1:0',
      DST: '127.0.0.1:1',
      TLS_MODE: 'client',
      TLS_CERTPATH: 's3://material/nothing',
    },
  });
  assert.equal(await attache.exited, 78);
  assert.match(JSON.stringify(attache.lines), /s3:\/\/material\/nothing\/key\.pem/);
});

for (const [what, options] of [
  ['TLSv1.3', {}],
  ['TLSv1.3 without sessions', { secureOptions: constants.SSL_OP_NO_TICKET }],
  ['TLSv1.2', { maxVersion: 'TLSv1.2' }],
  ['TLSv1.2 without sessions', { maxVersion: 'TLSv1.2', secureOptions: constants.SSL_OP_NO_TICKET }],
] as const) {
  test(
    `a candidate that answers and closes right behind its handshake is finished, 50 of 50 (${what})`,
    TIMEOUT,
    async (t) => {
      const authority = await createAuthority(t);
      const port = await startSecure(t, authority, { name: 'short', san: 'IP:127.0.0.1', ...options });
      const attache = startAttache(t, {
        env: {
          SRC: '127.0.0.1:0',
          DST: `127.0.0.1:${port}`,
          TLS_MODE: 'client',
          TLS_CERTPATH: await folder(t, authority, await authority.issue('client')),
        },
      });
      const through = await attache.port();
      for (let i = 0; i < 50; i += 1) assert.equal(await ask(through), 'short');
      await attache.line(({ msg }) => msg === 'connection closed', 50);
      const reasons = attache.lines.filter(({ msg }) => msg === 'connection closed').map((line) => line['reason']);
      assert.deepEqual([...new Set(reasons)], ['finished']);
    },
  );
}

test(
  'a client that is refused is refused again when it takes up the session it was given, and never dialed for',
  TIMEOUT,
  async (t) => {
    const authority = await createAuthority(t);
    const stranger = await createAuthority(t);
    const backend = await startNamed(t, 'secret');
    const attache = startAttache(t, {
      env: {
        SRC: '127.0.0.1:0',
        DST: `127.0.0.1:${backend.port}`,
        TLS_MODE: 'server',
        TLS_CERTPATH: await folder(t, authority, await authority.issue('server')),
        TLS_ALLOW: 'dns:allowed.internal',
      },
    });
    const port = await attache.port();
    const refused = [
      pemOf({ caPath: authority.caPath, identity: await authority.issue('other', ['DNS:other.internal']) }),
      { ...pemOf({ caPath: stranger.caPath, identity: await stranger.issue('x', ['DNS:allowed.internal']) }) },
    ];
    let connections = 0;
    for (const identity of refused) {
      const trust = { ...identity, ca: readFileSync(authority.caPath) };
      let session: Buffer | undefined;
      for (let i = 0; i < 3; i += 1) {
        const socket = connect({ port, host: '127.0.0.1', ...trust, ...(session === undefined ? {} : { session }) });
        let got = '';
        socket.on('error', () => undefined).on('session', (latest: Buffer) => (session = latest));
        socket.on('data', (chunk: Buffer) => (got += chunk.toString()));
        socket.write('let me in');
        await eventually(() => socket.closed, 'it is closed');
        connections += 1;
        const line = await attache.line(({ msg }) => msg === 'connection closed', connections);
        assert.deepEqual([line['reason'], line['candidate'], got], ['tls_peer_refused', undefined, '']);
      }
    }
    assert.equal(backend.sockets.length, 0);
  },
);

test(
  'TLS to a plain listener is bytes like any others: the candidate gets the ClientHello, and may answer it',
  TIMEOUT,
  async (t) => {
    const authority = await createAuthority(t);
    const port = await startSecure(t, authority, { name: 'end-to-end', san: 'DNS:localhost' });
    const attache = startAttache(t, { env: { SRC: '127.0.0.1:0', DST: `127.0.0.1:${port}` } });
    const identity = await authority.issue('client');
    const socket = connect({
      port: await attache.port(),
      host: '127.0.0.1',
      servername: 'localhost',
      ...pemOf({ caPath: authority.caPath, identity }),
    });
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    assert.equal(chunk.toString(), 'end-to-end');
    socket.destroy();
  },
);
