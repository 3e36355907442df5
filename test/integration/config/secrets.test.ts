import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runAttache, startAttache } from '../../support/attache.ts';
import { createAuthority } from '../../support/certificates.ts';
import { startEtcd } from '../../support/etcd.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { freePort } from '../../support/tcp.ts';

const PASSWORD = 'correct-horse-battery';
const AWS_SECRET = 'wJalrXUtnFEMI-K7MDENG-bPxRfiCYEXAMPLEKEY';
const AWS_TOKEN = 'FwoGZXIvYXdzEBYaDOATESTTOKEN';
const KEY_LINE = /-----BEGIN[^-]*PRIVATE KEY-----/;

test('promise 41: no password, key, token or AWS secret in the log, check, status, metrics or readiness, whatever fails', async (t) => {
  const [etcd, http, nobody] = [await startEtcd(t), await freePort(), await freePort()];
  const authority = await createAuthority(t);
  const { keyPath } = await authority.issue('server');
  const folder = await scratchFolder(t);
  // A key where an authority belongs: the fault is told, its content is not.
  writeFileSync(join(folder, 'password'), `${PASSWORD}\n`);
  const env = {
    LOG_LEVEL: 'debug',
    HTTP_ADDR: `127.0.0.1:${http}`,
    DSC: etcd.url,
    ETCD_USERNAME: 'reader',
    ETCD_PASSWORD_FILE: join(folder, 'password'),
    AWS_SECRET_ACCESS_KEY: AWS_SECRET,
    AWS_ACCESS_KEY_ID: 'AKIDFORATEST',
    AWS_SESSION_TOKEN: AWS_TOKEN,
    AWS_REGION: 'us-east-1',
    AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${nobody}`,
    AWS_EC2_METADATA_DISABLED: 'true',
    SRC_FOUND: '127.0.0.1:0',
    SRV_FOUND: '/srv/found',
    SRC_SAFE: '127.0.0.1:0',
    DST_SAFE: '127.0.0.1:1',
    TLS_MODE_SAFE: 'server',
    TLS_CERTPATH_SAFE: 's3://bucket/safe',
  };
  const attache = startAttache(t, { env });
  await attache.line(({ msg, outcome }) => msg === 'tls material' && outcome === 'unavailable');
  await attache.line(({ msg, phase }) => msg === 'lifecycle' && phase === 'started');
  const said = [];
  for (const path of ['/readyz', '/status', '/metrics', '/connections']) {
    said.push(await (await fetch(`http://127.0.0.1:${http}${path}`)).text());
  }
  for (const args of [['check'], ['check', '--json']]) {
    const { code, stdout, stderr } = await runAttache(t, { args, env });
    assert.equal(code, 0);
    said.push(stdout, stderr);
  }
  const broken = { SRC: '127.0.0.1:0', DST: '127.0.0.1:1', TLS_MODE: 'server', ...partsFrom(keyPath) };
  const refused = await runAttache(t, { env: { ...broken, HTTP_ADDR: 'off', ADMIN_ADDR: 'off' } });
  assert.equal(refused.code, 78);
  attache.child.kill('SIGTERM');
  await attache.exited;
  said.push(refused.stdout, refused.stderr, attache.stderr(), ...attache.lines.map((line) => JSON.stringify(line)));
  const all = said.join('\n');
  for (const secret of [PASSWORD, AWS_SECRET, AWS_TOKEN]) assert.ok(!all.includes(secret), secret);
  assert.doesNotMatch(all, KEY_LINE);
  assert.match(all, /attache_/, 'metrics were among it');
});

/** Every part is the key: each is refused, by its name and kind. */
function partsFrom(keyPath: string): Readonly<Record<string, string>> {
  return { TLS_CACERT: keyPath, TLS_CERT: keyPath, TLS_KEY: keyPath };
}
