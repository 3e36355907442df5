import assert from 'node:assert/strict';
import { suite, test, type TestContext } from 'node:test';
import type { StatusReport } from '../../../src/admin/status-report.ts';
import { startAttache } from '../../support/attache.ts';
import { startEtcd, type EtcdNode } from '../../support/etcd.ts';
import { httpAsk, httpPort } from '../../support/http.ts';
import { ask, freePort, startNamed } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

const KEY = '/attache/web';
const LOGIN = { ETCD_USERNAME: 'web-1', ETCD_PASSWORD: 'correct-horse-battery' };
const TOKEN_TTL_S = 2;
const WITHIN_MS = 30_000;

const base64 = (text: string) => Buffer.from(text).toString('base64');
const below = (directory: string) => ({ key: base64(`${directory}/`), range_end: base64(`${directory}0`) });

/** An etcd with the role of docs/fleet.md for one sidecar: it reads its key and its directories, and puts its own entry. */
async function startGuarded(t: TestContext, own: string): Promise<EtcdNode> {
  const etcd = await startEtcd(t, { args: ['--auth-token-ttl', String(TOKEN_TTL_S)] });
  const { api } = etcd;
  const user = async (name: string, password: string, role: string) => {
    await api.call('auth/user/add', { name, password });
    await api.call('auth/role/add', { name: role });
    await api.call('auth/user/grant', { user: name, role });
  };
  await user('root', 'root', 'root');
  await user(LOGIN.ETCD_USERNAME, LOGIN.ETCD_PASSWORD, 'web');
  const grant = (perm: object) => api.call('auth/role/grant', { name: 'web', perm });
  await grant({ permType: 'READ', key: base64(KEY) });
  await grant({ permType: 'READ', ...below('/srv/redis') });
  await grant({ permType: 'READWRITE', key: base64(`/srv/web/${own}`) });
  await api.call('auth/enable', {});
  await api.login('root', 'root');
  return etcd;
}

/** Calls as root, whose token may have expired. */
async function asRoot<T>({ api }: EtcdNode, call: () => Promise<T>): Promise<T> {
  await api.login('root', 'root');
  return call();
}

suite('a sidecar with the least rights in etcd', { timeout: 180_000 }, () => {
  test('it reads its key and its directories, puts its own registration, and outlives its log-in', async (t) => {
    const [one, two] = [await startNamed(t, 'one'), await startNamed(t, 'two')];
    const [own, port] = [`127.0.0.1:${await freePort()}`, await freePort()];
    const etcd = await startGuarded(t, own);
    const web = { name: 'web', src: own, dst: `127.0.0.1:${one.port}`, register: '/srv/web', register_address: own };
    const redis = (more: object = {}) => ({
      name: 'redis',
      src: `127.0.0.1:${port}`,
      srv: '/srv/redis/debug',
      ...more,
    });
    const put = (list: unknown) => asRoot(etcd, () => etcd.api.put(KEY, { value: JSON.stringify(list) }));
    await asRoot(etcd, () => etcd.api.put(`/srv/redis/debug/127.0.0.1:${two.port}`));
    await put([web, redis()]);
    const attache = startAttache(t, {
      env: { SERVICES_KEY: KEY, DSC: etcd.url, HTTP_ADDR: '127.0.0.1:0', REGISTER_TTL: '3s', ...LOGIN },
    });
    const http = await httpPort(attache, 'health');
    const report = async () => (await httpAsk(http, '/status')).json() as StatusReport;
    const phase = async (name: string) =>
      (await report()).services.find((service) => service.name === name)?.registrations?.[0];
    await eventually(async () => (await ask(port).catch(() => '')) === 'two', 'the directory is read', WITHIN_MS);
    await eventually(async () => (await phase('web'))?.phase === 'registered', 'registered', WITHIN_MS);
    assert.deepEqual(await asRoot(etcd, () => etcd.api.names('/srv/web/')), [own]);

    // The token of another log-in, which nobody uses, is over: so is every one that is not used.
    await etcd.api.login('root', 'root');
    const expired = performance.now() + TOKEN_TTL_S * 2_000;
    await eventually(() => performance.now() > expired, 'the time of a token', WITHIN_MS);
    await assert.rejects(etcd.api.revision(), /invalid auth token/);
    await put([web, redis({ idle_timeout: '1h' })]);
    const isFollowed = async () => (await report()).configuration?.changed?.includes('redis') === true;
    await eventually(isFollowed, 'the key is followed by another log-in', WITHIN_MS);
    await eventually(async () => (await phase('web'))?.phase === 'registered', 'still registered', WITHIN_MS);
    assert.deepEqual(await asRoot(etcd, () => etcd.api.names('/srv/web/')), [own]);

    // What the role does not say is refused by etcd, and told.
    const other = { register: '/srv/other', register_address: own };
    await put([{ ...web, ...other }, redis(), { ...redis(), name: 'far', src: '127.0.0.1:0', srv: '/secret/redis' }]);
    const isDenied = async () => /permission denied|PermissionDenied/.test((await phase('web'))?.error ?? '');
    await eventually(isDenied, 'it may not register elsewhere', WITHIN_MS);
    const discovery = async () => (await report()).services.find(({ name }) => name === 'far')?.discovery.error ?? '';
    await eventually(
      async () => (await discovery()).includes('PermissionDenied'),
      'it may not read elsewhere',
      WITHIN_MS,
    );
    assert.deepEqual(await asRoot(etcd, () => etcd.api.names('/srv/other/')), []);
    assert.equal(await ask(port), 'two', 'the service that may goes on');

    await etcd.api.login(LOGIN.ETCD_USERNAME, LOGIN.ETCD_PASSWORD);
    await assert.rejects(etcd.api.put(KEY, { value: '[]' }), /permission denied/);
  });

  test('a key that the role does not have: not ready, with the reason', async (t) => {
    const etcd = await startGuarded(t, '127.0.0.1:1');
    const attache = startAttache(t, {
      env: { SERVICES_KEY: '/attache/db', DSC: etcd.url, HTTP_ADDR: '127.0.0.1:0', ...LOGIN },
    });
    const http = await httpPort(attache, 'health');
    const readyz = () => httpAsk(http, '/readyz');
    await eventually(async () => (await readyz()).body.includes('PermissionDenied'), 'the reason', WITHIN_MS);
    assert.equal((await readyz()).status, 503);
  });
});
