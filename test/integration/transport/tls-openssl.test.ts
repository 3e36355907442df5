import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { createAuthority, type CertificateFiles } from '../../support/certificates.ts';
import { startSClient, startSServer } from '../../support/openssl-peers.ts';
import { startService, type TestService } from '../../support/service.ts';
import { Stopwatch } from '../../support/stopwatch.ts';
import { connectTo, readAll, startEcho, startNamed } from '../../support/tcp.ts';
import { accepting, connectTls, dialingTls, pemOf } from '../../support/tls-service.ts';
import { eventually } from '../../support/wait.ts';

const TIMEOUT = { timeout: 60_000 };
const DAY_MS = 86_400_000;
const OLD = ['-cipher', 'DEFAULT@SECLEVEL=0'];
/** Each with the arguments that keep openssl to it. */
const good: readonly (readonly [string, readonly string[]])[] = [
  ['TLSv1.2', ['-tls1_2']],
  ['TLSv1.3', ['-tls1_3']],
];
const old: readonly (readonly [string, readonly string[]])[] = [
  ['TLSv1.0', ['-tls1', ...OLD]],
  ['TLSv1.1', ['-tls1_1', ...OLD]],
];

test('server mode: openssl s_client with RSA, ECDSA and Ed25519 over TLS 1.2 and 1.3 is served', TIMEOUT, async (t) => {
  const made = await makeCertificates(t);
  const { service } = await serverMode(t, made.authority.caPath, made.ec);
  let n = 0;
  for (const kind of ['ec', 'rsa', 'ed25519'] as const) {
    for (const [version, args] of good) {
      const client = startSClient(t, service.port, [...args, ...ownOf(made[kind])]);
      client.write('hello\n');
      await eventually(() => client.output().includes('hello'), `${kind} ${version}: ${client.output()}`);
      client.write('again\n');
      await eventually(() => client.output().includes('again'), `${kind} ${version}: ${client.output()}`);
      await client.stop();
      const closed = await service.closedOne((n += 1));
      assert.deepEqual(closed.tls, { peer: 'localhost', version, resumed: false });
      // kill -9 leaves a FIN and no close_notify.
      assert.deepEqual([closed.reason, closed.unclean], ['finished', true]);
    }
  }
});

test('server mode: every bad client certificate is refused before any dial, with its reason', TIMEOUT, async (t) => {
  const made = await makeCertificates(t);
  const { service, candidate } = await serverMode(t, made.authority.caPath, made.ec);
  const bad: readonly (readonly [string, readonly string[], string])[] = [
    ['missing', [], 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE'],
    ['wrong CA', ownOf(made.otherCa), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['self-signed', ownOf(made.selfSigned), 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['expired', ownOf(made.expired), 'CERT_HAS_EXPIRED'],
    ['not yet valid', ownOf(made.future), 'CERT_NOT_YET_VALID'],
    ['for servers alone', ownOf(made.serverOnly), 'INVALID_PURPOSE'],
  ];
  let n = 0;
  for (const [version, args] of good) {
    for (const [name, own, code] of bad) {
      const client = startSClient(t, service.port, [...args, ...own]);
      client.write('hello\n');
      const closed = await service.closedOne((n += 1));
      assert.deepEqual([closed.reason, failures(service).at(-1)], ['tls_peer_refused', code], `${name}, ${version}`);
      await eventually(() => client.hasExited(), `${name}, ${version}: the client is told to go`);
      assert.ok(!client.output().includes('hello'));
    }
  }
  assert.equal(candidate.sockets.length, 0);
});

test('server mode: TLS 1.0 and 1.1 are refused before any dial', TIMEOUT, async (t) => {
  const made = await makeCertificates(t);
  const { service, candidate } = await serverMode(t, made.authority.caPath, made.rsa);
  for (const [version, args] of old) {
    const client = startSClient(t, service.port, [...args, ...ownOf(made.rsa)]);
    await eventually(() => client.hasExited(), `${version} is refused`);
  }
  assert.equal((await service.closedOne(2)).reason, 'tls_handshake_failed');
  assert.deepEqual(failures(service), ['ERR_SSL_UNSUPPORTED_PROTOCOL', 'ERR_SSL_UNSUPPORTED_PROTOCOL']);
  assert.equal(candidate.sockets.length, 0);
});

test('server mode: a client that asks for a renegotiation is refused one', TIMEOUT, async (t) => {
  const made = await makeCertificates(t);
  const { authority, ec } = made;
  const { service } = await serverMode(t, authority.caPath, ec);
  const client = pemOf({ caPath: authority.caPath, identity: ec });
  const socket = await connectTls(service.port, { ...client, maxVersion: 'TLSv1.2' });
  t.after(() => socket.destroy());
  const answer = await new Promise<string>((resolve) => {
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'an error'));
    socket.renegotiate({}, (error) => resolve(error === null ? 'renegotiated' : 'an error'));
    socket.write('and on');
  });
  assert.notEqual(answer, 'renegotiated');
});

test(
  'client mode: openssl s_server with RSA, ECDSA and Ed25519 over TLS 1.2 and 1.3 is spoken to',
  TIMEOUT,
  async (t) => {
    const made = await makeCertificates(t);
    for (const kind of ['ec', 'rsa', 'ed25519'] as const) {
      for (const [version, args] of good) {
        const server = await startSServer(t, [...args, ...ownOf(made[kind]), ...verifying(made.authority.caPath)]);
        const service = await startService(t, {
          candidates: [server.address],
          dialing: { tls: dialingTls({ caPath: made.authority.caPath, identity: made.ec }) },
        });
        const socket = await connectTo(service.port);
        socket.write('payload\n');
        await eventually(() => server.output().includes('payload'), `${kind} ${version}: ${server.output()}`);
        socket.destroy();
        assert.equal((await service.closedOne()).tls?.version, version);
        await server.stop();
      }
    }
  },
);

test('client mode: no bad candidate gets a byte of payload, and the next one is used', TIMEOUT, async (t) => {
  const made = await makeCertificates(t);
  const bad: readonly (readonly [string, readonly string[], string | RegExp])[] = [
    ['wrong CA', ownOf(made.otherCa), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['self-signed', ownOf(made.selfSigned), 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['expired', ownOf(made.expired), 'CERT_HAS_EXPIRED'],
    ['not yet valid', ownOf(made.future), 'CERT_NOT_YET_VALID'],
    ['wrong name', ownOf(made.otherName), 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['for clients alone', ownOf(made.clientOnly), 'INVALID_PURPOSE'],
    ['TLS 1.0', ['-tls1', ...OLD, ...ownOf(made.rsa)], /^ERR_SSL_/],
    ['TLS 1.1', ['-tls1_1', ...OLD, ...ownOf(made.rsa)], /^ERR_SSL_/],
  ];
  for (const [name, args, code] of bad) {
    const server = await startSServer(t, args);
    const fallback = await startSServer(t, ownOf(made.ec));
    const service = await startService(t, {
      candidates: [server.address, fallback.address],
      dialing: { tls: dialingTls({ caPath: made.authority.caPath, identity: made.ec }) },
    });
    const socket = await connectTo(service.port);
    socket.write('payload\n');
    await eventually(() => fallback.output().includes('payload'), `${name}: ${fallback.output()}`);
    assert.ok(!server.output().includes('payload'), name);
    socket.destroy();
    const outcome = (await service.closedOne()).attempts[0]?.outcome ?? '';
    if (typeof code === 'string') assert.equal(outcome, code, name);
    else assert.match(outcome, code, name);
    await Promise.all([server.stop(), fallback.stop()]);
  }
});

test(
  'client mode: a plain candidate that speaks first is no answer, and the client is closed without a byte within 5 s',
  TIMEOUT,
  async (t) => {
    const made = await makeCertificates(t);
    const plain = await startNamed(t, 'plain');
    const service = await startService(t, {
      candidates: [plain.address],
      dialing: { tls: dialingTls({ caPath: made.authority.caPath, identity: made.ec }) },
    });
    const began = new Stopwatch();
    const socket = await connectTo(service.port);
    assert.equal((await readAll(socket)).bytes.length, 0);
    assert.ok(began.ms() < 5_000);
    assert.equal((await service.closedOne()).reason, 'no_candidate_answered');
  },
);

async function makeCertificates(t: TestContext) {
  const authority = await createAuthority(t);
  const other = await createAuthority(t);
  const names = ['DNS:localhost', 'IP:127.0.0.1'];
  const past = { notBefore: new Date(Date.now() - 2 * DAY_MS), notAfter: new Date(Date.now() - DAY_MS) };
  return {
    authority,
    ec: await authority.issue('ec', names),
    rsa: await authority.issue('rsa', names, { key: { type: 'rsa' } }),
    ed25519: await authority.issue('ed25519', names, { key: { type: 'ed25519' } }),
    expired: await authority.issue('expired', names, past),
    future: await authority.issue('future', names, { notBefore: new Date(Date.now() + DAY_MS) }),
    otherName: await authority.issue('other-name', ['DNS:other.internal']),
    serverOnly: await authority.issue('server-only', names, { usages: ['serverAuth'] }),
    clientOnly: await authority.issue('client-only', names, { usages: ['clientAuth'] }),
    otherCa: await other.issue('other-ca', names),
    selfSigned: await signItself(authority.caPath.replace(/ca\.pem$/, 'self')),
  };
}

async function signItself(path: string): Promise<CertificateFiles> {
  const [certPath, keyPath] = [`${path}.pem`, `${path}-key.pem`];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyPath];
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const leaf = ['-addext', 'basicConstraints=critical,CA:FALSE', '-days', '2', '-out', certPath];
  await promisify(execFile)('openssl', ['req', '-x509', ...key, ...names, ...leaf]);
  return { certPath, keyPath, chainPath: certPath };
}

async function serverMode(t: TestContext, caPath: string, identity: CertificateFiles) {
  const candidate = await startEcho(t);
  const service = await startService(t, {
    candidates: [candidate.address],
    accepting: accepting({ caPath, identity }),
  });
  return { candidate, service };
}

function ownOf({ certPath, keyPath }: CertificateFiles): readonly string[] {
  return ['-cert', certPath, '-key', keyPath];
}

/** The server refuses clients without a good certificate. */
function verifying(caPath: string): readonly string[] {
  return ['-Verify', '1', '-verify_return_error', '-CAfile', caPath];
}

function failures(service: TestService): readonly string[] {
  return service.events.flatMap((event) => (event.type === 'tls-failed' ? [event.code] : []));
}
