import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rename, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { formatAddress } from '../../../src/core/address.ts';
import { formatLastGood, parseLastGood, type LastGoodMember } from '../../../src/discovery/last-good/text.ts';
import { startAttache, type Attache, type LogLine } from '../../support/attache.ts';
import { startEtcd } from '../../support/etcd.ts';
import { RegistryDirectory, SERVICE } from '../../support/registry-directory.ts';
import { readyzThat } from '../../support/readyz.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { ask, connectTo, freePort, readAll, startEcho, startNamed, type TestServer } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

const isSynced = ({ msg }: LogLine) => msg === 'discovery synced';
const isStale = ({ msg }: LogLine) => msg === 'discovery stale';
const isStateFile = ({ msg }: LogLine) => msg === 'state file';
const unconfirmed = /^set of \d{4}-\d\d-\d\dT[0-9:.]+Z from STATE_FILE, not confirmed: ./;

/** A registry that can be taken away and brought back, and a state file beside it. */
async function setUp(t: TestContext, ...members: readonly TestServer[]) {
  const registry = await RegistryDirectory.create(t);
  await mkdir(registry.at(SERVICE), { recursive: true });
  for (const { address } of members) await registry.add(formatAddress(address));
  const stateFile = join(registry.base, 'state', 'sets');
  await mkdir(dirname(stateFile));
  const away = join(registry.base, 'away');
  const env = { SRC: '127.0.0.1:0', SRV: SERVICE, DSC: `file://${registry.root}`, STATE_FILE: stateFile };
  return {
    registry,
    stateFile,
    env,
    goDown: () => rename(registry.root, away),
    comeBack: () => rename(away, registry.root),
  };
}

/** What the file holds of a service directory; undefined while it holds nothing. */
async function held(stateFile: string, key = `directory:${SERVICE}`): Promise<readonly LastGoodMember[] | undefined> {
  // Reading a FIFO would never end.
  const found = await stat(stateFile).catch(() => undefined);
  const parsed = parseLastGood(found?.isFile() === true ? await readFile(stateFile, 'utf8') : '');
  return parsed.ok ? parsed.sets.get(key)?.members : undefined;
}

async function end(attache: Attache): Promise<void> {
  attache.child.kill('SIGTERM');
  assert.equal(await attache.exited, 0);
}

test('promise 24: etcd down at a restart: the set from STATE_FILE carries, shows as not confirmed, and its return resets nothing', async (t) => {
  const [etcd, server, http] = [await startEtcd(t), await startEcho(t), await freePort()];
  const { stateFile } = await setUp(t);
  await etcd.api.put(`${SERVICE}/${formatAddress(server.address)}`);
  const env = { SRC: '127.0.0.1:0', SRV: SERVICE, DSC: etcd.url, STATE_FILE: stateFile };
  const first = startAttache(t, { env });
  await first.line(isSynced);
  await end(first);
  assert.deepEqual(await held(stateFile, `etcd:${SERVICE}`), [formatAddress(server.address)]);
  assert.equal((await stat(stateFile)).mode & 0o777, 0o600);
  await etcd.kill();

  const second = startAttache(t, { env: { ...env, HTTP_ADDR: `127.0.0.1:${http}` } });
  assert.match(String((await second.line(isStale))['error']), unconfirmed);
  const client = await connectTo(await second.port());
  client.write('?');
  await once(client, 'data');
  const { services } = await readyzThat(http, ({ status }) => status === 200, 'ready');
  assert.equal(services[0]?.discovery.status, 'stale');
  assert.match(services[0].discovery.error ?? '', unconfirmed);

  await etcd.restart();
  await second.line(isSynced);
  client.write('?');
  await once(client, 'data');
  assert.equal(second.lines.filter(({ msg }) => msg === 'candidates changed').length, 1);
  assert.equal(second.lines.filter(({ msg }) => msg === 'connections reset').length, 0);
  assert.equal(second.lines.filter(isStateFile).length, 0);
  client.destroy();
});

test('promise 20: a backend that answers with another set than STATE_FILE is one change of membership', async (t) => {
  const [old, fresh] = [await startEcho(t), await startNamed(t, 'fresh')];
  const { registry, stateFile, env, goDown, comeBack } = await setUp(t, old);
  const first = startAttache(t, { env });
  await first.line(isSynced);
  await end(first);
  await registry.move(formatAddress(old.address), formatAddress(fresh.address));
  await goDown();
  const second = startAttache(t, { env });
  await second.line(isStale);
  const client = await connectTo(await second.port());
  client.write('?');
  await once(client, 'data');
  const ended = readAll(client);
  await comeBack();
  assert.equal((await ended).end, 'reset');
  assert.equal(await ask(await second.port()), 'fresh');
  await eventually(async () => (await held(stateFile))?.[0] === formatAddress(fresh.address), 'the new set is written');
  assert.equal(second.lines.filter(({ msg }) => msg === 'candidates changed').length, 2);
});

test('kill -9 loses nothing that was written, and what it leaves behind is gone after the next start', async (t) => {
  const server = await startNamed(t, 'carried');
  const { stateFile, env, goDown } = await setUp(t, server);
  const first = startAttache(t, { env });
  await eventually(async () => (await held(stateFile)) !== undefined, 'the set is written');
  first.child.kill('SIGKILL');
  await first.exited;
  await writeFile(join(dirname(stateFile), '.sets.0123456789ab.tmp'), '{ "format": "atta');
  await goDown();
  const second = startAttache(t, { env });
  await second.line(isStale);
  assert.equal(await ask(await second.port()), 'carried');
  await eventually(async () => (await readdir(dirname(stateFile))).join() === 'sets', 'the leftover is removed');
});

test('a set that was emptied on purpose does not come back from the dead', async (t) => {
  const [server, http] = [await startNamed(t, 'dead'), await freePort()];
  const { registry, stateFile, env, goDown } = await setUp(t, server);
  const first = startAttache(t, { env });
  await eventually(async () => (await held(stateFile))?.length === 1, 'the set is written');
  await registry.remove(formatAddress(server.address));
  await eventually(async () => (await held(stateFile))?.length === 0, 'the empty set is written');
  await end(first);
  await goDown();
  const second = startAttache(t, { env: { ...env, HTTP_ADDR: `127.0.0.1:${http}` } });
  await second.line((line) => line.msg === 'discovery starting' && line['error'] !== undefined);
  assert.equal(await ask(await second.port()), '');
  const { services } = await readyzThat(http, ({ status }) => status === 503, 'not ready');
  assert.match(services[0]?.reasons[0] ?? '', /^discovery has not answered yet: /);
});

test('what changed right before SIGTERM is in the file', async (t) => {
  const [a, b] = [await startNamed(t, 'a'), await startNamed(t, 'b')];
  const { registry, stateFile, env } = await setUp(t, a);
  const attache = startAttache(t, { env });
  await attache.line(isSynced);
  await registry.add(formatAddress(b.address));
  await attache.line(({ msg }) => msg === 'candidates changed', 2);
  await end(attache);
  const both = [a, b].map(({ address }) => formatAddress(address)).sort();
  assert.deepEqual(await held(stateFile), both);
});

test('several services share the file, each with its own set', async (t) => {
  const [a, b] = [await startNamed(t, 'a'), await startNamed(t, 'b')];
  const { registry, env, stateFile, goDown } = await setUp(t, a);
  await registry.add(formatAddress(b.address), registry.at('/srv/other'));
  const { DSC, STATE_FILE } = env;
  const both = { SRC_A: '127.0.0.1:0', SRV_A: SERVICE, SRC_B: '127.0.0.1:0', SRV_B: '/srv/other', DSC, STATE_FILE };
  const first = startAttache(t, { env: both });
  await first.line((line) => isSynced(line) && line['service'] === 'a');
  await first.line((line) => isSynced(line) && line['service'] === 'b');
  await end(first);
  await goDown();
  const second = startAttache(t, { env: both });
  for (const service of ['a', 'b']) {
    await second.line((line) => isStale(line) && line['service'] === service);
    assert.equal(await ask(await second.port(service)), service);
  }
  await end(second);
  assert.deepEqual(await held(stateFile, 'directory:/srv/other'), [formatAddress(b.address)]);
});

const bad: readonly (readonly [condition: string, make: (path: string) => Promise<unknown>, error: RegExp])[] = [
  ['a FIFO', async (path) => Promise.resolve(execFileSync('mkfifo', [path])), /got a FIFO/],
  ['a loop of links', (path) => symlink('sets', path), /ELOOP/],
  ['a corrupt file', (path) => writeFile(path, '\0'.repeat(4_096)), /not a whole JSON object/],
  ['an oversized file', (path) => writeFile(path, ' '.repeat(3_000_000)), /at most 1048576 bytes/],
  [
    "another backend's file",
    (path) => writeFile(path, formatLastGood(new Map([[`etcd:${SERVICE}`, { since: 0, members: ['10.0.0.1:1'] }]]))),
    /other service directories or another registry/,
  ],
];

for (const [condition, make, error] of bad) {
  test(`${condition} as STATE_FILE: one warning, the start goes on, and a good set replaces it`, async (t) => {
    const server = await startNamed(t, 'carried');
    const { stateFile, env } = await setUp(t, server);
    await make(stateFile);
    const attache = startAttache(t, { env });
    await attache.line(isSynced);
    assert.equal(await ask(await attache.port()), 'carried');
    await eventually(async () => (await held(stateFile)) !== undefined, 'it is replaced');
    await end(attache);
    const lines = attache.lines.filter(isStateFile);
    assert.deepEqual([lines.length, lines[0]?.['level'], lines[0]?.['outcome']], [1, 'warn', 'ignored']);
    assert.match(String(lines[0]?.['error']), error);
  });
}

test('a folder that cannot be written to costs one warning and no traffic; the next change after it can is written', async (t) => {
  const [a, b] = [await startNamed(t, 'a'), await startNamed(t, 'b')];
  const { registry, env } = await setUp(t, a);
  const stateFile = join(registry.base, 'missing', 'sets');
  const attache = startAttache(t, { env: { ...env, STATE_FILE: stateFile } });
  await attache.line((line) => isStateFile(line) && line['outcome'] === 'unwritable');
  assert.equal(await ask(await attache.port()), 'a');
  await registry.move(formatAddress(a.address), formatAddress(b.address));
  await attache.line(({ msg }) => msg === 'candidates changed', 2);
  assert.equal(await ask(await attache.port()), 'b');
  await mkdir(dirname(stateFile));
  await registry.add(formatAddress(a.address));
  await attache.line((line) => isStateFile(line) && line['outcome'] === 'recovered');
  await eventually(async () => (await held(stateFile))?.length === 2, 'it is written');
  assert.equal(attache.lines.filter((line) => isStateFile(line) && line['level'] === 'warn').length, 1);
});

test('promise 42: a planted STATE_FILE cannot aim at what a registry could not', async (t) => {
  const server = await startNamed(t, 'inside');
  const { stateFile, env, goDown } = await setUp(t);
  const planted = ['169.254.169.254:80', '127.0.0.9:1', 'unix:/var/run/docker.sock', formatAddress(server.address)];
  await writeFile(stateFile, formatLastGood(new Map([[`directory:${SERVICE}`, { since: 0, members: planted }]])));
  await goDown();
  const attache = startAttache(t, { env: { ...env, DISCOVERY_ALLOW: '127.0.0.1/32' } });
  await attache.line(isStale);
  assert.equal(await ask(await attache.port()), 'inside');
  const ignored = attache.lines.filter(({ msg }) => msg === 'candidate ignored');
  assert.deepEqual(new Set(ignored.map((line) => line['key'])), new Set(planted.slice(0, 3)));
  const changed = await attache.line(({ msg }) => msg === 'candidates changed');
  assert.deepEqual(changed['addedCandidates'], [formatAddress(server.address)]);
});

test('a static service with STATE_FILE loads nothing for it and writes nothing', async (t) => {
  const { env, stateFile } = await setUp(t);
  const settings = { SRC: '127.0.0.1:0', DST: '127.0.0.1:1', STATE_FILE: env.STATE_FILE, NODE_DEBUG: 'esm' };
  const isStarted = (line: LogLine) => line['phase'] === 'started';
  // To files: of what Node tells (200,000 lines) a pipe that is read too slowly loses some.
  const folder = await scratchFolder(t);
  const [quietly, told] = [join(folder, 'static'), join(folder, 'discovered')];
  const quiet = startAttache(t, { env: settings, stderrTo: quietly });
  await quiet.line(isStarted);
  await end(quiet);
  const discovered = startAttache(t, { env: { ...env, NODE_DEBUG: 'esm' }, stderrTo: told });
  await discovered.line(isSynced);
  await end(discovered);
  const loads = await Promise.all(
    [quietly, told].map(async (file) => (await readFile(file, 'utf8')).includes('/discovery/last-good')),
  );
  assert.deepEqual(loads, [false, true]);
  assert.deepEqual(await held(stateFile), []);
});
