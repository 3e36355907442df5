import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { loadConfig } from '../../../src/config/load.ts';
import { replaceServices } from '../../../src/config/replace-services.ts';
import { ConfigError } from '../../../src/core/errors.ts';
import { scratchFolder } from '../../support/scratch.ts';

type Environment = Readonly<Record<string, string>>;

/** What is wrong with one service from outside; '' when nothing is. */
async function faultOf(env: Environment, service: object): Promise<string> {
  const own = { SERVICES_KEY: '/attache/web', ...env };
  const json = JSON.stringify([{ name: 'a', src: ':16379', dst: 'a:1', ...service }]);
  try {
    await replaceServices({ env: own, json, origin: 'list', start: loadConfig({ env: own }) });
    return '';
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.faults.map(({ setting, message }) => `${setting}: ${message}`).join('\n');
  }
}

/** Folders `tls`, `tls-other` and `tls/below`, each with files of the names that a folder of TLS has. */
async function folders(t: TestContext): Promise<string> {
  const root = await scratchFolder(t);
  for (const folder of ['tls', 'tls-other', 'tls/below']) {
    mkdirSync(join(root, folder));
    for (const name of ['ca.pem', 'cert.pem', 'key.pem']) writeFileSync(join(root, folder, name), 'x');
  }
  return root;
}

const withTls = (place: string) => ({ tls_mode: 'client', tls_certpath: place });

test('TLS files: those of the local TLS_CERTPATH and below may be named, no others', async (t) => {
  const root = await folders(t);
  const env = { TLS_CERTPATH: join(root, 'tls') };
  assert.equal(await faultOf(env, { tls_mode: 'client' }), '', 'the default');
  assert.equal(await faultOf(env, withTls(join(root, 'tls/below'))), '');
  for (const place of [join(root, 'tls-other'), root, join(root, 'tls/../tls-other'), 's3://bucket/tls'])
    assert.match(await faultOf(env, withTls(place)), /^list\[0\]\.tls_certpath: expected files in a folder of CONFIG/);
  assert.match(await faultOf(env, { tls_mode: 'client', tls_cacert: '/etc/passwd' }), /tls_certpath: .*"\/etc"$/);
  assert.match(await faultOf({}, withTls(join(root, 'tls'))), /tls_certpath: expected/, 'no local folder: none');
});

test('TLS files: what a link leads to counts', async (t) => {
  const root = await folders(t);
  const env = { TLS_CERTPATH: join(root, 'tls') };
  symlinkSync(join(root, 'tls-other'), join(root, 'tls/out'));
  symlinkSync('../tls-other/key.pem', join(root, 'tls/key-out.pem'));
  symlinkSync(join(root, 'tls/below'), join(root, 'in'));
  // As Kubernetes mounts a Secret: each file is a link into a folder that is a link.
  symlinkSync('below', join(root, 'tls/..data'));
  symlinkSync('..data/ca.pem', join(root, 'tls/ca-of-secret.pem'));
  assert.match(await faultOf(env, withTls(join(root, 'tls/out'))), /got ".*\/tls\/out" \(a link to ".*\/tls-other"\)/);
  const keyOut = { tls_mode: 'client', tls_key: join(root, 'tls/key-out.pem') };
  assert.match(await faultOf(env, keyOut), /\(a link to ".*\/tls-other"\)/);
  assert.equal(await faultOf(env, withTls(join(root, 'in'))), '');
  assert.equal(await faultOf(env, { tls_mode: 'client', tls_cacert: join(root, 'tls/ca-of-secret.pem') }), '');
  // The folder of the start may be a link itself.
  symlinkSync(join(root, 'tls-other'), join(root, 'link'));
  assert.equal(await faultOf({ TLS_CERTPATH: join(root, 'link') }, { tls_mode: 'client' }), '');
  // What is not there yet is judged by the folder that it would be in.
  assert.equal(await faultOf(env, withTls(join(root, 'tls/later'))), '');
  assert.match(await faultOf(env, withTls(join(root, 'tls/out/later'))), /tls_certpath: expected/);
});

test('CONFIG_ALLOW_PATHS names other folders, and prefixes in S3', async (t) => {
  const root = await folders(t);
  const env = {
    TLS_CERTPATH: join(root, 'tls'),
    CONFIG_ALLOW_PATHS: `${join(root, 'tls-other')}/,s3://bucket/web`,
  };
  assert.equal(await faultOf(env, withTls(join(root, 'tls-other'))), '');
  assert.match(await faultOf(env, withTls(join(root, 'tls'))), /tls_certpath: expected/);
  assert.equal(await faultOf(env, withTls('s3://bucket/web/a')), '');
  assert.match(await faultOf(env, withTls('s3://bucket/web-other')), /tls_certpath: expected/);
  const relative = () => loadConfig({ env: { SERVICES_KEY: '/a', CONFIG_ALLOW_PATHS: 'etc/tls' } });
  assert.throws(relative, /CONFIG_ALLOW_PATHS: expected the absolute path of a folder, or s3:\/\/bucket\/prefix/);
});

test('listeners: by default every port from 1024 on, and no Unix socket', async () => {
  assert.equal(await faultOf({}, { src: '127.0.0.1:1024' }), '');
  assert.equal(await faultOf({}, { src: '127.0.0.1:0' }), '');
  assert.match(await faultOf({}, { src: '127.0.0.1:1023' }), /list\[0\]\.src: expected a port from 1024 on/);
  assert.match(await faultOf({}, { src: 'unix:/run/a.sock' }), /list\[0\]\.src: expected a port, or a Unix socket/);
});

test('CONFIG_ALLOW_LISTEN: those alone', async () => {
  const env = { CONFIG_ALLOW_LISTEN: ':16000-16999, 127.0.0.1:80, [::1]:81, unix:/run/attache/, unix:/run/one.sock' };
  for (const src of [
    ':16000',
    '10.0.0.1:16999',
    '127.0.0.1:80',
    '[::1]:81',
    'unix:/run/attache/a',
    'unix:/run/one.sock',
  ])
    assert.equal(await faultOf(env, { src }), '', src);
  for (const src of [':15999', ':17000', ':80', '127.0.0.2:80', '127.0.0.1:0', 'unix:/run/a', 'unix:/run/attache/../a'])
    assert.match(await faultOf(env, { src }), /list\[0\]\.src: expected .*CONFIG_ALLOW_LISTEN allows/, src);
  for (const text of ['16000', ':16999-16000', ':0', ':1-70000', 'unix:run/', 'unix:/run/../etc/']) {
    const load = () => loadConfig({ env: { SERVICES_KEY: '/a', CONFIG_ALLOW_LISTEN: text } });
    assert.throws(load, /CONFIG_ALLOW_LISTEN: expected :port, :first-last/, text);
  }
});

test('link-local addresses are not dialed, nor asked by a check; settings of the process are no settings of a service', async () => {
  for (const dst of ['169.254.169.254:80', '[fe80::1]:80'])
    assert.match(await faultOf({}, { dst }), /list\[0\]\.dst: expected an address that may be dialed/, dst);
  const health_check = 'http://169.254.169.254/latest';
  assert.match(await faultOf({}, { health_check }), /list\[0\]\.health_check: expected an address that may be dialed/);
  for (const key of ['http_addr', 'admin_addr', 'log_level', 'etcd_password', 'state_file', 'config_allow_paths'])
    assert.match(
      await faultOf({}, { [key]: 'x' }),
      new RegExp(`list\\[0\\]\\.${key}: expected a setting of a service`),
    );
  assert.match(
    await faultOf({}, { dst: undefined, srv: '/srv/a', dsc: 'http://elsewhere:2379' }),
    /list\[0\]\.dsc: expe/,
  );
});

test('the secret of a default is read from its file', async (t) => {
  const file = join(await scratchFolder(t), 'password');
  writeFileSync(file, 'hunter2\n');
  const env = { SERVICES_KEY: '/a', HEALTH_PASSWORD_FILE: file };
  const json = JSON.stringify([{ name: 'a', src: ':16379', dst: 'a:1', health_check: 'redis' }]);
  const [service] = await replaceServices({ env, json, origin: 'list', start: loadConfig({ env }) });
  assert.deepEqual(service?.health?.check, { kind: 'redis', username: undefined, password: 'hunter2' });
});
