import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endWithProcess } from './end-with.ts';
import { RedisInline } from './redis-inline.ts';
import type { Scope } from './scope.ts';
import { freePort } from './tcp.ts';
import { eventually } from './wait.ts';

/** A real redis-server on a free loopback port, holding `name` under the key `name`; killed with the test. */
export interface Redis {
  readonly port: number;
  /** kill -9, and gone when it resolves. */
  kill(): Promise<void>;
  /** After `kill`: starts it again on the same port, with nothing but `name`; resolves when it answers. */
  restart(): Promise<void>;
  /** SIGSTOP: connections stay open, the kernel accepts new ones, nothing answers. */
  freeze(): void;
  thaw(): void;
  readonly pid: number;
}

export async function startRedis(t: Scope, name: string): Promise<Redis> {
  const directory = mkdtempSync(join(tmpdir(), 'attache-redis-'));
  const redis = new RealRedis({ name, directory, port: await freePort() });
  t.after(async () => {
    await redis.kill();
    rmSync(directory, { recursive: true, force: true });
  });
  await redis.restart();
  return redis;
}

const MOST_SAID = 4_000;

class RealRedis implements Redis {
  readonly port: number;
  readonly #options: { readonly name: string; readonly directory: string; readonly port: number };
  #child: ChildProcess | undefined;

  constructor(options: { readonly name: string; readonly directory: string; readonly port: number }) {
    this.#options = options;
    this.port = options.port;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  async restart(): Promise<void> {
    const { port, directory, name } = this.#options;
    const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', directory];
    const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'ignore'] });
    this.#child = child;
    endWithProcess(child);
    const [error] = (await Promise.race([once(child, 'error'), once(child, 'spawn')])) as [Error?];
    if (error !== undefined) throw new Error('redis-server is needed: run scripts/setup-tests', { cause: error });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-MOST_SAID)));
    let isUp = false as boolean;
    await eventually(async () => {
      isUp = await answers(port, `SET name ${name}`);
      return isUp || child.exitCode !== null || child.signalCode !== null;
    }, 'redis answers').catch((error: unknown) => {
      throw new Error(`redis on port ${port} said:\n${said}`, { cause: error });
    });
    if (!isUp) throw new Error(`redis ended with ${child.exitCode ?? child.signalCode ?? ''}:\n${said}`);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }
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
