import { setTimeout as pause } from 'node:timers/promises';

/** What has a thread of Node's pool: a file system or a resolver that does not answer holds it. */
const POOLED: ReadonlySet<string> = new Set([
  'FSReqCallback',
  'FSReqPromise',
  'GetAddrInfoReqWrap',
  'GetNameInfoReqWrap',
]);
const PATIENCE_MS = 200;
const POLL_MS = 5;

/**
 * Ends the process. Node's own exit waits for the threads of its pool, for ever where a file system hangs; so it is only taken
 * when they are done, or soon are.
 */
export async function leave(code: number): Promise<never> {
  const deadline = performance.now() + PATIENCE_MS;
  while (isHeld() && performance.now() < deadline) await pause(POLL_MS);
  if (isHeld()) vanish(code);
  process.exit(code);
}

function isHeld(): boolean {
  return process.getActiveResourcesInfo().some((name) => POOLED.has(name));
}

/** The kernel ends threads without waiting for them: when another program takes the process over, or on SIGKILL. */
function vanish(code: number): never {
  const { execve } = process as { execve?: (file: string, args: readonly string[], env: object) => never };
  // Node 22.15 and later: another Node, which exits at once, with the code that is due.
  execve?.call(process, process.execPath, [process.execPath, '--eval', `process.exit(${code})`], {});
  process.kill(process.pid, 'SIGKILL');
  // Process 1 of a container cannot kill itself, but it can crash.
  process.abort();
}
