import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import ts from 'typescript';
import { mainFile, projectRoot, runAttache, startAttache } from '../../support/attache.ts';
import { createAuthority } from '../../support/certificates.ts';
import { document, documents, fencedBlocks } from '../../support/documents.ts';
import { lasting, quotedUnder } from '../../support/quoted-lines.ts';
import { readyzThat, type Readyz } from '../../support/readyz.ts';
import { ask, freePort, startEcho } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

test(
  'every command line that is shown for a migration is a configuration that attache takes',
  { timeout: 100_000 },
  (t) => {
    const folder = scratch(t, tmpdir());
    // The command itself would run: here it checks what it was given.
    writeFileSync(
      join(folder, 'attache'),
      `#!/bin/sh
case $1 in
  tls-client) shift; set -- --tls-mode client "$@" ;;
  tls-server) shift; set -- --tls-mode server "$@" ;;
esac
exec '${process.execPath}' '${mainFile}' check --no-files "$@"
`,
    );
    chmodSync(join(folder, 'attache'), 0o755);
    const env = { PATH: [folder, process.env['PATH']].join(delimiter) };
    const commands = documents()
      .flatMap((page) => fencedBlocks(page, 'sh check'))
      .flatMap((block) => block.replaceAll('\\\n', ' ').trim().split('\n'));
    assert.ok(commands.length >= 10);
    for (const command of commands) {
      const { status, stdout, stderr } = spawnSync('sh', ['-c', command], { env, encoding: 'utf8', timeout: 20_000 });
      assert.equal(status, 0, `${command}: ${stderr}`);
      assert.match(stdout, /^service default /);
      assert.equal(stderr, '', command);
    }
  },
);

test('SERVICES as it is shown is taken, and is as many services', (t) => {
  const [services = ''] = fencedBlocks(document('docs/migration.md'), 'json services');
  const file = join(scratch(t, tmpdir()), 'services.json');
  writeFileSync(file, services);
  const { status, stdout, stderr } = spawnSync(process.execPath, [mainFile, 'check', '--no-files'], {
    env: { PATH: process.env['PATH'], SERVICES_FILE: file },
    encoding: 'utf8',
    timeout: 20_000,
  });
  assert.equal(status, 0, stderr);
  const names = [...stdout.matchAll(/^service (\S+) /gm)].map(([, name]) => name);
  assert.deepEqual(names, ['cache', 'db', 'shards', 'api']);
});

test('the HAProxy configuration that is shown beside the settings is one', (t) => {
  const [configuration = ''] = fencedBlocks(document('docs/migration.md'), 'haproxy');
  const file = join(scratch(t, tmpdir()), 'haproxy.cfg');
  writeFileSync(file, configuration);
  const env = { PATH: [process.env['PATH'], '/usr/sbin'].join(delimiter) };
  const { status, stderr } = spawnSync('haproxy', ['-c', '-f', file], { env, encoding: 'utf8', timeout: 20_000 });
  assert.equal(status, 0, stderr);
});

test('the stunnel configurations that are shown beside the settings are some', { timeout: 60_000 }, async (t) => {
  const [authority, folder] = [await createAuthority(t), scratch(t, tmpdir())];
  const { certPath, keyPath } = await authority.issue('shown');
  const shown = fencedBlocks(document('docs/migration.md'), 'ini stunnel');
  assert.equal(shown.length, 2);
  for (const [n, text] of shown.entries()) {
    const file = join(folder, `stunnel-${n}.conf`);
    const here = text
      .replace('/etc/tls/ca.pem', authority.caPath)
      .replace('/etc/tls/cert.pem', certPath)
      .replace('/etc/tls/key.pem', keyPath)
      .replace(/^accept = .*$/m, `accept = 127.0.0.1:${await freePort()}`);
    writeFileSync(file, here);
    const stunnel = spawn('stunnel4', [file], { stdio: ['ignore', 'ignore', 'pipe'] });
    t.after(() => stunnel.kill('SIGKILL'));
    let said = '';
    stunnel.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await eventually(() => said.includes('Configuration successful') || stunnel.exitCode !== null, 'stunnel is set up');
    assert.equal(stunnel.exitCode, null, said);
  }
});

test('the examples of the library compile, run, and print what they promise', { timeout: 100_000 }, (t) => {
  // Inside the project, so that the package finds itself by its own name.
  const folder = scratch(t, join(projectRoot, 'build'));
  const examples = fencedBlocks(document('docs/library.md'), 'ts run');
  assert.ok(examples.length >= 5);
  const files = examples.map((_, n) => join(folder, `example-${n}.ts`));
  files.forEach((file, n) => writeFileSync(file, examples[n] ?? ''));
  compile(files);
  files.forEach((file, n) => {
    const run = spawnSync(process.execPath, [file.replace(/ts$/, 'js')], { encoding: 'utf8', timeout: 20_000 });
    const promised = [...(examples[n] ?? '').matchAll(/^\/\/ prints: (.*)$/gm)].map(([, line]) => line);
    assert.ok(promised.length > 0);
    assert.deepEqual(run.stdout.trimEnd().split('\n'), promised, run.stderr);
    assert.equal(run.status, 0, run.stderr);
  });
});

test('the log of a stop and the story of a connection are as they are shown', async (t) => {
  const http = await freePort();
  const env = { SRC: '127.0.0.1:0', DST: '127.0.0.1:1,localhost:2,nosuch.invalid:3', HTTP_ADDR: `127.0.0.1:${http}` };
  const attache = startAttache(t, { env });
  await attache.line(({ msg }) => msg === 'HTTP server listening');
  for (const id of [1, 2]) {
    await ask(await attache.port());
    await attache.line(({ msg }) => msg === 'connection closed', id);
  }
  const { text } = document('docs/operations.md');
  const [, shown = ''] = /\$ attache connections --id 2\n([^`]*)```/.exec(text) ?? [];
  const { code, stdout } = await runAttache(t, { args: ['connections', '--id', '2'], env });
  assert.equal(code, 0);
  assert.equal(withoutFigures(stdout), withoutFigures(shown));

  const stop = quotedUnder('Stop', 'docs/operations.md');
  attache.child.kill('SIGTERM');
  assert.equal(await attache.exited, 0);
  const lines = attache.lines.slice(-stop.lines.length);
  assert.deepEqual(lasting(lines), lasting(stop.lines));
});

test('an answer of /readyz is as it is shown', async (t) => {
  const [http, taken] = [await freePort(), await startEcho(t)];
  const env = {
    SRC_A: `127.0.0.1:${taken.port}`,
    SRC_B: '127.0.0.1:0',
    DST_A: 'localhost:1',
    DST_B: 'localhost:1',
    HTTP_ADDR: `127.0.0.1:${http}`,
  };
  startAttache(t, { env });
  const { status } = await readyzThat(http, ({ services }) => services[1]?.ready === true, 'one of two is ready');
  assert.equal(status, 503);
  const answer = (await (await fetch(`http://127.0.0.1:${http}/readyz`)).json()) as Readyz;
  const [shown = ''] = fencedBlocks(document('docs/operations.md'), 'json');
  assert.deepEqual(lasting({ ...answer, services: answer.services.slice(0, 1) }), lasting(JSON.parse(shown)));
});

/** A story without its times, ports and line breaks. */
function withoutFigures(text: string): string {
  return text
    .trim()
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/\d{4}-\S+Z|\d+([.]\d+)? ms|127[.]0[.]0[.]1:\d{4,5}/g, '_')
    .replaceAll(/EAI_AGAIN|TIMEOUT/g, 'ENOTFOUND');
}

function compile(files: readonly string[]): void {
  const program = ts.createProgram(files, {
    target: ts.ScriptTarget.ES2023,
    lib: ['lib.es2023.d.ts'],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: ['node'],
    typeRoots: [join(projectRoot, 'node_modules/@types')],
    strict: true,
    skipLibCheck: true,
  });
  const faults = [...ts.getPreEmitDiagnostics(program), ...program.emit().diagnostics];
  assert.equal(ts.formatDiagnostics(faults, host), '');
}

const host: ts.FormatDiagnosticsHost = {
  getCanonicalFileName: (name) => name,
  getCurrentDirectory: () => projectRoot,
  getNewLine: () => '\n',
};

function scratch(t: TestContext, parent: string): string {
  const folder = mkdtempSync(join(parent, 'attache-docs-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
