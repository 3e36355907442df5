import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { faultyProcess, type FaultyProcess } from './process-faults.ts';
import { RedisInline } from './redis-inline.ts';
import type { Scope } from './scope.ts';
import { freePort } from './tcp.ts';

/** A real redis-server on a free loopback port, holding `name` under the key `name`, also after a restart. */
export interface Redis extends FaultyProcess {
  readonly port: number;
}

/** Starts one; it is killed with the test. */
export async function startRedis(t: Scope, name: string): Promise<Redis> {
  const directory = mkdtempSync(join(tmpdir(), 'attache-redis-'));
  const port = await freePort();
  const server = faultyProcess(t, {
    command: 'redis-server',
    args: ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', directory],
    ready: () => answers(port, `SET name ${name}`),
  });
  // Killed here, too: scopes end what they hold in different orders.
  t.after(async () => {
    await server.kill();
    rmSync(directory, { recursive: true, force: true });
  });
  await server.start();
  return Object.assign(server, { port });
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
