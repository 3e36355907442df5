import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

const programs = [
  'cc',
  'nm',
  'etcd',
  'etcdctl',
  'redis-server',
  'redis-cli',
  'openssl',
  'stunnel4',
  'haproxy',
  'promtool',
  'dnsmasq',
  'named',
  'nsupdate',
  'ip',
  'unshare',
  'python3',
  'testssl',
  'patroni',
  'postgres',
] as const;

test('with every program there, setting up prints nothing', (t) => {
  const { status, output } = setUp(t, programs);
  assert.deepEqual({ status, output }, { status: 0, output: '' });
});

test('without a package manager, setting up names exactly the programs that are missing', (t) => {
  const { status, output } = setUp(
    t,
    programs.filter((name) => !name.startsWith('redis')),
  );
  assert.equal(status, 1);
  assert.match(output, /not on this machine: redis-server redis-cli$/m);
  assert.match(output, /Install them/);
});

test('PostgreSQL is found in the folder of its version, where Debian has it', (t) => {
  const others = programs.filter((name) => name !== 'postgres');
  const { status, output } = setUp(t, others);
  assert.equal(status, 1);
  assert.match(output, /not on this machine: postgres$/m);
  assert.deepEqual(setUp(t, others, ['17/bin/postgres']), { status: 0, output: '' });
});

/** Runs the script where `present` is all that is in PATH. */
function setUp(
  t: TestContext,
  present: readonly string[],
  versions: readonly string[] = [],
): { status: number | null; output: string } {
  const path = mkdtempSync(join(tmpdir(), 'attache-setup-'));
  t.after(() => rmSync(path, { recursive: true }));
  for (const name of present) writeFileSync(join(path, name), '#!/bin/sh\n', { mode: 0o755 });
  const postgresql = join(path, 'postgresql');
  for (const file of versions) {
    mkdirSync(join(postgresql, file, '..'), { recursive: true });
    writeFileSync(join(postgresql, file), '#!/bin/sh\n', { mode: 0o755 });
  }
  symlinkSync('/bin/bash', join(path, 'bash'));
  const run = spawnSync('/bin/bash', ['scripts/setup-tests'], {
    env: { PATH: path, POSTGRESQL_ROOT: postgresql },
    encoding: 'utf8',
    timeout: 10_000,
  });
  return { status: run.status, output: `${run.stdout}${run.stderr}` };
}
