import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { startAttache, type Attache, type LogLine } from '../../support/attache.ts';
import { createAuthority } from '../../support/certificates.ts';
import { DIRECTORY, memberKey } from '../../support/etcd-source.ts';
import { startEtcd, type EtcdNode } from '../../support/etcd.ts';
import { quotedUnder } from '../../support/quoted-lines.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { freePort } from '../../support/tcp.ts';

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

const isStarting = ({ msg }: LogLine) => msg === 'discovery starting';

/** One whose first fault is this one: the log has only the first, and on a loaded machine that can be a time-out. */
async function failing(t: TestContext, code: string, env: Readonly<Record<string, string>>): Promise<Attache> {
  for (let attempt = 1; ; attempt += 1) {
    const attache = start(t, env);
    const { error } = await attache.line(isStarting);
    if (attempt === 3 || String(error).startsWith(code)) return attache;
  }
}

test('troubleshooting: the registry does not answer', TIMEOUT, async (t) => {
  const quoted = quotedUnder('The registry does not answer');
  const errors = quoted.lines.map(({ error }) => String(error));
  const [authority, frozen, guarded] = [await createAuthority(t), await startEtcd(t), await startEtcd(t)];
  const tls = { caPath: authority.caPath, server: await authority.issue('etcd'), client: await authority.issue('web') };
  const secure = await startEtcd(t, { tls });
  await guard(guarded);
  frozen.freeze();
  const stranger = { DSC: guarded.url, ETCD_USERNAME: 'stranger', ETCD_PASSWORD: 'password' };
  const cases = {
    ECONNREFUSED: { DSC: `http://127.0.0.1:${await freePort()}` },
    TIMEOUT: { DSC: frozen.url },
    ECONNRESET: { DSC: `http://localhost:${secure.port}` },
    GRPCUnauthenticatedError: { DSC: guarded.url },
    EtcdAuthenticationFailedError: { ...stranger, ETCD_PASSWORD: 'wrong' },
    EtcdPermissionDeniedError: stranger,
  };
  await Promise.all(
    Object.entries(cases).map(async ([code, env]) => {
      const error = errors.find((text) => text.startsWith(code));
      await quoted.said(await failing(t, code, env), { error });
    }),
  );
  quoted.allWereSaid();

  const other = await createAuthority(t);
  const { certPath, keyPath } = tls.client;
  const distrusting = { DSC: secure.url, ETCD_CACERT: other.caPath, ETCD_CERT: certPath, ETCD_KEY: keyPath };
  const code = 'UNABLE_TO_VERIFY_LEAF_SIGNATURE';
  const { error } = await (await failing(t, code, distrusting)).line(isStarting);
  assert.ok(String(error).startsWith(code));
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
