import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { scratchFolder } from './scratch.ts';
import { spoken } from './spoken.ts';
import { eventually } from './wait.ts';

export interface HaproxyOptions {
  /** Lines below `global` and `defaults`; sections of their own. */
  readonly sections: string;
  /** One of the ports it is to listen on, on 127.0.0.1. */
  readonly port: number;
}

/** A real HAProxy, ended with the test. */
export async function startHaproxy(t: TestContext, { sections, port }: HaproxyOptions): Promise<void> {
  const file = join(await scratchFolder(t), 'haproxy.cfg');
  await writeFile(file, `${GLOBAL}${sections}\n`);
  const child = spawn('haproxy', ['-db', '-f', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  const { output } = spoken(t, child);
  await eventually(async () => {
    if (child.exitCode !== null) throw new Error(`haproxy exited: ${output()}`);
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
