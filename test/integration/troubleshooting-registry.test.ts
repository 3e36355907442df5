import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { startAttache, type Attache } from '../support/attache.ts';
import { createAuthority } from '../support/certificates.ts';
import { DIRECTORY, memberKey } from '../support/etcd-source.ts';
import { startEtcd, type EtcdNode } from '../support/etcd.ts';
import { quotedUnder } from '../support/quoted-lines.ts';
import { scratchFolder } from '../support/scratch.ts';
import { freePort } from '../support/tcp.ts';

const TIMEOUT = { timeout: 60_000 };

function start(t: TestContext, env: Readonly<Record<string, string>>): Attache {
  return startAttache(t, { env: { SRC: '127.0.0.1:0', SRV: DIRECTORY, ...env } });
}

/** Its users: `root`, and `stranger`, who may read nothing. */
async function guard({ api }: EtcdNode): Promise<void> {
  await api.call('auth/user/add', { name: 'root', password: 'root' });
  await api.call('auth/role/add', { name: 'root' });
  await api.call('auth/user/grant', { user: 'root', role: 'root' });
  await api.call('auth/user/add', { name: 'stranger', password: 'password' });
  await api.call('auth/enable', {});
}

test('troubleshooting: the registry does not answer', TIMEOUT, async (t) => {
  const quoted = quotedUnder('The registry does not answer');
  const errors = quoted.lines.map(({ error }) => String(error));
  const error = (code: string) => ({ error: errors.find((text) => text.startsWith(code)) });
  const [authority, frozen, guarded] = [await createAuthority(t), await startEtcd(t), await startEtcd(t)];
  const tls = { caPath: authority.caPath, server: await authority.issue('etcd'), client: await authority.issue('web') };
  const secure = await startEtcd(t, { tls });
  await guard(guarded);
  await frozen.api.put(memberKey('10.0.0.1:1'));

  const followed = start(t, { DSC: frozen.url });
  await followed.line(({ msg }) => msg === 'discovery synced');
  frozen.freeze();
  const stranger = { DSC: guarded.url, ETCD_USERNAME: 'stranger', ETCD_PASSWORD: 'password' };
  await Promise.all([
    quoted.said(followed, error('GRPCDeadlineExceededError')),
    quoted.said(start(t, { DSC: `http://127.0.0.1:${await freePort()}` }), error('ECONNREFUSED')),
    quoted.said(start(t, { DSC: guarded.url }), error('GRPCUnauthenticatedError')),
    quoted.said(start(t, { ...stranger, ETCD_PASSWORD: 'wrong' }), error('EtcdAuthenticationFailedError')),
    quoted.said(start(t, stranger), error('EtcdPermissionDeniedError')),
    quoted.said(start(t, { DSC: `http://localhost:${secure.port}` }), error('ECONNRESET')),
  ]);
  quoted.allWereSaid();

  const other = await createAuthority(t);
  const { certPath, keyPath } = tls.client;
  const distrusting = start(t, {
    DSC: secure.url,
    ETCD_CACERT: other.caPath,
    ETCD_CERT: certPath,
    ETCD_KEY: keyPath,
  });
  const line = await distrusting.line(({ msg }) => msg === 'discovery starting');
  assert.match(String(line['error']), /^UNABLE_TO_VERIFY_LEAF_SIGNATURE/);
});

test('troubleshooting: STATE_FILE', TIMEOUT, async (t) => {
  const quoted = quotedUnder('STATE_FILE');
  const [etcd, folder] = [await startEtcd(t), await scratchFolder(t)];
  await etcd.api.put(memberKey('10.0.0.1:1'));
  const env = { DSC: etcd.url, STATE_FILE: join(folder, 'sets') };
  await writeFile(env.STATE_FILE, '{');
  const first = start(t, env);
  await quoted.said(first, { outcome: 'ignored' });
  await first.line(({ msg }) => msg === 'discovery synced');
  await quoted.said(start(t, { ...env, STATE_FILE: join(folder, 'nowhere', 'sets') }), { outcome: 'unwritable' });
  first.child.kill('SIGTERM');
  assert.equal(await first.exited, 0);
  await etcd.kill();
  await quoted.said(start(t, env), { msg: 'discovery stale' });
  quoted.allWereSaid();
});
