import assert from 'node:assert/strict';
import { suite, test, type TestContext } from 'node:test';
import type { StatusReport } from '../../../src/admin/status-report.ts';
import { runAttache, startAttache, type Attache } from '../../support/attache.ts';
import { startEtcd, type EtcdNode } from '../../support/etcd.ts';
import { httpAsk, httpPort } from '../../support/http.ts';
import { startRedis } from '../../support/redis.ts';
import { ask, freePort, startNamed } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

const DIRECTORY = '/srv/redis/debug';

interface Beside {
  readonly etcd: EtcdNode;
  /** The port of the server. */
  readonly server: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** An attache beside a server, which registers its own listener. */
function startBeside(t: TestContext, { etcd, server, env = {} }: Beside): Attache {
  return startAttache(t, {
    env: {
      SRC: '127.0.0.1:0',
      DST: `127.0.0.1:${server}`,
      DSC: etcd.url,
      REGISTER: DIRECTORY,
      HEALTH_INTERVAL: '200ms',
      DRAIN_DELAY: '0',
      ...env,
    },
  });
}

const registered = (attache: Attache, n = 1) => attache.line(({ msg }) => msg === 'registered', n);
const names = (etcd: EtcdNode) => etcd.api.names(`${DIRECTORY}/`);

/** Where it listens, as others may dial it: the tests' registry is on loopback, where no address is found. */
async function place(): Promise<Readonly<Record<string, string>>> {
  const address = `127.0.0.1:${await freePort()}`;
  return { SRC: address, REGISTER_ADDRESS: address };
}

suite('a service that registers itself', { timeout: 480_000 }, () => {
  test('others find it while it serves; SIGTERM takes it out before the listener closes', async (t) => {
    const etcd = await startEtcd(t);
    const server = await startNamed(t, 'hello');
    const own = await place();
    const beside = startBeside(t, {
      etcd,
      server: server.port,
      env: { ...own, REGISTER_WEIGHT: '3', REGISTER_ZONE: 'a', DRAIN_DELAY: '1500ms' },
    });
    const away = startAttache(t, { env: { SRC: '127.0.0.1:0', SRV: DIRECTORY, DSC: etcd.url, HOLD_TIMEOUT: '10s' } });
    await registered(beside);
    assert.deepEqual(await names(etcd), [own['SRC']]);
    assert.equal(await ask(await away.port()), 'hello');
    beside.child.kill('SIGTERM');
    await eventually(async () => (await names(etcd)).length === 0, 'it is out of the registry');
    // For DRAIN_DELAY it still serves those who have not heard.
    const port = Number(own['SRC']?.split(':')[1]);
    assert.equal(await ask(port), 'hello');
    assert.equal(await beside.exited, 0);
    const order = beside.lines.map(({ msg, phase }) => phase ?? msg);
    assert.ok(order.indexOf('registration withdrawn') > order.indexOf('draining'));
    assert.ok(order.indexOf('registration withdrawn') < order.indexOf('listeners-closed'));
  });

  test('killed: gone within its TTL', async (t) => {
    const etcd = await startEtcd(t);
    const server = await startNamed(t, 'hello');
    const beside = startBeside(t, { etcd, server: server.port, env: { ...(await place()), REGISTER_TTL: '2s' } });
    await registered(beside);
    beside.child.kill('SIGKILL');
    await beside.exited;
    assert.equal((await names(etcd)).length, 1);
    await eventually(async () => (await names(etcd)).length === 0, 'its lease is over', 15_000);
  });

  test('a server that stops answering is withdrawn, and registered again when it answers', async (t) => {
    const etcd = await startEtcd(t);
    const redis = await startRedis(t, 'one');
    const beside = startBeside(t, { etcd, server: redis.port, env: { ...(await place()), HEALTH_CHECK: 'redis' } });
    await registered(beside);
    await redis.kill();
    await eventually(async () => (await names(etcd)).length === 0, 'it is withdrawn');
    await redis.restart();
    await registered(beside, 2);
    assert.equal((await names(etcd)).length, 1);
  });

  test('etcd restarts, then loses its data: it is registered again', async (t) => {
    const etcd = await startEtcd(t);
    const server = await startNamed(t, 'hello');
    startBeside(t, { etcd, server: server.port, env: await place() });
    const isThere = async () => (await names(etcd).catch(() => [])).length === 1;
    await eventually(isThere, 'it is registered', 20_000);
    await etcd.kill();
    await etcd.restart();
    await eventually(isThere, 'it is registered after a restart', 20_000);
    await etcd.kill();
    await etcd.wipe();
    await etcd.restart();
    await eventually(isThere, 'it is registered in an empty registry', 20_000);
  });

  test('two processes with one key: the second one tells it, and takes over when the first one is gone', async (t) => {
    const etcd = await startEtcd(t);
    const server = await startNamed(t, 'hello');
    const REGISTER_ADDRESS = '127.0.0.1:7001';
    const first = startBeside(t, { etcd, server: server.port, env: { REGISTER_ADDRESS, REGISTER_TTL: '2s' } });
    await registered(first);
    const second = startBeside(t, {
      etcd,
      server: server.port,
      env: { REGISTER_ADDRESS, REGISTER_TTL: '2s', HTTP_ADDR: '127.0.0.1:0' },
    });
    const told = await second.line(({ msg }) => msg?.startsWith('not registered: another process') === true);
    assert.equal(told['key'], `${DIRECTORY}/${REGISTER_ADDRESS}`);
    const http = await httpPort(second, 'health');
    const { stdout } = await runAttache(t, { args: ['status'], env: { HTTP_ADDR: `127.0.0.1:${http}` } });
    assert.match(stdout, /127\.0\.0\.1:7001: NOT REGISTERED: another process holds the key/);
    assert.match((await httpAsk(http, '/metrics')).body, /attache_registration_conflict\{service="default"\} 1/);
    const said = ({ lines }: Attache, text: string) => lines.filter(({ msg }) => msg?.startsWith(text) === true).length;
    assert.deepEqual([said(second, 'registered'), said(first, 'not registered')], [0, 0], 'the first one keeps it');
    first.child.kill('SIGTERM');
    assert.equal(await first.exited, 0);
    await registered(second);
    assert.match((await httpAsk(http, '/metrics')).body, /attache_registration_conflict\{service="default"\} 0/);
  });

  test('/status, attache status and metrics tell it', async (t) => {
    const etcd = await startEtcd(t);
    const server = await startNamed(t, 'hello');
    const own = await place();
    const beside = startBeside(t, { etcd, server: server.port, env: { ...own, HTTP_ADDR: '127.0.0.1:0' } });
    await registered(beside);
    const http = await httpPort(beside, 'health');
    const report = (await httpAsk(http, '/status')).json() as StatusReport;
    const [one] = report.services[0]?.registrations ?? [];
    assert.equal(one?.key, `${DIRECTORY}/${own['SRC'] ?? ''}`);
    assert.equal(one.phase, 'registered');
    assert.match(one.since ?? '', /^\d{4}-.*Z$/);
    const { stdout } = await runAttache(t, { args: ['status'], env: { HTTP_ADDR: `127.0.0.1:${http}` } });
    assert.match(stdout, new RegExp(`${DIRECTORY}/${own['SRC'] ?? ''}: registered, `));
    assert.match((await httpAsk(http, '/metrics')).body, /attache_registered\{service="default"\} 1/);
  });

  test('an own address that no other machine can dial is not registered, but told with its remedy', async (t) => {
    const etcd = await startEtcd(t);
    const server = await startNamed(t, 'hello');
    const beside = startBeside(t, { etcd, server: server.port });
    const told = await beside.line(({ msg }) => msg === 'not registered: trying again');
    assert.match(String(told['error']), /127\.0\.0\.1, which no other machine can dial; set REGISTER_ADDRESS/);
    assert.deepEqual(await names(etcd), []);
  });

  test('attache register carries nothing: it waits for etcd, registers a server, and withdraws it at SIGTERM', async (t) => {
    const etcd = await startEtcd(t);
    const redis = await startRedis(t, 'one');
    await etcd.kill();
    const address = `127.0.0.1:${redis.port}`;
    const only = startAttache(t, {
      args: ['register', '--srv', DIRECTORY, '--address', address, '--check', 'redis', '--dsc', etcd.url],
    });
    await only.line(({ msg }) => msg === 'not registered: trying again');
    await etcd.restart();
    await registered(only);
    assert.deepEqual(await names(etcd), [address]);
    assert.ok(!only.lines.some(({ msg }) => msg === 'listening'));
    only.child.kill('SIGTERM');
    assert.equal(await only.exited, 0);
    assert.deepEqual(await names(etcd), []);
  });

  test('etcd is restored from a copy that is older than the registration: it is registered again', async (t) => {
    const etcd = await startEtcd(t);
    const server = await startNamed(t, 'hello');
    await etcd.api.put('/other');
    await etcd.kill();
    await etcd.save();
    await etcd.restart();
    const beside = startBeside(t, { etcd, server: server.port, env: await place() });
    await registered(beside);
    await etcd.kill();
    await etcd.restore();
    await etcd.restart();
    assert.ok((await etcd.api.revision()) < 5, 'the copy knows nothing of the registration');
    await registered(beside, 2);
    assert.equal((await names(etcd)).length, 1);
  });

  test('attache drain of the first candidate withdraws the registration, attache undrain puts it back', async (t) => {
    const etcd = await startEtcd(t);
    const server = await startNamed(t, 'hello');
    const env = { ...(await place()), ADMIN_ADDR: '127.0.0.1:0' };
    const beside = startBeside(t, { etcd, server: server.port, env });
    await registered(beside);
    const ADMIN_ADDR = `127.0.0.1:${await httpPort(beside, 'admin')}`;
    const run = (command: string) =>
      runAttache(t, { args: [command, `127.0.0.1:${server.port}`], env: { ADMIN_ADDR } });
    assert.equal((await run('drain')).code, 0);
    await eventually(async () => (await names(etcd)).length === 0, 'it is withdrawn', 20_000);
    assert.equal((await run('undrain')).code, 0);
    await registered(beside, 2);
    assert.equal((await names(etcd)).length, 1);
  });

  test('a rolling restart of three servers fails none of 10,000 requests', async (t) => {
    const etcd = await startEtcd(t);
    const servers = [await startNamed(t, 'one'), await startNamed(t, 'two'), await startNamed(t, 'three')];
    const places = [await place(), await place(), await place()];
    const begin = async (index: number) => {
      const env = { ...places[index], DRAIN_DELAY: '1s', ACCESS_LOG: 'false' };
      const beside = startBeside(t, { etcd, server: servers[index]?.port ?? 0, env });
      await registered(beside);
      return beside;
    };
    const besides = [await begin(0), await begin(1), await begin(2)];
    const away = startAttache(t, {
      env: {
        SRC: '127.0.0.1:0',
        SRV: DIRECTORY,
        DSC: etcd.url,
        HOLD_TIMEOUT: '10s',
        BALANCE: 'round-robin',
        ON_CHANGE: 'drain',
        ACCESS_LOG: 'false',
      },
    });
    const port = await away.port();
    await away.line(({ msg, candidates }) => msg === 'candidates changed' && candidates === 3);
    const answers = new Map<string, number>();
    const total = () => [...answers.values()].reduce((sum, count) => sum + count, 0);
    let isOver = false;
    const client = async () => {
      while (!isOver) {
        const answer = await ask(port).catch(String);
        answers.set(answer, (answers.get(answer) ?? 0) + 1);
      }
    };
    const clients = Array.from({ length: 8 }, client);
    let restarts = 0;
    while (restarts < 6 || total() < 10_000) {
      const index = restarts % besides.length;
      besides[index]?.child.kill('SIGTERM');
      assert.equal(await besides[index]?.exited, 0);
      besides[index] = await begin(index);
      await eventually(async () => (await names(etcd)).length === 3, 'all are registered', 20_000);
      restarts += 1;
    }
    isOver = true;
    await Promise.all(clients);
    t.diagnostic(`${total()} requests, ${restarts} restarts`);
    assert.deepEqual([...answers.keys()].sort(), ['one', 'three', 'two'], JSON.stringify([...answers]));
  });
});
