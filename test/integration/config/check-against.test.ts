import assert from 'node:assert/strict';
import { suite, test, type TestContext } from 'node:test';
import { runAttache, startAttache } from '../../support/attache.ts';
import { startEtcd } from '../../support/etcd.ts';
import { httpPort } from '../../support/http.ts';
import { freePort } from '../../support/tcp.ts';

const RUNNING = {
  SERVICES: JSON.stringify([
    { name: 'web', src: '127.0.0.1:0', dst: '127.0.0.1:1', idle_timeout: '1m' },
    { name: 'cache', src: '127.0.0.1:0', dst: '127.0.0.1:2' },
    { name: 'old', src: '127.0.0.1:0', dst: '127.0.0.1:3' },
  ]),
};
const WANTED = {
  SERVICES: JSON.stringify([
    { name: 'cache', src: '127.0.0.1:0', dst: '127.0.0.1:2' },
    { name: 'web', src: '127.0.0.1:0', dst: ['127.0.0.1:1', '127.0.0.1:4'] },
    { name: 'new', src: '127.0.0.1:0', dst: '127.0.0.1:5' },
  ]),
};

/** @returns the ADMIN_ADDR of a running attache */
async function startRunning(t: TestContext, env: Readonly<Record<string, string>> = RUNNING): Promise<string> {
  const attache = startAttache(t, { env: { ...env, ADMIN_ADDR: '127.0.0.1:0' } });
  await attache.line(({ phase }) => phase === 'started');
  return `127.0.0.1:${await httpPort(attache, 'admin')}`;
}

function against(t: TestContext, url: string, env: Readonly<Record<string, string>>) {
  return runAttache(t, { args: ['check', '--against', url], env });
}

suite('check --against', { timeout: 60_000 }, () => {
  test('it tells what would change in the attache that runs, setting by setting: exit 1; nothing is changed', async (t) => {
    const admin = await startRunning(t);
    for (let n = 0; n < 2; n += 1) {
      const { code, stdout, stderr } = await against(t, `http://${admin}`, WANTED);
      assert.deepEqual([code, stderr], [1, '']);
      assert.equal(
        stdout.slice(stdout.indexOf('against ')),
        [
          `against ${admin}: this would change`,
          '  added    new',
          '  changed  web',
          '             dst: 127.0.0.1:1 -> 127.0.0.1:1, 127.0.0.1:4',
          '             idle_timeout: 1m -> 0',
          '  removed  old',
          '  1 service stays as it is',
          '',
        ].join('\n'),
      );
    }
  });

  test('--json is for programs', async (t) => {
    const admin = await startRunning(t);
    const { code, stdout } = await runAttache(t, { args: ['check', '--against', admin, '--json'], env: WANTED });
    assert.equal(code, 1);
    assert.deepEqual((JSON.parse(stdout) as { against: unknown }).against, {
      added: ['new'],
      changed: [
        {
          name: 'web',
          settings: {
            dst: { before: ['127.0.0.1:1'], after: ['127.0.0.1:1', '127.0.0.1:4'] },
            idle_timeout: { before: '1m', after: '0' },
          },
        },
      ],
      removed: ['old'],
      unchanged: ['cache'],
    });
  });

  test('the same services, declared in another way, change nothing: exit 0', async (t) => {
    const admin = await startRunning(t);
    const env = {
      ...{ SRC_WEB: '127.0.0.1:0', DST_WEB: '127.0.0.1:1', IDLE_TIMEOUT_WEB: '60s' },
      ...{ SRC_CACHE: '127.0.0.1:0', DST_CACHE: '127.0.0.1:2', SRC_OLD: '127.0.0.1:0', DST_OLD: '127.0.0.1:3' },
    };
    const { code, stdout } = await against(t, admin, env);
    assert.equal(code, 0);
    assert.match(stdout, /: nothing would change\n {2}3 services stay as they are\n$/);
  });

  test('with SERVICES_KEY the list of the key is compared; a key that there is not is told', async (t) => {
    const [admin, etcd] = [await startRunning(t), await startEtcd(t)];
    const env = { SERVICES_KEY: '/attache/web', DSC: etcd.url };
    const missing = await against(t, admin, env);
    assert.deepEqual(
      [missing.code, missing.stderr.includes('SERVICES_KEY /attache/web: there is no such key')],
      [1, true],
    );
    const list = JSON.stringify([{ name: 'new', src: '127.0.0.1:20000', dst: '127.0.0.1:5' }]);
    await etcd.api.put('/attache/web', { value: list });
    const { stdout } = await against(t, admin, env);
    assert.match(
      stdout,
      /: this would change\n {2}added {4}new\n {2}removed {2}web\n {2}removed {2}cache\n {2}removed {2}old\n/,
    );
  });

  test('nobody there, another program there, no address: each is told with a remedy', async (t) => {
    const nobody = await against(t, `127.0.0.1:${await freePort()}`, WANTED);
    assert.equal(nobody.code, 1);
    assert.match(nobody.stderr, /^attache: no answer: .*ECONNREFUSED.*: name the ADMIN_ADDR of a running attache\n$/);
    const http = startAttache(t, { env: { ...RUNNING, HTTP_ADDR: '127.0.0.1:0' } });
    const other = await against(t, `127.0.0.1:${await httpPort(http, 'health')}`, WANTED);
    assert.equal(other.code, 1);
    assert.match(other.stderr, /answered 404, and no services: name the ADMIN_ADDR of a running attache\n$/);
    const wrong = await against(t, 'https://127.0.0.1:1', WANTED);
    assert.equal(wrong.code, 78);
    assert.match(
      wrong.stderr,
      /--against: expected the ADMIN_ADDR of a running attache, such as http:\/\/127\.0\.0\.1:29092, got/,
    );
  });

  test('a secret is neither told nor compared', async (t) => {
    const service = { SRC: '127.0.0.1:0', DST: '127.0.0.1:1', HEALTH_CHECK: 'redis' };
    const admin = await startRunning(t, { ...service, HEALTH_PASSWORD: 'first-secret' });
    const { code, stdout, stderr } = await against(t, admin, { ...service, HEALTH_PASSWORD: 'second-secret' });
    assert.equal(code, 0);
    assert.doesNotMatch(`${stdout}${stderr}`, /first-secret|second-secret/);
  });
});
