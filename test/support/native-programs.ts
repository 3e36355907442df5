import { execFile } from 'node:child_process';
import { cp, readdir, readFile, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { scratchFolder } from './scratch.ts';

const run = promisify(execFile);

export const FUZZ_SECONDS = process.env['FUZZ_SECONDS'] ?? '3';
/** Where the engine's C is. */
export const NATIVE = join(import.meta.dirname, '../../../native');
export const SANITIZERS = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
const WARNINGS = ['-std=c11', '-D_GNU_SOURCE', '-g', '-Wall', '-Wextra', '-Werror'];
/** So that small loads reach its limits. */
export const SMALL_ENGINE = ['-DRING_RECORDS=16u', '-DTURN_BYTES=131072', '-DMOST_SHARE_BYTES=65536'];

export interface Fuzzer {
  readonly flags: readonly string[];
  /** Sources whose ways are counted. */
  readonly tried: readonly string[];
  readonly others: readonly string[];
  readonly libraries?: readonly string[];
  /** A folder of `native/fuzz`. */
  readonly corpus: string;
  readonly env?: NodeJS.ProcessEnv;
}

export async function compile(options: readonly string[]): Promise<void> {
  await run('cc', [...WARNINGS, '-isystem', await headers(), ...options]);
}

/** The engine's own files whose names, without the ending, fit. */
export async function engineSources(fits: (name: string) => boolean): Promise<readonly string[]> {
  const names = await readdir(NATIVE);
  return names.filter((name) => name.endsWith('.c') && fits(name.slice(0, -2))).map((name) => join(NATIVE, name));
}

/** All that can do without Node. */
export function engineWithoutNode(): Promise<readonly string[]> {
  return engineSources((name) => !['addon', 'addon-tls', 'crash'].includes(name));
}

/**
 * Compiles a fuzzer with sanitizers and lets it try inputs for `FUZZ_SECONDS`, beginning with those of its corpus.
 *
 * @throws when it has found something: the input is in the message
 */
export async function fuzz(
  t: TestContext,
  fuzzer: Fuzzer,
): Promise<{ readonly inputs: number; readonly ways: number }> {
  const folder = await scratchFolder(t);
  const program = join(folder, 'fuzzed');
  const corpus = join(folder, 'corpus');
  const flags = [...SANITIZERS, '-O1', ...fuzzer.flags];
  const objects: string[] = [];
  for (const source of fuzzer.tried) {
    const object = join(folder, `${objects.length}.o`);
    await compile([...flags, '-fsanitize-coverage=trace-pc', '-c', source, '-o', object]);
    objects.push(object);
  }
  const others = [...fuzzer.others, join(NATIVE, 'fuzz/driver.c')];
  await compile([...flags, ...objects, ...others, ...(fuzzer.libraries ?? []), '-o', program]);
  await cp(join(NATIVE, 'fuzz', fuzzer.corpus), corpus, { recursive: true });
  const seed = process.env['TEST_SEED'] ?? `${Date.now()}`;
  t.diagnostic(`TEST_SEED=${seed}`);
  const stdout = await tryInputs([program, FUZZ_SECONDS, seed, corpus], { ...process.env, ...fuzzer.env });
  t.diagnostic(stdout.trim());
  const [, inputs = 0, ways = 0] = /^(\d+) inputs, \d+ kept, (\d+) ways\n$/.exec(stdout)?.map(Number) ?? [];
  return { inputs, ways };
}

async function tryInputs(
  [program = '', seconds = '', seed = '', corpus = '']: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<string> {
  try {
    const { stdout } = await run(program, [seconds, seed, corpus], { env, timeout: 60_000 + 1000 * Number(seconds) });
    return stdout;
  } catch (error) {
    const tried = await readFile(join(corpus, 'tried'));
    throw new Error(`the input ${tried.toString('base64')} (base64) has found something`, { cause: error });
  }
}

/** Of Node-API and OpenSSL, beside the binary. */
async function headers(): Promise<string> {
  return join(dirname(await realpath(process.execPath)), '../include/node');
}
