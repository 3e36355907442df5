import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { compile, engineWithoutNode, NATIVE, SMALL_ENGINE } from '../../../support/native-programs.ts';
import { scratchFolder } from '../../../support/scratch.ts';

const run = promisify(execFile);
const SECONDS = process.env['THREADS_SECONDS'] ?? '3';
const SOURCES = ['half.c', 'peer.c', 'crowd.c', 'threads.c'];

test(
  'both threads of the engine under load: ThreadSanitizer has nothing to say, and nothing is left',
  { timeout: 120_000 + 1000 * Number(SECONDS) },
  async (t) => {
    const program = join(await scratchFolder(t), 'threads');
    const flags = ['-O1', '-fno-omit-frame-pointer', '-fsanitize=thread', '-pthread', ...SMALL_ENGINE];
    const sources = [...(await engineWithoutNode()), ...SOURCES.map((name) => join(NATIVE, 'test', name))];
    await compile([...flags, ...sources, '-o', program]);
    const seed = process.env['TEST_SEED'] ?? `${Date.now()}`;
    t.diagnostic(`TEST_SEED=${seed}`);
    const [command, ...words] = [...(await fixedAddresses()), program, SECONDS, seed] as const;
    const env = { ...process.env, TSAN_OPTIONS: 'halt_on_error=1' };
    const { stdout } = await run(command, words, { env, timeout: 60_000 + 1000 * Number(SECONDS) });
    t.diagnostic(stdout.trim());
    const told = /^(\d+) rounds, (\d+) relays, (\d+) loans, \d+ records, (\d+) bytes\n$/.exec(stdout);
    const [rounds = 0, relays = 0, loans = 0, bytes = 0] = told?.slice(1).map(Number) ?? [];
    assert.ok(rounds > 1 && relays > 20 && loans > 10 && bytes > 100_000, 'there was a load');
  },
);

/** ThreadSanitizer of older compilers does not begin where addresses are as random as can be. A sandbox may forbid to change that. */
async function fixedAddresses(): Promise<readonly string[]> {
  return run('setarch', ['-R', 'true']).then(
    () => ['setarch', '-R'],
    () => [],
  );
}
