import { readFileSync, readdirSync } from 'node:fs';

/** How long a test file may take, in ms. Set by `run-tests`, which loads this file into each test process. */
export const FILE_DEADLINE_VARIABLE = 'TEST_FILE_DEADLINE_MS';

const limitMs = Number(process.env[FILE_DEADLINE_VARIABLE] ?? 0);

// node:test waits for ever for a file that leaves a handle open. A file that does is a failed test, by name.
if (limitMs > 0 && process.env['NODE_TEST_CONTEXT'] !== undefined) setTimeout(giveUp, limitMs).unref();

function giveUp(): void {
  const open = process.getActiveResourcesInfo().join(', ');
  console.error(`${process.argv[1] ?? ''}: not finished after ${limitMs} ms; still open: ${open}`);
  for (const pid of children()) process.kill(pid, 'SIGKILL');
  process.exit(1);
}

/** Servers that this file started: nothing else would end them. */
function children(): readonly number[] {
  try {
    const tasks = readdirSync('/proc/self/task');
    return tasks.flatMap((task) => readFileSync(`/proc/self/task/${task}/children`, 'utf8').split(' ').flatMap(pid));
  } catch {
    return []; // not Linux
  }
}

function pid(text: string): readonly number[] {
  return text === '' ? [] : [Number(text)];
}
