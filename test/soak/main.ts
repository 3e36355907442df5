/**
 * The chaos soak: `npm run test:soak -- --minutes 5 --seed 7 --report docs`. Exits 1 when a check fails, 2 when it could
 * not be run. Everything that it starts ends with it, also on Ctrl-C.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ScriptScope } from '../support/scope.ts';
import { runSeed } from '../support/seeded.ts';
import { reportOf } from './report.ts';
import { runSoak } from './soak.ts';
import { judge } from './verdict.ts';

const { values } = parseArgs({
  options: {
    /** Of the faults after the warm-up. */
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string' },
    /** A folder for `soak.md`, `soak.json` and `soak.svg`; default: the report goes to the terminal alone. */
    report: { type: 'string' },
    /** Tells of every step. */
    verbose: { type: 'boolean', default: false },
  },
});
const ms = Number(values.minutes) * 60_000;
const seed = values.seed === undefined ? runSeed() : Number(values.seed);
if (!(ms > 0) || !Number.isSafeInteger(seed)) {
  console.error('soak: expected --minutes with a number above 0 and --seed with a whole one');
  process.exit(2);
}

const scope = new ScriptScope();
const broken = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // What hangs is ended under it; the second time nothing is waited for.
    if (broken.signal.aborted) process.exit(2);
    broken.abort(new Error(signal));
  });
}

process.exitCode = 2;
try {
  process.exitCode = await main();
} catch (error) {
  console.error('soak: could not be run to its end:', error);
} finally {
  await scope.close();
}
process.exit();

async function main(): Promise<number> {
  console.log(`soak: ${ms / 1_000} s, seed ${seed}`);
  const say = values.verbose ? console.log : () => undefined;
  const stopped = new Promise<never>((_, reject) => {
    broken.signal.addEventListener('abort', () => reject(broken.signal.reason as Error));
  });
  const findings = await Promise.race([runSoak(scope, { ms, seed, say, signal: broken.signal }), stopped]);
  const checks = judge(findings);
  const report = reportOf(findings, checks, 'soak.svg');
  console.log(report.markdown);
  if (values.report !== undefined) {
    mkdirSync(values.report, { recursive: true });
    writeFileSync(join(values.report, 'soak.md'), report.markdown);
    writeFileSync(join(values.report, 'soak.json'), report.json);
    writeFileSync(join(values.report, 'soak.svg'), report.svg);
  }
  return checks.every(({ ok }) => ok) ? 0 : 1;
}
