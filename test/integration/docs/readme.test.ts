import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { mainFile, projectRoot, startAttache } from '../../support/attache.ts';
import { startRedis } from '../../support/redis.ts';
import { Stopwatch } from '../../support/stopwatch.ts';
import { ask, freePort, startNamed } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

const readme = readFileSync(join(projectRoot, 'README.md'), 'utf8');

/** The code blocks of one language. */
function blocks(language: string): readonly string[] {
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
    ([, code]) => code ?? '',
  );
}

test('the library example of the README runs and prints what it promises', async (t) => {
  const [example] = blocks('js');
  assert.ok(example !== undefined);
  const [plain, backend] = [await freePort(), await freePort()];
  const text = example.replaceAll('16379', `${plain}`).replaceAll(/(?<!\d)6379/g, `${backend}`);
  const file = join(besidePackage(t), 'example.mjs');
  writeFileSync(file, text);
  const { stdout, stderr, status } = spawnSync(process.execPath, [file], { encoding: 'utf8', timeout: 20_000 });
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^got hello$/m);
  assert.match(stdout, new RegExp(`^carried by 127\\.0\\.0\\.1:${backend}: 6 bytes, finished$`, 'm'));
});

for (const skipLibCheck of [true, false]) {
  test(
    `the library example of the README is strict TypeScript, skipLibCheck ${skipLibCheck}`,
    { timeout: 120_000 },
    (t) => {
      const [example = ''] = blocks('js');
      const folder = besidePackage(t);
      writeFileSync(join(folder, 'example.mts'), example);
      const compilerOptions = {
        module: 'NodeNext',
        target: 'ES2022',
        strict: true,
        noUncheckedIndexedAccess: true,
        exactOptionalPropertyTypes: true,
        noEmit: true,
        types: ['node'],
        skipLibCheck,
      };
      writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['example.mts'] }));
      const tsc = join(projectRoot, 'node_modules/typescript/bin/tsc');
      const { stdout, status } = spawnSync(process.execPath, [tsc, '-p', folder], {
        encoding: 'utf8',
        timeout: 100_000,
      });
      assert.equal(stdout, '');
      assert.equal(status, 0);
    },
  );
}

/** A folder inside the project, so that the package finds itself by its own name. */
function besidePackage(t: TestContext): string {
  const folder = mkdtempSync(join(projectRoot, 'build', 'readme-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('the faulty configuration of the README is reported exactly as shown', () => {
  const [shown] = blocks('console');
  assert.ok(shown !== undefined);
  const [command = '', ...report] = shown.trimEnd().split('\n');
  const settings = [...command.matchAll(/([A-Z]+)=(\S+)/g)].map(
    ([, setting = '', value = '']) => [setting, value] as const,
  );
  assert.ok(settings.length > 0);
  const env = { PATH: process.env['PATH'], ...Object.fromEntries(settings) };
  const { stderr, status } = spawnSync(process.execPath, [mainFile], { env, encoding: 'utf8', timeout: 20_000 });
  assert.equal(status, 78);
  assert.deepEqual(stderr.trimEnd().split('\n'), report);
});

test('the directory recipe of the README serves, and follows a file that is added and one that is removed', async (t) => {
  const registry = mkdtempSync(join(tmpdir(), 'attache-readme-'));
  t.after(() => rmSync(registry, { recursive: true, force: true }));
  const members = join(registry, 'srv/redis/debug');
  mkdirSync(members, { recursive: true });
  const [a, b] = [await startNamed(t, 'a'), await startNamed(t, 'b')];
  const attache = startAttache(t, {
    env: { SRC: '127.0.0.1:0', SRV: '/srv/redis/debug', DSC: `file://${registry}` },
  });
  const port = await attache.port();
  writeFileSync(join(members, `127.0.0.1:${a.port}`), '');
  await eventually(async () => (await ask(port)) === 'a', 'a serves');
  rmSync(join(members, `127.0.0.1:${a.port}`));
  writeFileSync(join(members, `127.0.0.1:${b.port}`), '');
  await eventually(async () => (await ask(port)) === 'b', 'b serves');
});

test('the sidecar of a Job: POST /quit drains and exits 0', async (t) => {
  const [http, admin] = [await freePort(), await freePort()];
  const server = await startNamed(t, 'x');
  const attache = startAttache(t, {
    env: {
      SRC: '127.0.0.1:0',
      DST: `127.0.0.1:${server.port}`,
      HTTP_ADDR: `127.0.0.1:${http}`,
      ADMIN_ADDR: `127.0.0.1:${admin}`,
    },
  });
  await attache.line(({ msg, phase }) => msg === 'lifecycle' && phase === 'started');
  assert.equal((await fetch(`http://127.0.0.1:${http}/readyz`)).status, 200);
  assert.equal((await fetch(`http://127.0.0.1:${http}/quit`, { method: 'POST' })).status, 405);
  assert.equal((await fetch(`http://127.0.0.1:${admin}/quit`, { method: 'POST' })).status, 202);
  assert.equal(await attache.exited, 0);
});

test('the demo ends by itself with a summary, both backends having answered', { timeout: 60_000 }, async (t) => {
  const demo = spawn(process.execPath, [join(projectRoot, 'build/scripts/demo.js')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => demo.kill('SIGKILL'));
  let output = '';
  for (const stream of [demo.stdout, demo.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const started = new Stopwatch();
  const [code] = (await once(demo, 'close')) as [number | null];
  assert.equal(code, 0, output);
  assert.ok(started.ms() < 20_000);
  assert.match(output, /watch it in a browser: http:\/\/127\.0\.0\.1:\d+\/$/m);
  // It begins when discovery has answered: nobody was turned away.
  assert.doesNotMatch(output, /nobody|no_candidates/);
  assert.ok(output.split('\n').length < 25, output);
  assert.match(output, /summary: \d+ answers \((blue|green) \d+, (blue|green) \d+\), .* attache exit code 0/);
});

for (const [command, expected] of [
  ['help', /^Usage: attache/],
  ['version', /^attache \d+\.\d+\.\d+\nengine (native|typescript .+)\n$/],
] as const) {
  test(`attache ${command}`, () => {
    const { stdout, status } = spawnSync(process.execPath, [mainFile, command], { encoding: 'utf8', timeout: 20_000 });
    assert.equal(status, 0);
    assert.match(stdout, expected);
  });
}

test(
  'mutual TLS in five minutes: the block of the README, pasted whole, brings an answer through the pair and ends both',
  { timeout: 60_000 },
  async (t) => {
    const [recipe] = blocks('bash');
    assert.ok(recipe !== undefined);
    const folder = mkdtempSync(join(tmpdir(), 'attache-mtls-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const redis = await startRedis(t, 'mtls');
    const [tls, plain, serverHttp, clientHttp] = [
      await freePort(),
      await freePort(),
      await freePort(),
      await freePort(),
    ];
    const text = recipe
      .replaceAll('127.0.0.1:6379', `127.0.0.1:${redis.port}`)
      .replaceAll('6380', `${tls}`)
      .replaceAll('29091', `${serverHttp}`)
      .replaceAll('29092', `${clientHttp}`)
      .replaceAll('16379', `${plain}`)
      .replaceAll(/(?<= )certificates/g, join(folder, 'certificates'));
    const shell = spawn('bash', ['-ec', text], { cwd: projectRoot, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    const group = -(shell.pid ?? 0);
    t.after(() => {
      // What it started, where it has not ended that.
      if (isAlive(group)) process.kill(group, 'SIGKILL');
    });
    let output = '';
    for (const stream of [shell.stdout, shell.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const [code] = (await once(shell, 'close')) as [number | null];
    assert.equal(code, 0, output);
    assert.equal(output.split('\n').filter((line) => line === 'PONG').length, 1, output);
    assert.equal(isAlive(group), false, 'it ends what it has started');
  },
);

test('git ignores what the recipes write keys to', () => {
  const written = [...readme.matchAll(/make-certificates(?: (\w+))?$/gm)].map(
    ([, folder]) => folder ?? 'deploy/mtls/certificates',
  );
  assert.ok(written.length > 0);
  const keys = [...written.map((folder) => `${folder}/server/key.pem`), 'key.pem', 'ca-key.pem', 'tls.key'];
  const { stdout } = spawnSync('git', ['check-ignore', '--no-index', ...keys], { cwd: projectRoot, encoding: 'utf8' });
  assert.deepEqual(stdout.trimEnd().split('\n'), keys);
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
