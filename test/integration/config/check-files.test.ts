import assert from 'node:assert/strict';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { runAttache } from '../../support/attache.ts';
import { createAuthority } from '../../support/certificates.ts';
import { scratchFolder } from '../../support/scratch.ts';

function check(t: TestContext, env: Readonly<Record<string, string>>, ...args: readonly string[]) {
  return runAttache(t, { args: ['check', ...args], env: { SRC: ':6379', DST: 'redis:6379', ...env } });
}

async function folder(t: TestContext): Promise<string> {
  const authority = await createAuthority(t);
  const { certPath, keyPath } = await authority.issue('server', ['DNS:localhost']);
  const place = await scratchFolder(t);
  for (const [from, to] of [
    [authority.caPath, 'ca.pem'],
    [certPath, 'cert.pem'],
    [keyPath, 'key.pem'],
  ] as const)
    await copyFile(from, join(place, to));
  return place;
}

test('check opens certificates and keys: good ones pass', async (t) => {
  const { code, stdout, stderr } = await check(t, { TLS_MODE: 'server', TLS_CERTPATH: await folder(t) });
  assert.deepEqual([code, stderr], [0, '']);
  assert.match(stdout, /^service default /);
});

test('check names every file that is missing, exit 78; with --no-files none is opened', async (t) => {
  const env = { TLS_MODE: 'server', TLS_CERTPATH: '/nowhere' };
  const missing = await check(t, env);
  assert.equal(missing.code, 78);
  assert.match(missing.stderr, /^attache: the configuration cannot be used\n/);
  for (const name of ['ca', 'cert', 'key'])
    assert.match(missing.stderr, new RegExp(`^SRC: /nowhere/${name}[.]pem: .*ENOENT`, 'm'));
  const unopened = await check(t, env, '--no-files');
  assert.deepEqual([unopened.code, unopened.stderr], [0, '']);
});

test('check refuses a key that belongs to another certificate, as the start would', async (t) => {
  const [place, other] = [await folder(t), await folder(t)];
  await copyFile(join(other, 'key.pem'), join(place, 'key.pem'));
  const env = { TLS_MODE: 'server', TLS_CERTPATH: place };
  const { code, stderr } = await check(t, env);
  assert.equal(code, 78);
  assert.match(stderr, /^SRC: .*key[.]pem/m);
  const started = await runAttache(t, {
    env: { SRC: '127.0.0.1:0', DST: 'redis:6379', HTTP_ADDR: 'off', ADMIN_ADDR: 'off', ...env },
  });
  assert.equal(started.code, 78);
});

test('check opens the files for etcd, and says which part of S3 it has not read', async (t) => {
  const etcd = { SRC: ':6379', SRV: '/srv/redis', DSC: 'https://etcd:2379', ETCD_CACERT: '/nowhere/ca.pem' };
  const missing = await runAttache(t, { args: ['check'], env: etcd });
  assert.equal(missing.code, 78);
  assert.match(
    missing.stderr,
    /^ETCD_CACERT: expected the path of a readable file, got "\/nowhere\/ca[.]pem" \(ENOENT\)$/m,
  );
  const { SRC, SRV, DSC, ETCD_CACERT } = etcd;
  const ofOne = { SRC_A: SRC, SRV_A: SRV, DSC_A: DSC, ETCD_CACERT };
  assert.equal((await runAttache(t, { args: ['check'], env: ofOne })).code, 78, 'one service alone has that etcd');
  const { code, stderr } = await check(t, { TLS_MODE: 'client', TLS_CACERT: 's3://bucket/ca.pem' });
  assert.deepEqual([code, stderr], [0, 'warning: SRC: s3://bucket/ca.pem is in S3 and was not read\n']);
});

test('check opens the files for Sentinels, and judges them', async (t) => {
  const [place, other] = [await folder(t), await folder(t)];
  const env = {
    ...{ SRC: ':6379', SRV: 'mymaster', DSC: 'sentinel://sentinel:26379', SENTINEL_TLS: 'true' },
    SENTINEL_CACERT: join(place, 'ca.pem'),
    SENTINEL_CERT: join(place, 'cert.pem'),
    SENTINEL_KEY: join(place, 'key.pem'),
  };
  const told = async (changes: Readonly<Record<string, string>>) => {
    const { code, stderr } = await runAttache(t, { args: ['check'], env: { ...env, ...changes } });
    return code === 0 ? stderr : stderr.split('\n').filter((line) => line.startsWith('SENTINEL'));
  };
  assert.equal(await told({}), '');
  assert.deepEqual(await told({ SENTINEL_CACERT: '/nowhere/ca.pem', SENTINEL_KEY: '/nowhere/key.pem' }), [
    'SENTINEL_CACERT: expected the path of a readable file, got "/nowhere/ca.pem" (ENOENT)',
    'SENTINEL_KEY: expected the path of a readable file, got "/nowhere/key.pem" (ENOENT)',
  ]);
  const noCertificate = join(place, 'key.pem');
  assert.deepEqual(await told({ SENTINEL_CACERT: noCertificate, SENTINEL_CERT: noCertificate }), [
    `SENTINEL_CACERT: expected certificates in PEM, got "${noCertificate}"`,
    `SENTINEL_CERT: expected a certificate in PEM, got "${noCertificate}"`,
  ]);
  for (const key of [join(other, 'key.pem'), join(place, 'ca.pem')]) {
    const fault = `SENTINEL_KEY: expected the key of SENTINEL_CERT in PEM, got "${key}"`;
    assert.deepEqual(await told({ SENTINEL_KEY: key }), [fault]);
  }
  // One service alone asks Sentinels.
  const { DSC, SRV, SRC, ...files } = env;
  const ofOne = { SRC_A: SRC, SRV_A: SRV, DSC_A: DSC, ...files, SENTINEL_CACERT: '/nowhere' };
  const { code, stderr } = await runAttache(t, { args: ['check'], env: ofOne });
  assert.equal(code, 78);
  assert.match(stderr, /^SENTINEL_CACERT: expected the path of a readable file, got "[/]nowhere" \(ENOENT\)$/m);
});
