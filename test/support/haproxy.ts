import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { eventually } from './wait.ts';

export interface HaproxyOptions {
  /** Lines below `global` and `defaults`; sections of their own. */
  readonly sections: string;
  /** One of the ports it is to listen on, on 127.0.0.1. */
  readonly port: number;
}

/** A real HAProxy, ended with the test. */
export async function startHaproxy(t: TestContext, { sections, port }: HaproxyOptions): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'attache-haproxy-'));
  const file = join(folder, 'haproxy.cfg');
  await writeFile(file, `${GLOBAL}${sections}\n`);
  const child = spawn('haproxy', ['-db', '-f', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const gone = once(child, 'close');
  t.after(async () => {
    child.kill('SIGKILL');
    await gone;
    await rm(folder, { recursive: true, force: true });
  });
  await eventually(async () => {
    if (child.exitCode !== null) throw new Error(`haproxy exited: ${output}`);
    return accepts(port);
  }, 'haproxy listens');
}

const GLOBAL = `global
  maxconn 200
  nbthread 1
defaults
  mode tcp
  timeout connect 5s
  timeout client 20s
  timeout server 20s
`;

async function accepts(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
