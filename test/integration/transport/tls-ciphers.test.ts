import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { getCiphers, type ConnectionOptions, type SecureVersion, type TLSSocket } from 'node:tls';
import { createAuthority, type CertificateFiles, type TestAuthority } from '../../support/certificates.ts';
import { runAttache } from '../../support/attache.ts';
import { startService } from '../../support/service.ts';
import { connectTo, readAll, startEcho } from '../../support/tcp.ts';
import { accepting, dialingTls, openTls, pemOf, startTlsServer, type TlsFiles } from '../../support/tls-service.ts';

const TIMEOUT = { timeout: 60_000 };
/** OpenSSL has them, and Node does not tell. */
const UNLISTED = [
  'AES128-CCM',
  'AES128-CCM8',
  'ECDHE-ECDSA-AES128-CCM',
  'ECDHE-ECDSA-AES256-CCM8',
  'DHE-RSA-AES128-CCM8',
];
const ALL_SUITES = [...getCiphers().map((name) => name.toUpperCase()), ...UNLISTED].filter(
  (name) => !/PSK|SRP/.test(name),
);
const AEAD_WITH_NEW_KEYS = /^ECDHE-(?:RSA|ECDSA)-(?:AES(?:128|256)-GCM-SHA(?:256|384)|CHACHA20-POLY1305)$/;
const MODERN = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'];

test('server mode: of all suites only ECDHE with AEAD and three of TLS 1.3 are taken', TIMEOUT, async (t) => {
  const { authority, ec, rsa } = await makeCertificates(t);
  const taken = new Set<string>();
  for (const identity of [ec, rsa]) {
    const port = await serve(t, { caPath: authority.caPath, identity });
    const client = pemOf({ caPath: authority.caPath, identity });
    for (const name of ALL_SUITES) if (await isTaken(port, { ...client, name })) taken.add(name);
  }
  assert.ok(ALL_SUITES.length > 25, `only ${ALL_SUITES.length} suites were tried`);
  assert.deepEqual([...taken].filter((name) => name.startsWith('TLS_')).sort(), MODERN);
  const older = [...taken].filter((name) => !name.startsWith('TLS_'));
  assert.deepEqual(
    older.filter((name) => !AEAD_WITH_NEW_KEYS.test(name)),
    [],
  );
  assert.equal(older.length, 6);
});

test(
  'client mode: a candidate that has static RSA or CBC alone is refused, and TLS_CIPHERS takes it',
  TIMEOUT,
  async (t) => {
    const { authority, rsa } = await makeCertificates(t);
    const { caPath } = authority;
    for (const ciphers of ['AES128-GCM-SHA256', 'ECDHE-RSA-AES128-SHA']) {
      const pem = { ...pemOf({ caPath, identity: rsa }), ciphers, maxVersion: 'TLSv1.2' as const };
      const candidate = await startTlsServer(t, pem);
      const carries = async (files: TlsFiles) => {
        const service = await startService(t, { candidates: [candidate.address], dialing: { tls: dialingTls(files) } });
        const socket = await connectTo(service.port);
        socket.end('hello');
        return (await readAll(socket)).bytes.toString();
      };
      assert.equal(await carries({ caPath, identity: rsa }), '', ciphers);
      assert.equal(await carries({ caPath, identity: rsa, ciphers: [ciphers] }), 'hello', ciphers);
    }
  },
);

test('server mode: TLS_CIPHERS for TLS 1.2 leaves TLS 1.3 as it is, and the other way round', TIMEOUT, async (t) => {
  const { authority, rsa } = await makeCertificates(t);
  const files = { caPath: authority.caPath, identity: rsa };
  const client = pemOf(files);
  const old = await serve(t, { ...files, ciphers: ['AES256-SHA'] });
  assert.equal(await isTaken(old, { ...client, name: 'AES256-SHA' }), true);
  assert.equal(await isTaken(old, { ...client, name: 'ECDHE-RSA-AES128-GCM-SHA256' }), false);
  assert.equal(await isTaken(old, { ...client, name: 'TLS_AES_128_GCM_SHA256' }), true);
  const modern = await serve(t, { ...files, ciphers: ['TLS_AES_128_GCM_SHA256'] });
  assert.equal(await isTaken(modern, { ...client, name: 'TLS_AES_256_GCM_SHA384' }), false);
  assert.equal(await isTaken(modern, { ...client, name: 'ECDHE-RSA-AES128-GCM-SHA256' }), true);
});

test('a list with a suite that OpenSSL does not know is exit 78, and names TLS_CIPHERS', TIMEOUT, async (t) => {
  const env = { SRC: '127.0.0.1:0', DST: '127.0.0.1:1', TLS_MODE: 'client' };
  const run = await runAttache(t, { env: { ...env, TLS_CIPHERS: 'ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GMC' } });
  assert.equal(run.code, 78);
  assert.match(
    run.stdout + run.stderr,
    /TLS_CIPHERS: expected OpenSSL's name of a cipher suite .* got \\?"ECDHE-RSA-AES128-GMC/,
  );
});

async function makeCertificates(
  t: TestContext,
): Promise<Record<'ec' | 'rsa', CertificateFiles> & { authority: TestAuthority }> {
  const authority = await createAuthority(t);
  const names = ['DNS:localhost'];
  const ec = await authority.issue('ec', names);
  return { authority, ec, rsa: await authority.issue('rsa', names, { key: { type: 'rsa' } }) };
}

async function serve(t: TestContext, files: TlsFiles): Promise<number> {
  const echo = await startEcho(t);
  return (await startService(t, { candidates: [echo.address], accepting: accepting(files) })).port;
}

async function isTaken(
  port: number,
  { name, ...pem }: ConnectionOptions & { readonly name: string },
): Promise<boolean> {
  const isModern = name.startsWith('TLS_');
  const version: SecureVersion = isModern ? 'TLSv1.3' : 'TLSv1.2';
  const ciphers = isModern ? name : `${name}:@SECLEVEL=0`;
  const socket = openTls(port, { ...pem, ciphers, minVersion: version, maxVersion: version });
  try {
    return await Promise.race([once(socket, 'secureConnect').then(() => true), closed(socket)]);
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function closed(socket: TLSSocket): Promise<false> {
  await once(socket, 'close');
  return false;
}
