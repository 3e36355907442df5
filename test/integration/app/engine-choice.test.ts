import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { cp, mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { projectRoot, runAttache, startAttache } from '../../support/attache.ts';
import { httpAsk, httpPort } from '../../support/http.ts';
import { preload } from '../../support/preload.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { ask, startNamed } from '../../support/tcp.ts';

/** This attache without its native engine. @returns its main file */
async function withoutNative(t: TestContext): Promise<string> {
  const root = await scratchFolder(t);
  await mkdir(join(root, 'dist'));
  await cp(join(projectRoot, 'dist'), join(root, 'dist'), {
    recursive: true,
    filter: (file) => !file.endsWith('.node'),
  });
  await cp(join(projectRoot, 'package.json'), join(root, 'package.json'));
  await symlink(join(projectRoot, 'node_modules'), join(root, 'node_modules'));
  return join(root, 'dist/main.js');
}

test('the first line says what runs, and so does /status', async (t) => {
  const server = await startNamed(t, 'hello');
  const env = { SRC: '127.0.0.1:0', DST: `127.0.0.1:${server.port}`, HTTP_ADDR: '127.0.0.1:0', ENGINE: 'typescript' };
  const attache = startAttache(t, { env });
  assert.equal(await ask(await attache.port()), 'hello');
  const [first] = attache.lines;
  assert.equal(first?.msg, 'starting');
  assert.equal(first['level'], 'info');
  assert.equal(first['engine'], 'typescript');
  assert.equal(first['node'], process.version);
  assert.equal(first['reason'], undefined);
  const { body } = await httpAsk(await httpPort(attache, 'health'), '/status');
  const status = JSON.parse(body) as { readonly engine: unknown };
  assert.deepEqual(status.engine, { name: 'typescript' });
});

test('ENGINE=native without a native engine: the TypeScript engine serves, and the first line warns why', async (t) => {
  const server = await startNamed(t, 'hello');
  const main = await withoutNative(t);
  const env = { SRC: '127.0.0.1:0', DST: `127.0.0.1:${server.port}`, ENGINE: 'native' };
  const attache = startAttache(t, { main, env });
  assert.equal(await ask(await attache.port()), 'hello');
  const [first] = attache.lines;
  assert.equal(first?.msg, 'starting without the native engine: it cannot be used here');
  assert.equal(first['level'], 'warn');
  assert.equal(first['engine'], 'typescript');
  assert.match(String(first['reason']), /^dist\/native\/linux-\S+[.]node is missing: scripts\/build-native makes it$/);
});

test('by default the native engine serves; where it is missing the TypeScript engine does, and the first line says why', async (t) => {
  const server = await startNamed(t, 'hello');
  const env = { SRC: '127.0.0.1:0', DST: `127.0.0.1:${server.port}`, ENGINE: '' };
  const missing = /^dist\/native\/linux-\S+[.]node is missing/;
  for (const [main, engine, reason] of [
    [undefined, 'native', /^undefined$/],
    [await withoutNative(t), 'typescript', missing],
  ] as const) {
    const attache = startAttache(t, { env, ...(main !== undefined && { main }) });
    assert.equal(await ask(await attache.port()), 'hello');
    const [first] = attache.lines;
    assert.deepEqual([first?.msg, first?.['level'], first?.['engine']], ['starting', 'info', engine]);
    assert.match(String(first?.['reason']), reason);
  }
});

for (const [where, thread] of [
  ['the thread of JavaScript', undefined],
  ['the thread of the engine', 'attache-io'],
] as const) {
  test(`a fault in ${where} names the engine and ENGINE=typescript in its last line, and ends the process as ever`, async (t) => {
    const server = await startNamed(t, 'hello');
    const env = { SRC: '127.0.0.1:0', DST: `127.0.0.1:${server.port}`, ENGINE: 'native' };
    const attache = startAttache(t, { env });
    assert.equal(await ask(await attache.port()), 'hello');
    assert.equal(attache.lines[0]?.['engine'], 'native');
    const { pid = 0 } = attache.child;
    fault(pid, thread === undefined ? pid : threadOf(pid, thread));
    assert.equal(await attache.exited, 'SIGSEGV');
    assert.match(
      attache.stderr(),
      /\bSIGSEGV, with the native engine[.] Set ENGINE=typescript to run without it, .*\n$/,
    );
  });
}

test('a full heap is told by Node alone: the engine is not to blame', async (t) => {
  const attache = startAttache(t, {
    env: { SRC: '127.0.0.1:0', DST: '127.0.0.1:1', ENGINE: 'native' },
    nodeArgs: [
      '--max-old-space-size=40',
      ...preload(t, 'process.on("SIGUSR2", () => { const all = []; for (;;) all.push(new Array(1e6).fill(1)); })'),
    ],
  });
  await attache.port();
  attache.child.kill('SIGUSR2');
  assert.equal(await attache.exited, 'SIGABRT');
  assert.match(attache.stderr(), /heap out of memory/);
  assert.doesNotMatch(attache.stderr(), /ENGINE=typescript/);
});

test('in the program of others a fault is not told: its signals are not ours', async (t) => {
  const script = `import { createAmbassador } from ${JSON.stringify(pathToFileURL(join(projectRoot, 'dist/index.js')).href)};
    const ambassador = createAmbassador({ services: [{ src: '127.0.0.1:0', dst: '127.0.0.1:1' }] });
    await ambassador.start();
    console.log(ambassador.status.engine.name);
    process.kill(process.pid, 'SIGSEGV');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  const [said, stderr] = [text(child.stdout), text(child.stderr)];
  const [, signal] = (await once(child, 'close')) as [unknown, NodeJS.Signals | null];
  assert.deepEqual([await said, await stderr, signal], ['native\n', '', 'SIGSEGV']);
});

/** The thread of a process that has this name. */
function threadOf(pid: number, name: string): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const found = threads.find((id) => readFileSync(`/proc/${pid}/task/${id}/comm`, 'utf8').trim() === name);
  assert.ok(found !== undefined, `no thread is called ${name}`);
  return Number(found);
}

/** SIGSEGV for one thread. */
function fault(pid: number, thread: number): void {
  execFileSync('python3', ['-c', `import ctypes; assert ctypes.CDLL(None).tgkill(${pid}, ${thread}, 11) == 0`]);
}

test('ENGINE takes nothing but its three values', async (t) => {
  const { code, stderr } = await runAttache(t, { env: { SRC: '127.0.0.1:0', DST: '127.0.0.1:1', ENGINE: 'fast' } });
  assert.equal(code, 78);
  assert.match(stderr, /ENGINE: expected auto, native or typescript, got "fast"/);
});

test('attache version names the engine behind the version', async (t) => {
  const { code, stdout } = await runAttache(t, { args: ['version'] });
  assert.equal(code, 0);
  assert.match(stdout, /^attache \d+[.]\d+[.]\d+\nengine (native|typescript \(no native engine: .+\))\n$/);
});
