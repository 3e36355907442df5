import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { StatusReport } from '../../../src/admin/status-report.ts';
import { runAttache, startAttache, type Attache } from '../../support/attache.ts';
import { startEtcd } from '../../support/etcd.ts';
import { httpAsk, httpPort } from '../../support/http.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { runSeed, seededRandom } from '../../support/seeded.ts';
import { ask, connectTo, freePort, startEcho, startNamed } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

const KEY = '/attache/web';
const WITHIN_MS = 20_000;

interface Sidecar {
  readonly attache: Attache;
  readonly admin: number;
  readonly http: number;
  readonly report: () => Promise<StatusReport>;
  readonly readyz: () => Promise<number | undefined>;
  readonly run: (...args: readonly string[]) => ReturnType<typeof runAttache>;
}

async function start(t: TestContext, env: Readonly<Record<string, string>>): Promise<Sidecar> {
  const attache = startAttache(t, {
    env: { HTTP_ADDR: '127.0.0.1:0', ADMIN_ADDR: '127.0.0.1:0', SERVICES_KEY: KEY, ON_CHANGE: 'keep', ...env },
  });
  const [http, admin] = [await httpPort(attache, 'health'), await httpPort(attache, 'admin')];
  const own = { HTTP_ADDR: `127.0.0.1:${http}`, ADMIN_ADDR: `127.0.0.1:${admin}` };
  return {
    attache,
    http,
    admin,
    report: async () => (await httpAsk(http, '/status')).json() as StatusReport,
    readyz: async () => (await httpAsk(http, '/readyz')).status,
    run: (...args: readonly string[]) => runAttache(t, { args, env: own }),
  };
}

const service = (name: string, src: number, dst: number) => {
  return { name, src: `127.0.0.1:${src}`, dst: `127.0.0.1:${dst}` };
};
const says = (port: number, name: string, what: string) =>
  eventually(async () => (await ask(port).catch(() => '')) === name, what, WITHIN_MS);
const isMissing = (line: { readonly msg?: string }) => line.msg?.startsWith('the registry has no such key') === true;
const rejected = (line: { readonly msg?: string }) => line.msg?.startsWith('services rejected') === true;

suite('SERVICES_KEY', { timeout: 180_000 }, () => {
  test('one put changes the services; a faulty list, a deleted key and [] do what is said of them', async (t) => {
    const etcd = await startEtcd(t);
    const [one, two] = [await startNamed(t, 'one'), await startNamed(t, 'two')];
    const [p, q] = [await freePort(), await freePort()];
    const { attache, admin, http, report, readyz, run } = await start(t, { DSC: etcd.url, IDLE_TIMEOUT: '7m' });
    await eventually(async () => (await report()).configuration?.followed?.phase === 'missing', 'no key', WITHIN_MS);
    assert.equal(await readyz(), 503);
    assert.match(
      (await run('healthcheck')).stderr,
      /no services from SERVICES_KEY \/attache\/web: there is no such key/,
    );
    const synced = async () =>
      /^attache_services_key_synced ([01])$/m.exec((await httpAsk(http, '/metrics')).body)?.[1];
    assert.equal(await synced(), '0');
    const put = (list: unknown) => etcd.api.put(KEY, { value: JSON.stringify(list) });

    await put([service('a', p, one.port)]);
    await says(p, 'one', 'the first list is in force');
    await eventually(async () => (await readyz()) === 200, 'ready', WITHIN_MS);
    assert.equal(
      (await report()).services[0]?.settings['idle_timeout'],
      '7m',
      'settings without a suffix are defaults',
    );

    assert.equal(await synced(), '1');
    // The keys that ambd used.
    await put([{ name: 'a', net: 'tcp', src: `127.0.0.1:${p}`, dst: [`127.0.0.1:${two.port}`], srv: '' }]);
    await says(p, 'two', 'the change is in force');
    const { configuration } = await report();
    assert.equal(configuration?.source, 'SERVICES_KEY');
    assert.equal(configuration.revision, String(await etcd.api.revision()));
    assert.deepEqual([configuration.added, configuration.changed, configuration.removed], [[], ['a'], []]);
    assert.match((await run('status')).stdout, /services from SERVICES_KEY \/attache\/web, revision \d+, .* ago: ~a\n/);

    await put([service('a', 1, two.port), { name: 'b', src: ':16379', dst: 'x:0', http_addr: ':1' }]);
    await attache.line(rejected);
    assert.equal(await ask(p), 'two');
    const refused = (await report()).configuration?.rejected;
    assert.equal(refused?.source, 'SERVICES_KEY');
    assert.match(refused.faults.join('\n'), /SERVICES_KEY\[1\]\.dst: expected/);
    assert.match(refused.faults.join('\n'), /SERVICES_KEY\[1\]\.http_addr: expected a setting of a service/);
    assert.match((await httpAsk(http, '/metrics')).body, /^attache_configuration_rejected_total 1$/m);
    assert.match((await run('status')).stdout, /REJECTED, .* ago: services from SERVICES_KEY\n {2}SERVICES_KEY\[1\]\./);
    await put([service('a', 80, two.port)]);
    await attache.line(rejected, 2);
    const beyond = (await report()).configuration?.rejected?.faults.join() ?? '';
    assert.match(beyond, /SERVICES_KEY\[0\]\.src: expected a port from 1024 on/);

    await etcd.api.remove(KEY);
    const warned = await attache.line(isMissing, 2);
    assert.equal(warned['key'], KEY);
    assert.equal(await synced(), '0');
    assert.equal(await ask(p), 'two');
    assert.equal(await readyz(), 200);
    assert.match((await run('status')).stdout, /SERVICES_KEY \/attache\/web: the registry has no such key/);

    await put([service('a', p, two.port), service('b', q, one.port)]);
    await says(q, 'one', 'the list is there again');
    assert.equal((await report()).configuration?.rejected, undefined);
    // A call changes the services until the key does.
    assert.equal((await httpAsk(admin, '/services', { method: 'PUT', body: '[]' })).status, 200);
    assert.deepEqual((await report()).services, []);
    await put([service('b', q, two.port)]);
    await says(q, 'two', 'the key has changed');
    await put([]);
    await eventually(async () => (await report()).services.length === 0, '[] means none', WITHIN_MS);
    assert.equal(await readyz(), 200);
  });

  test('etcd is compacted, restarts, loses its data: the list stays, and the next one is taken over', async (t) => {
    const etcd = await startEtcd(t);
    const [one, two] = [await startNamed(t, 'one'), await startNamed(t, 'two')];
    const echo = await startEcho(t);
    const [p, q] = [await freePort(), await freePort()];
    const put = (to: number) =>
      etcd.api.put(KEY, { value: JSON.stringify([service('a', p, to), service('held', q, echo.port)]) });
    await put(one.port);
    const { report, readyz } = await start(t, { DSC: etcd.url });
    await says(p, 'one', 'the list is in force');
    const held = await connectTo(q);
    let isHeld = true;
    held.once('close', () => (isHeld = false));
    for (let i = 0; i < 5; i += 1) await etcd.api.put('/other', { value: String(i) });
    await etcd.api.compact();
    await put(two.port);
    await says(p, 'two', 'a change behind a compaction');
    await etcd.kill();
    await eventually(async () => (await report()).configuration?.followed?.phase === 'stale', 'stale', WITHIN_MS);
    assert.equal(await ask(p), 'two');
    assert.equal(await readyz(), 200);
    await etcd.restart();
    await put(one.port);
    await says(p, 'one', 'a change behind a restart');
    await etcd.kill();
    await etcd.wipe();
    await etcd.restart();
    await eventually(async () => (await report()).configuration?.followed?.phase === 'missing', 'missing', WITHIN_MS);
    assert.equal(await ask(p), 'one');
    await put(two.port);
    await says(p, 'two', 'a change in an empty registry');
    assert.equal(await echoes(held), 'ping');
    assert.ok(isHeld, 'no connection of a service that did not change ends');
    held.destroy();
  });

  test('the registry is down at the start: the last good list of STATE_FILE, else not ready until it answers', async (t) => {
    const etcd = await startEtcd(t);
    const [one, two] = [await startNamed(t, 'one'), await startNamed(t, 'two')];
    const [p, q] = [await freePort(), await freePort()];
    const STATE_FILE = join(await scratchFolder(t), 'state.json');
    await etcd.api.put(KEY, { value: JSON.stringify([service('a', p, one.port)]) });
    const first = await start(t, { DSC: etcd.url, STATE_FILE });
    await says(p, 'one', 'the list is in force');
    await eventually(() => readable(`${STATE_FILE}.services`), 'the list is kept', WITHIN_MS);
    assert.equal(statSync(`${STATE_FILE}.services`).mode & 0o777, 0o600);
    // A list that is refused is not kept.
    await etcd.api.put(KEY, { value: '[{"name":"a"' });
    await first.attache.line(rejected);
    first.attache.child.kill('SIGTERM');
    await first.attache.exited;

    const refused = await start(t, { DSC: etcd.url, STATE_FILE });
    await says(p, 'one', 'the key has a faulty list: the kept one is in force');
    const { configuration } = await refused.report();
    assert.equal(configuration?.source, 'STATE_FILE');
    assert.match(configuration.rejected?.faults.join() ?? '', /SERVICES_KEY: expected a JSON array/);
    refused.attache.child.kill('SIGTERM');
    await refused.attache.exited;

    await etcd.kill();
    const second = await start(t, { DSC: etcd.url, STATE_FILE });
    await says(p, 'one', 'the registry is down: the kept list is in force');
    await eventually(async () => (await second.readyz()) === 200, 'ready', WITHIN_MS);
    assert.equal((await second.report()).configuration?.source, 'STATE_FILE');
    const empty = await start(t, { DSC: etcd.url });
    const foreign = await start(t, { DSC: etcd.url, STATE_FILE, SERVICES_KEY: '/attache/other' });
    await foreign.attache.line(({ msg, error }) => msg !== undefined && error === 'it holds the list of another key');
    for (const { readyz } of [empty, foreign]) assert.equal(await readyz(), 503);
    assert.match((await empty.run('healthcheck')).stderr, /no services from SERVICES_KEY \/attache\/web: /);
    await etcd.restart();
    await etcd.api.put(KEY, { value: JSON.stringify([service('a', q, two.port)]) });
    await says(q, 'two', 'it heals by itself');
    // Both take the list; one of the two has the port.
    await eventually(
      async () => (await second.report()).configuration?.source === 'SERVICES_KEY',
      'followed',
      WITHIN_MS,
    );
    await eventually(
      async () => (await empty.report()).configuration?.source === 'SERVICES_KEY',
      'followed',
      WITHIN_MS,
    );
  });

  test('200 random edits under traffic: no connection of an untouched service ends, and the end is that of a fresh start', async (t) => {
    const seed = runSeed();
    t.diagnostic(`TEST_SEED=${seed}`);
    const random = seededRandom(seed);
    const etcd = await startEtcd(t);
    const servers = [await startEcho(t), await startEcho(t)];
    const to = () => servers[Math.floor(random() * servers.length)]?.port ?? 0;
    const ports = await Promise.all(Array.from({ length: 5 }, () => freePort()));
    const [still = 0, ...others] = ports;
    const kept = [service('kept', still, to()), { ...service('also', await freePort(), to()), idle_timeout: '1h' }];
    const random5 = () =>
      others.flatMap((port, index) => {
        const more = { retries: Math.floor(random() * 3), keepalive: random() < 0.5 ? '30s' : '31s' };
        return random() < 0.7 ? [{ ...service(`s${index}`, port, to()), ...more }] : [];
      });
    await etcd.api.put(KEY, { value: JSON.stringify(kept) });
    const sidecar = await start(t, { DSC: etcd.url, ON_CHANGE_TIMEOUT: '100ms' });
    await eventually(async () => (await sidecar.readyz()) === 200, 'ready', WITHIN_MS);
    const held: Socket[] = [];
    let ended = 0;
    for (const { src } of [...kept, ...kept]) {
      const socket = await connectTo(Number(src.split(':')[1]));
      socket.once('close', () => (ended += 1));
      held.push(socket);
    }
    for (let edit = 0; edit < 200; edit += 1) {
      const text = JSON.stringify([...kept, ...random5()].sort(() => random() - 0.5));
      await etcd.api.put(KEY, { value: text });
      const socket = held[edit % held.length];
      if (socket !== undefined) assert.equal(await echoes(socket), 'ping');
      const port = others[edit % others.length] ?? 0;
      // Whether it is served at this moment is chance.
      void connectTo(port).then(
        (passing) => passing.on('error', () => undefined).end('x'),
        () => undefined,
      );
    }
    const last = String(await etcd.api.revision());
    await eventually(async () => (await sidecar.report()).configuration?.revision === last, 'the last list', WITHIN_MS);
    // Those of a service that was replaced would end now, since they idle for longer than ON_CHANGE_TIMEOUT.
    await pause(2_000);
    assert.equal(ended, 0);
    for (const socket of held) assert.equal(await echoes(socket), 'ping');
    const servicesOf = async (port: number) => (await httpAsk(port, '/services')).json();
    const services = await servicesOf(sidecar.admin);
    for (const socket of held) socket.destroy();
    sidecar.attache.child.kill('SIGTERM');
    assert.equal(await sidecar.attache.exited, 0);
    const fresh = await start(t, { DSC: etcd.url, ON_CHANGE_TIMEOUT: '100ms' });
    await eventually(async () => (await fresh.readyz()) === 200, 'ready', WITHIN_MS);
    assert.deepEqual(await servicesOf(fresh.admin), services);
  });

  test('a file below a file:// registry is followed in the same way', async (t) => {
    const [one, two] = [await startNamed(t, 'one'), await startNamed(t, 'two')];
    const port = await freePort();
    const folder = await scratchFolder(t);
    const { report, readyz } = await start(t, { DSC: `file://${folder}` });
    await eventually(async () => (await report()).configuration?.followed?.phase === 'missing', 'no file', WITHIN_MS);
    mkdirSync(join(folder, 'attache'));
    const file = join(folder, 'attache', 'web');
    writeFileSync(file, JSON.stringify([service('a', port, one.port)]));
    await says(port, 'one', 'the file is read');
    writeFileSync(file, JSON.stringify([service('a', port, two.port)]));
    await says(port, 'two', 'the file is followed');
    rmSync(folder, { recursive: true });
    await eventually(async () => (await report()).configuration?.followed?.phase === 'stale', 'no root', WITHIN_MS);
    assert.equal(await readyz(), 200);
    assert.equal(await ask(port), 'two');
  });

  test('SERVICES_KEY is the only place of services, and needs a registry that keeps texts', async (t) => {
    const check = (env: Readonly<Record<string, string>>) => runAttache(t, { args: ['check'], env });
    const both = await check({ SERVICES_KEY: KEY, SRC_A: ':16379', DST_A: 'a:1', SERVICES: '[]' });
    assert.equal(both.code, 78);
    assert.match(both.stderr, /SERVICES_KEY: expected no other service beside it, got SERVICES, SRC_A; move/);
    const dns = await check({ SERVICES_KEY: KEY, DSC: 'dns://' });
    assert.match(dns.stderr, /SERVICES_KEY: expected a registry that keeps texts in DSC: http:\/\/host:port \(etcd\)/);
    const bare = await check({ SERVICES_KEY: 'web' });
    assert.match(bare.stderr, /SERVICES_KEY: expected a key such as \/attache\/web, got "web"/);
    const fine = await check({
      SERVICES_KEY: KEY,
      TLS_CERTPATH: '/etc/tls',
      HEALTH_INTERVAL: '1s',
      REGISTER_TTL: '5s',
    });
    assert.equal(fine.code, 0, fine.stderr);
    assert.match(fine.stdout, /services_key +\/attache\/web/);
    assert.match(fine.stdout, /config_allow_paths +\/etc\/tls/);
  });
});

async function echoes(socket: Socket): Promise<string> {
  socket.write('ping');
  const [data] = (await once(socket, 'data', { signal: AbortSignal.timeout(WITHIN_MS) })) as [Buffer];
  return String(data);
}

function readable(path: string): boolean {
  try {
    return readFileSync(path).length > 0;
  } catch {
    return false;
  }
}
