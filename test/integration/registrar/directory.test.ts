import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { DirectoryRegistrar } from '../../../src/registrar/directory/registrar.ts';
import type { Registration } from '../../../src/registrar/registration.ts';
import { startAttache } from '../../support/attache.ts';
import { follow, RegistryDirectory, SERVICE } from '../../support/registry-directory.ts';
import { ask, freePort, startNamed } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

const KEY = `${SERVICE}/10.0.0.1:6379`;
const TTL_MS = 1_000;

async function scene(t: TestContext, { ttlMs = TTL_MS } = {}) {
  const registry = await RegistryDirectory.create(t);
  const open = () => {
    const registrar = new DirectoryRegistrar({ root: registry.root, ttlMs });
    t.after(() => registrar.close());
    const phases: string[] = [];
    const listener = ({ state }: Registration) => phases.push(state.phase);
    return { registrar, phases, add: (value = '') => registrar.register({ key: KEY, value }, listener) };
  };
  return { registry, file: registry.at(KEY), open };
}

const said = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, unknown>>;

suite('a registrar of a directory', { timeout: 60_000 }, () => {
  test('the file is there exactly while it is wanted, whole, and changes as a sign of life', async (t) => {
    const { file, open } = await scene(t);
    const { phases, add } = open();
    const one = add('{"weight":3,"zone":"eu-1a"}');
    one.want(true);
    await eventually(() => one.state.phase === 'registered', 'registered');
    const { by, ...rest } = said(file);
    assert.deepEqual(rest, { weight: 3, zone: 'eu-1a', ttl: 1 });
    assert.equal(typeof by, 'string');
    const first = statSync(file, { bigint: true }).mtimeNs;
    await eventually(() => statSync(file, { bigint: true }).mtimeNs > first, 'a sign of life');
    one.write('{"weight":5}');
    await eventually(() => said(file)['weight'] === 5, 'another value');
    one.want(false);
    await one.released();
    assert.deepEqual(readdirSync(dirname(file)), [], 'nothing is left, no half of it either');
    assert.deepEqual(phases, ['waiting', 'registered', 'withdrawn']);
  });

  test('a file of somebody else is a conflict; it is taken when that one goes, or gives no sign of life', async (t) => {
    const { file, open } = await scene(t);
    const [first, second] = [open(), open()];
    const [one, two] = [first.add(), second.add()];
    one.want(true);
    await eventually(() => one.state.phase === 'registered', 'the first');
    two.want(true);
    await eventually(() => two.state.phase === 'conflict', 'the second waits');
    one.want(false);
    await eventually(() => two.state.phase === 'registered', 'the second has it');
    two.want(false);
    await two.released();

    // What an operator has put there says no `ttl`: it stays.
    writeFileSync(file, '');
    one.want(true);
    await eventually(() => one.state.phase === 'conflict', 'the file of an operator');
    const began = performance.now();
    writeFileSync(file, JSON.stringify({ ttl: 1, by: 'a process that was killed' }));
    await eventually(() => one.state.phase === 'registered', 'it is taken over');
    assert.ok(performance.now() - began >= 900, 'not before its time');
    assert.notEqual(said(file)['by'], 'a process that was killed');
    assert.deepEqual(first.phases.slice(-2), ['conflict', 'registered']);
  });

  test('what somebody deletes is put back after one TTL, and at once when it is wanted anew', async (t) => {
    const { file, open } = await scene(t, { ttlMs: 2_000 });
    const { add } = open();
    const one = add();
    one.want(true);
    await eventually(() => one.state.phase === 'registered', 'registered');
    rmSync(file);
    await eventually(() => one.state.phase === 'removed', 'it is seen');
    const began = performance.now();
    await eventually(() => existsSync(file), 'it is back');
    assert.ok(performance.now() - began >= 1_500, 'not before its time');
    // The file is there a moment before the registration knows.
    await eventually(() => one.state.phase === 'registered', 'it knows');
    rmSync(file);
    await eventually(() => one.state.phase === 'removed', 'it is seen again');
    one.want(false);
    one.want(true);
    await eventually(() => existsSync(file), 'at once', 1_500);
  });

  test('a registry that is not there is told, and used as soon as it is', async (t) => {
    const { registry, file, open } = await scene(t);
    rmSync(registry.root, { recursive: true });
    const one = open().add();
    one.want(true);
    await eventually(() => one.state.phase === 'waiting' && one.state.error !== undefined, 'it is told');
    assert.ok(!existsSync(registry.root), 'nobody makes a registry');
    mkdirSync(registry.root);
    await eventually(() => existsSync(file), 'it is used');
  });

  for (const [name, jumpMs] of [
    ['ahead', 86_400_000],
    ['back', -86_400_000],
  ] as const) {
    test(`promise 36: the clock jumps a day ${name}: readers keep the file, and it keeps changing`, async (t) => {
      const { registry, file, open } = await scene(t);
      const one = open().add();
      one.want(true);
      await eventually(() => one.state.phase === 'registered', 'registered');
      const reader = follow(t, registry);
      await reader.holds(['10.0.0.1:6379']);
      const now = Date.now.bind(Date);
      t.mock.method(Date, 'now', () => now() + jumpMs);
      const beats = new Set<bigint>();
      await eventually(() => beats.add(statSync(file, { bigint: true }).mtimeNs).size > 8, 'signs of life');
      assert.deepEqual(reader.sets, [['10.0.0.1:6379']], 'for more than two TTLs');
    });
  }

  test('a link to nothing in its place is a conflict, looked at no more often than anything else', async (t) => {
    const { file, open } = await scene(t);
    mkdirSync(dirname(file), { recursive: true });
    symlinkSync('nowhere', file);
    const { phases, add } = open();
    add().want(true);
    await eventually(() => phases.at(-1) === 'conflict', 'a conflict');
    assert.deepEqual(readdirSync(dirname(file)), ['10.0.0.1:6379']);
  });

  test('a close takes all out, and is done when they are gone', async (t) => {
    const { file, open } = await scene(t);
    const { registrar, add } = open();
    const one = add();
    one.want(true);
    await eventually(() => one.state.phase === 'registered', 'registered');
    await registrar.close();
    assert.ok(!existsSync(file));
    await registrar.close();
  });
});

suite('registering in a directory', { timeout: 60_000 }, () => {
  /** An attache beside a server, and one that finds it. */
  async function both(t: TestContext, ttl = '1s') {
    const registry = await RegistryDirectory.create(t);
    const [server, src] = [await startNamed(t, 'found'), `127.0.0.1:${await freePort()}`];
    const DSC = pathToFileURL(registry.root).href;
    const own = {
      SRC: src,
      DST: `127.0.0.1:${server.port}`,
      REGISTER: SERVICE,
      REGISTER_ADDRESS: src,
      REGISTER_TTL: ttl,
    };
    const beside = startAttache(t, { env: { ...own, DSC } });
    const finder = startAttache(t, { env: { SRC: '127.0.0.1:0', SRV: SERVICE, DSC, DISCOVERY_ALLOW: '127.0.0.0/8' } });
    const port = await finder.port();
    const finds = (what: string) => eventually(async () => (await ask(port)) === what, `it finds: ${what || 'nobody'}`);
    await finds('found');
    return { registry, beside, finder, finds, file: join(registry.root, SERVICE, src) };
  }

  test('others find the server while it serves; SIGTERM takes it out', async (t) => {
    const { beside, finds, file } = await both(t);
    await beside.line(({ msg }) => msg === 'registered');
    beside.child.kill('SIGTERM');
    assert.equal(await beside.exited, 0);
    assert.ok(!existsSync(file));
    await finds('');
  });

  test('killed: others drop it within its TTL and a look, and say so once; the file stays', async (t) => {
    const { beside, finder, finds, file } = await both(t);
    beside.child.kill('SIGKILL');
    await beside.exited;
    const began = performance.now();
    await finder.line(({ msg, added, removed }) => msg === 'candidates changed' && added === 0 && removed === 1);
    assert.ok(performance.now() - began < 5_000);
    assert.ok(existsSync(file));
    await finds('');
    const told = finder.lines.filter(({ reason }) => String(reason).includes('no sign of life'));
    assert.equal(told.length, 1);
  });

  test('a registry that was away for longer than a TTL costs no member', async (t) => {
    const { registry, beside, finder, finds } = await both(t, '5s');
    // One, or two where the finder has looked before the server was registered.
    const changes = () => finder.lines.filter(({ msg }) => msg === 'candidates changed').length;
    await finder.line(({ msg, candidates }) => msg === 'candidates changed' && candidates === 1);
    const [before, away] = [changes(), `${registry.root}.away`];
    renameSync(registry.root, away);
    await finder.line(({ msg }) => msg === 'discovery stale');
    // It gives no sign of life before the reader has looked.
    beside.child.kill('SIGSTOP');
    const since = performance.now();
    await eventually(() => performance.now() - since > 5_500, 'a TTL is over');
    renameSync(away, registry.root);
    await finder.line(({ msg }) => msg === 'discovery synced', 2);
    assert.equal(changes(), before);
    beside.child.kill('SIGCONT');
    await finds('found');
  });

  test('one of long ago is not believed at the start', async (t) => {
    const registry = await RegistryDirectory.create(t);
    const [server, live] = [await startNamed(t, 'dead'), await startNamed(t, 'alive')];
    await registry.add(`127.0.0.1:${live.port}`);
    const file = registry.at(SERVICE, `127.0.0.1:${server.port}`);
    writeFileSync(file, JSON.stringify({ ttl: 1, by: 'x' }));
    await eventually(() => Date.now() - statSync(file).mtimeMs > 3_500, 'it is of long ago');
    const DSC = pathToFileURL(registry.root).href;
    const finder = startAttache(t, { env: { SRC: '127.0.0.1:0', SRV: SERVICE, DSC, DISCOVERY_ALLOW: '127.0.0.0/8' } });
    await finder.line(({ reason }) => String(reason).includes('no sign of life'));
    const { addedCandidates } = await finder.line(({ msg }) => msg === 'candidates changed');
    assert.deepEqual(addedCandidates, [`127.0.0.1:${live.port}`]);
  });
});
