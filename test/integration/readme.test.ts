import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { mainFile, projectRoot, startAttache } from '../support/attache.ts';
import { ask, freePort, startNamed } from '../support/tcp.ts';
import { eventually } from '../support/wait.ts';

const readme = readFileSync(join(projectRoot, 'README.md'), 'utf8');

/** The code blocks of one language. */
function blocks(language: string): readonly string[] {
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
    ([, code]) => code ?? '',
  );
}

test('the library example of the README runs and prints what it promises', (t) => {
  const [example] = blocks('js');
  assert.ok(example !== undefined);
  // Inside the project, so that the package finds itself by its own name.
  const folder = mkdtempSync(join(projectRoot, 'build', 'readme-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'example.mjs'), example);
  const { stdout, stderr, status } = spawnSync(process.execPath, [join(folder, 'example.mjs')], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^listening on 127\.0\.0\.1$/m);
  assert.match(stdout, /^got hello$/m);
  assert.match(stdout, /^carried by 127\.0\.0\.1:\d+: 6 bytes, finished$/m);
});

test('the faulty configuration of the README is reported exactly as shown', () => {
  const [shown] = blocks('console');
  assert.ok(shown !== undefined);
  const [command = '', ...report] = shown.trimEnd().split('\n');
  const words = [...command.matchAll(/([A-Z]+)=(\S+)/g)].map(([, word = '', value = '']) => [word, value] as const);
  assert.ok(words.length > 0);
  const env = { PATH: process.env['PATH'], ...Object.fromEntries(words) };
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
  const started = performance.now();
  const [code] = (await once(demo, 'close')) as [number | null];
  assert.equal(code, 0, output);
  assert.ok(performance.now() - started < 20_000);
  assert.match(output, /summary: \d+ answers \((blue|green) \d+, (blue|green) \d+\), .* attache exit code 0/);
});

for (const [command, expected] of [
  ['help', /^Usage: attache/],
  ['version', /^attache \d+\.\d+\.\d+\n$/],
] as const) {
  test(`attache ${command}`, () => {
    const { stdout, status } = spawnSync(process.execPath, [mainFile, command], { encoding: 'utf8', timeout: 20_000 });
    assert.equal(status, 0);
    assert.match(stdout, expected);
  });
}
