import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { formatAddress } from '../../../src/core/address.ts';
import { startAttache } from '../../support/attache.ts';
import { startEtcd } from '../../support/etcd.ts';
import { readyzThat } from '../../support/readyz.ts';
import { RegistryDirectory, SERVICE } from '../../support/registry-directory.ts';
import { ask, connectTo, freePort, readAll, startEcho, startNamed, type TestServer } from '../../support/tcp.ts';

/** A backend with one member, which can be taken away and brought back. */
interface Backend {
  readonly dsc: string;
  goDown(): Promise<unknown>;
  comeBack(): Promise<unknown>;
}

async function directory(t: TestContext, { address }: TestServer): Promise<Backend> {
  const registry = await RegistryDirectory.create(t);
  await registry.add(formatAddress(address));
  const away = join(registry.base, 'away');
  return {
    dsc: `file://${registry.root}`,
    goDown: () => rename(registry.root, away),
    comeBack: () => rename(away, registry.root),
  };
}

async function etcd(t: TestContext, { address }: TestServer): Promise<Backend> {
  const node = await startEtcd(t);
  await node.api.put(`${SERVICE}/${formatAddress(address)}`);
  return { dsc: node.url, goDown: () => node.kill(), comeBack: () => node.restart() };
}

for (const [name, start] of [
  ['directory', directory],
  ['etcd', etcd],
] as const) {
  test(`promise 24: ${name}, DISCOVERY_ON_FAILURE=clear: without the backend clients are refused and connections reset, until it is back`, async (t) => {
    const [server, http] = [await startEcho(t), await freePort()];
    const backend = await start(t, server);
    const base = { SRC: '127.0.0.1:0', SRV: SERVICE, DSC: backend.dsc, HTTP_ADDR: `127.0.0.1:${http}` };
    const attache = startAttache(t, { env: { ...base, DISCOVERY_ON_FAILURE: 'clear', READY_MIN_CANDIDATES: '1' } });
    const port = await attache.port();
    await readyzThat(http, ({ status }) => status === 200, 'ready');
    const client = await connectTo(port);
    client.write('?');
    await once(client, 'data');
    const ended = readAll(client);

    await backend.goDown();
    assert.equal((await ended).end, 'reset');
    const { services } = await readyzThat(http, ({ status }) => status === 503, 'not ready');
    assert.deepEqual(services[0]?.reasons, ['too few candidates: 0 of 1']);
    await attache.line(({ msg }) => msg === 'discovery stale');
    assert.equal(await ask(port), '');

    await backend.comeBack();
    await readyzThat(http, ({ status }) => status === 200, 'ready again');
    const again = await connectTo(port);
    again.write('?');
    await once(again, 'data');
    again.destroy();
  });
}

test('promise 24: a directory that is gone: by default the last set serves on, and it shows', async (t) => {
  const [server, http] = [await startNamed(t, 'kept'), await freePort()];
  const backend = await directory(t, server);
  const attache = startAttache(t, {
    env: { SRC: '127.0.0.1:0', SRV: SERVICE, DSC: backend.dsc, HTTP_ADDR: `127.0.0.1:${http}` },
  });
  await readyzThat(http, ({ status }) => status === 200, 'ready');
  await backend.goDown();
  const isStale = (status: string | undefined) => status === 'stale';
  const { status, services } = await readyzThat(
    http,
    (answer) => isStale(answer.services[0]?.discovery.status),
    'stale',
  );
  assert.deepEqual([status, services[0]?.candidates], [200, 1]);
  assert.match(services[0]?.discovery.error ?? '', /ENOENT/);
  assert.equal(await ask(await attache.port()), 'kept');
  await attache.line(({ msg }) => msg === 'discovery stale');
  assert.equal(attache.lines.filter(({ msg }) => msg === 'discovery stale').length, 1);
});

test('DISCOVERY_ON_FAILURE=clear with STATE_FILE: a warning; the file is neither written nor used', async (t) => {
  const server = await startNamed(t, 'x');
  const backend = await directory(t, server);
  const registry = await RegistryDirectory.create(t);
  const folder = join(registry.base, 'state');
  await mkdir(folder);
  const base = { SRC: '127.0.0.1:0', SRV: SERVICE, DSC: backend.dsc, STATE_FILE: join(folder, 'sets') };
  const keeping = startAttache(t, { env: base });
  await keeping.line(({ msg }) => msg === 'discovery synced');
  keeping.child.kill('SIGTERM');
  assert.equal(await keeping.exited, 0);
  assert.deepEqual(await readdir(folder), ['sets']);

  await backend.goDown();
  const clearing = startAttache(t, { env: { ...base, DISCOVERY_ON_FAILURE: 'clear' } });
  await clearing.line((line) => line.msg === 'STATE_FILE: not used, as DISCOVERY_ON_FAILURE is clear');
  await clearing.line((line) => line.msg === 'discovery starting' && line['error'] !== undefined);
  assert.equal(await ask(await clearing.port()), '');
});
