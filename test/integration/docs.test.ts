import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import ts from 'typescript';
import { mainFile, projectRoot } from '../support/attache.ts';
import { document, documents, fencedBlocks } from '../support/documents.ts';

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
exec '${process.execPath}' '${mainFile}' check "$@"
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
  const { status, stdout, stderr } = spawnSync(process.execPath, [mainFile, 'check'], {
    env: { PATH: process.env['PATH'], SERVICES_FILE: file },
    encoding: 'utf8',
    timeout: 20_000,
  });
  assert.equal(status, 0, stderr);
  const names = [...stdout.matchAll(/^service (\S+) /gm)].map(([, name]) => name);
  assert.deepEqual(names, ['cache', 'db', 'shards', 'api']);
});

test('the HAProxy configuration that is shown beside the words is one', (t) => {
  const [configuration = ''] = fencedBlocks(document('docs/migration.md'), 'haproxy');
  const file = join(scratch(t, tmpdir()), 'haproxy.cfg');
  writeFileSync(file, configuration);
  const env = { PATH: [process.env['PATH'], '/usr/sbin'].join(delimiter) };
  const { status, stderr } = spawnSync('haproxy', ['-c', '-f', file], { env, encoding: 'utf8', timeout: 20_000 });
  assert.equal(status, 0, stderr);
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
