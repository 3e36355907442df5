import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { RedisInline } from './redis-inline.ts';
import { freePort } from './tcp.ts';
import { eventually } from './wait.ts';

/** A real redis-server on a free loopback port, holding `name` under the key `name`; killed with the test. */
export interface Redis {
  readonly port: number;
  /** kill -9, and gone when it resolves. */
  kill(): Promise<void>;
  readonly pid: number;
}

export async function startRedis(t: TestContext, name: string): Promise<Redis> {
  const directory = mkdtempSync(join(tmpdir(), 'attache-redis-'));
  const port = await freePort();
  const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', directory];
  const child = spawn('redis-server', args, { stdio: 'ignore' });
  const gone = once(child, 'exit');
  const kill = async () => {
    child.kill('SIGKILL');
    await gone;
  };
  t.after(async () => {
    await kill();
    rmSync(directory, { recursive: true, force: true });
  });
  const [error] = (await Promise.race([once(child, 'error'), once(child, 'spawn')])) as [Error?];
  if (error !== undefined) throw new Error('redis-server is needed: run scripts/setup-tests', { cause: error });
  await eventually(() => answers(port, `SET name ${name}`), 'redis answers');
  return { port, kill, pid: child.pid ?? 0 };
}

async function answers(port: number, command: string): Promise<boolean> {
  try {
    const redis = await RedisInline.connect(port);
    const answer = await redis.ask(command);
    redis.close();
    return answer === 'OK';
  } catch {
    return false;
  }
}
