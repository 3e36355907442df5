import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startAttache, type LogLine } from '../../../support/attache.ts';
import { createAuthority } from '../../../support/certificates.ts';
import { startEtcd, type EtcdNode } from '../../../support/etcd.ts';
import { ask, startNamed } from '../../../support/tcp.ts';

const PASSWORD = 'correct-horse-battery';
const isServed = (line: LogLine) => line.msg === 'candidates changed' && line['candidates'] === 1;

async function guard({ api }: EtcdNode): Promise<void> {
  await api.call('auth/user/add', { name: 'root', password: PASSWORD });
  await api.call('auth/role/add', { name: 'root' });
  await api.call('auth/user/grant', { user: 'root', role: 'root' });
  await api.call('auth/enable', {});
}

test('promise 41: user and password from the environment and from a file reach etcd, and neither reaches the log', async (t) => {
  const etcd = await startEtcd(t);
  const server = await startNamed(t, 'behind a password');
  await etcd.api.put(`/srv/app/127.0.0.1:${server.port}`);
  await guard(etcd);
  const folder = mkdtempSync(join(tmpdir(), 'attache-secret-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'password');
  writeFileSync(file, `${PASSWORD}\n`);

  for (const settings of [
    { ETCD_USERNAME: 'root', ETCD_PASSWORD: PASSWORD },
    { ETCD_USERNAME: 'root', ETCD_PASSWORD_FILE: file },
    { ETCDCTL_USER: `root:${PASSWORD}` },
  ]) {
    const attache = startAttache(t, {
      env: { SRC: '127.0.0.1:0', SRV: '/srv/app', DSC: etcd.url, LOG_LEVEL: 'debug', ...settings },
    });
    await attache.line(isServed);
    assert.equal(await ask(await attache.port()), 'behind a password');
    attache.child.kill('SIGTERM');
    await attache.exited;
    assert.ok(!JSON.stringify(attache.lines).includes(PASSWORD) && !attache.stderr().includes(PASSWORD));
  }
});

test('a wrong password is said in the log, without it, and the process stays up', async (t) => {
  const etcd = await startEtcd(t);
  await guard(etcd);
  const wrong = 'not-the-password';
  const attache = startAttache(t, {
    env: { SRC: '127.0.0.1:0', SRV: '/srv/app', DSC: etcd.url, ETCD_USERNAME: 'root', ETCD_PASSWORD: wrong },
  });
  const complaint = await attache.line((line) => line.msg === 'discovery starting' && line['error'] !== undefined);
  assert.match(String(complaint['error']), /auth/i);
  assert.equal(await ask(await attache.port()), '');
  assert.ok(!JSON.stringify(attache.lines).includes(wrong));
});

for (const prefix of ['ETCD', 'ETCDCTL']) {
  test(`TLS to etcd by the ${prefix}_ settings`, async (t) => {
    const authority = await createAuthority(t);
    const [server, client] = [await authority.issue('etcd-server'), await authority.issue('etcd-client')];
    const etcd = await startEtcd(t, { tls: { caPath: authority.caPath, server, client } });
    const backend = await startNamed(t, 'behind TLS');
    await etcd.api.put(`/srv/app/127.0.0.1:${backend.port}`);
    const attache = startAttache(t, {
      env: {
        SRC: '127.0.0.1:0',
        SRV: '/srv/app',
        DSC: etcd.url,
        [`${prefix}_CACERT`]: authority.caPath,
        [`${prefix}_CERT`]: client.certPath,
        [`${prefix}_KEY`]: client.keyPath,
      },
    });
    await attache.line(isServed);
    assert.equal(await ask(await attache.port()), 'behind TLS');
  });
}
