import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Results } from '../../../bench/results.ts';

const program = fileURLToPath(new URL('../../../bench/main.js', import.meta.url));

test('a short run of the bench writes its results and leaves nothing else', { timeout: 60_000 }, async (t) => {
  const bench = startBench(t, ['--only', 'start', '--against', 'stunnel', '--rounds', '1']);
  assert.equal(await bench.exitCode, 0, bench.output());
  const node = `node${Number.parseInt(process.versions.node, 10)}`;
  const results = JSON.parse(readFileSync(join(bench.out, `${node}-start.json`), 'utf8')) as Results;
  const time = results.rows.find(({ measure }) => measure === 'start-time')?.values.attache?.[0] ?? 0;
  assert.ok(time > 0, bench.output());
  assert.match(readFileSync(join(bench.out, `${node}-start.md`), 'utf8'), /start to first accepted connection/);
  assertNothingLeft(bench);
});

test('a bench that is interrupted ends what it started, and writes nothing', { timeout: 60_000 }, async (t) => {
  const bench = startBench(t, ['--only', 'small', '--against', 'stunnel', '--rounds', '100', '--seconds', '60']);
  // A redis-server, attache and the load (stunnel carries TLS only): the middle of a reading.
  await bench.until(() => running(bench.scratch).length >= 3);
  bench.interrupt();
  assert.equal(await bench.exitCode, 130, bench.output());
  assertNothingLeft(bench);
  assert.deepEqual(readdirSync(bench.out), []);
});

test('a bench of Patroni that is interrupted ends every PostgreSQL, too', { timeout: 110_000 }, async (t) => {
  const bench = startBench(t, ['--only', 'failover-patroni', '--against', 'stunnel', '--rounds', '1']);
  // Another user runs it, who has to pass through these folders.
  chmodSync(dirname(bench.scratch), 0o711);
  chmodSync(bench.scratch, 0o711);
  await bench.until(() => running(bench.scratch).filter(isPostmaster).length >= 2);
  // A Patroni that stands still ends no PostgreSQL, which is in a session of its own.
  for (const pid of running(bench.scratch).filter(isPatroni)) process.kill(Number(pid), 'SIGSTOP');
  bench.interrupt();
  assert.equal(await bench.exitCode, 130, bench.output());
  assertNothingLeft(bench);
  assert.deepEqual(readdirSync(bench.out), []);
});

for (const [argv, said] of [
  [['--rounds', 'many'], /bench: --rounds: expected a whole number/],
  [['--node', '/bin/true'], /bench: --node: expected a node binary, got "\/bin\/true"/],
] as const) {
  test(`${argv.join(' ')} is refused with exit code 64`, { timeout: 60_000 }, async (t) => {
    const bench = startBench(t, argv);
    assert.equal(await bench.exitCode, 64, bench.output());
    assert.match(bench.output(), said);
    assertNothingLeft(bench);
  });
}

interface Bench {
  /** Its folder for temporary files, which nobody else uses. */
  readonly scratch: string;
  readonly out: string;
  readonly exitCode: Promise<number | null>;
  readonly output: () => string;
  readonly until: (condition: () => boolean) => Promise<void>;
  interrupt(): void;
}

function startBench(t: TestContext, argv: readonly string[]): Bench {
  const folder = mkdtempSync(join(tmpdir(), 'bench-test-'));
  const [scratch, out] = [join(folder, 'scratch'), join(folder, 'out')];
  for (const path of [scratch, out]) mkdirSync(path);
  const child = spawn(process.execPath, [program, ...argv, '--out', out], {
    env: { PATH: process.env['PATH'], TMPDIR: scratch },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => (text += `${line}\n`));
  const exitCode = once(child, 'close').then(() => child.exitCode);
  t.after(async () => {
    child.kill('SIGINT');
    await exitCode;
    rmSync(folder, { recursive: true, force: true });
  });
  const until = async (condition: () => boolean) => {
    while (!condition()) {
      assert.equal(child.exitCode, null, text);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  return {
    scratch,
    out,
    exitCode,
    until,
    output: () => text,
    interrupt: () => child.kill('SIGINT'),
  };
}

function assertNothingLeft({ scratch, output }: Bench): void {
  assert.deepEqual(readdirSync(scratch), [], output());
  assert.deepEqual(running(scratch), [], output());
}

/** Processes that write to files in `folder`, as all that the bench starts do. */
function running(folder: string): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => linkOf(`/proc/${pid}/fd/2`).startsWith(folder));
}

/** The first process of a PostgreSQL; the others have titles of their own. */
function isPostmaster(pid: string): boolean {
  return argumentsOf(pid)[0]?.endsWith('/postgres') ?? false;
}

/** A program of Python. */
function isPatroni(pid: string): boolean {
  return argumentsOf(pid)[1]?.endsWith('/patroni') ?? false;
}

function argumentsOf(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
