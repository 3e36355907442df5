import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { endWithProcess } from './end-with.ts';
import type { Scope } from './scope.ts';

/** A real program that runs until the test ends. */
export interface Spoken {
  /** What it has printed so far, on every stream that is a pipe. */
  readonly output: () => string;
  /** Resolves when it is gone. */
  readonly gone: Promise<unknown>;
}

/** Gathers what `child` prints and kills it, by its own pid, when the test or this process ends. */
export function spoken(t: Scope, child: ChildProcess): Spoken {
  endWithProcess(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const gone = once(child, 'close');
  t.after(async () => {
    child.kill('SIGKILL');
    await gone;
  });
  return { output: () => output, gone };
}
