import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { DIRECTORY, memberKey, startSource } from '../../../support/etcd-source.ts';
import { startEtcd, type EtcdNode } from '../../../support/etcd.ts';
import { startFaultProxy } from '../../../support/fault-proxy.ts';

const PASSWORD = 'correct-horse-battery';

/** An etcd that knows `root` and `reader`, who may read the directory alone. */
async function startGuarded(t: TestContext, args: readonly string[] = []): Promise<EtcdNode> {
  const etcd = await startEtcd(t, { args });
  const { api } = etcd;
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  await api.put(memberKey('10.0.0.1:1'));
  await api.call('auth/user/add', { name: 'root', password: 'root' });
  await api.call('auth/role/add', { name: 'root' });
  await api.call('auth/user/grant', { user: 'root', role: 'root' });
  await api.call('auth/user/add', { name: 'reader', password: PASSWORD });
  await api.call('auth/role/add', { name: 'reads' });
  const perm = { permType: 'READ', key: base64(`${DIRECTORY}/`), range_end: base64(`${DIRECTORY}0`) };
  await api.call('auth/role/grant', { name: 'reads', perm });
  await api.call('auth/user/grant', { user: 'reader', role: 'reads' });
  await api.call('auth/enable', {});
  await api.login('root', 'root');
  return etcd;
}

test('promise 25: a token that expires: checks log in again, and a reconnect after it finds every change', async (t) => {
  const etcd = await startGuarded(t, ['--auth-token-ttl', '1']);
  const proxy = await startFaultProxy(t, etcd.port);
  const { recorder } = startSource(t, {
    endpoints: [`http://127.0.0.1:${proxy.port}`],
    username: 'reader',
    password: PASSWORD,
    // The token lives on while it is used: checks must be further apart than it lasts.
    timing: { checkMinMs: 2_500, checkMaxMs: 3_000 },
  });
  await recorder.untilSet(['10.0.0.1:1']);
  const oks = () => recorder.states.filter(({ status }) => status === 'synced').length;
  await recorder.until('two checks', () => oks() >= 3);
  assert.ok(
    recorder.states.every(({ status }) => status === 'synced'),
    JSON.stringify(recorder.states),
  );

  await proxy.set({ mode: 'refuse' });
  await recorder.untilStatus('stale');
  await etcd.api.login('root', 'root');
  await etcd.api.put(memberKey('10.0.0.2:1'));
  await proxy.set({ mode: 'pass' });
  await recorder.untilSet(['10.0.0.1:1', '10.0.0.2:1']);
  await recorder.untilStatus('synced');
  await etcd.api.login('root', 'root');
  await etcd.api.remove(memberKey('10.0.0.1:1'));
  await recorder.untilSet(['10.0.0.2:1']);
});

test('promise 41: a wrong password: says so without showing it, and is used as soon as etcd takes it', async (t) => {
  const etcd = await startGuarded(t);
  const { recorder } = startSource(t, {
    endpoints: [etcd.url],
    username: 'reader',
    password: 'another-secret',
    timing: { refusedBackoffMaxMs: 500 },
  });
  await recorder.untilStatus('starting', { error: /^EtcdAuthenticationFailedError: / });
  await etcd.api.call('auth/user/changepw', { name: 'reader', password: 'another-secret' });
  await recorder.untilSet(['10.0.0.1:1']);
  assert.doesNotMatch(JSON.stringify(recorder.states), /another-secret/);
});

test('promise 25: a password changed while the watch is up: the set stays and the refusal shows', async (t) => {
  const etcd = await startGuarded(t);
  const timing = { checkMinMs: 100, checkMaxMs: 200, refusedBackoffMaxMs: 500 };
  const { recorder } = startSource(t, { endpoints: [etcd.url], username: 'reader', password: PASSWORD, timing });
  await recorder.untilStatus('synced');
  await etcd.api.call('auth/user/changepw', { name: 'reader', password: 'changed' });
  await recorder.untilStatus('stale', { error: /^EtcdAuthenticationFailedError: / });
  assert.deepEqual(recorder.sets, [['10.0.0.1:1']]);
  await etcd.api.login('root', 'root');
  await etcd.api.call('auth/user/changepw', { name: 'reader', password: PASSWORD });
  await recorder.untilStatus('synced');
  assert.deepEqual(recorder.sets, [['10.0.0.1:1']]);
});

test('a user given to an etcd without authentication does no harm', async (t) => {
  const etcd = await startEtcd(t);
  await etcd.api.put(memberKey('10.0.0.1:1'));
  const { recorder } = startSource(t, { endpoints: [etcd.url], username: 'reader', password: PASSWORD });
  await recorder.untilSet(['10.0.0.1:1']);
});
