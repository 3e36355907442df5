import { setTimeout as delay } from 'node:timers/promises';
import { scratchFile, type Lab } from '../lab.ts';
import { freePort, listening } from '../ports.ts';
import { needProgram } from '../programs.ts';
import type { Processes, Started } from '../processes.ts';
import { RedisLine } from './redis-line.ts';

/** A Redis that leads, and one that follows it. */
export interface RedisPair {
  readonly primary: number;
  readonly replica: number;
  killPrimary(): Promise<void>;
  /** The replica leads from when this resolves. */
  promote(): Promise<void>;
  /** The former primary follows from when this resolves. Its clients are cut off, as Sentinel does it. */
  demote(): Promise<void>;
}

const ASK_EVERY_MS = 10;
const WITHIN_MS = 20_000;

export async function startRedisPair(lab: Lab, processes: Processes): Promise<RedisPair> {
  const [primary, replica] = [await freePort(), await freePort()];
  const started = await startOne(lab, { processes, port: primary, further: [] });
  await startOne(lab, { processes, port: replica, further: ['--replicaof', '127.0.0.1', `${primary}`] });
  const order = async (port: number, ...commands: readonly string[]) => {
    const line = await RedisLine.connect(port);
    try {
      let answer = '';
      for (const command of commands) answer = await line.ask(command);
      return answer;
    } finally {
      line.close();
    }
  };
  const until = performance.now() + WITHIN_MS;
  while (!(await order(replica, 'INFO replication')).includes('master_link_status:up')) {
    if (performance.now() > until) throw new Error(`the replica does not follow within ${WITHIN_MS} ms`);
    await delay(ASK_EVERY_MS, undefined, { signal: lab.signal });
  }
  return {
    primary,
    replica,
    killPrimary: async () => {
      started.child.kill('SIGKILL');
      await started.exited;
    },
    promote: async () => {
      await order(replica, 'REPLICAOF NO ONE');
    },
    demote: async () => {
      await order(primary, `REPLICAOF 127.0.0.1 ${replica}`, 'CLIENT KILL TYPE normal');
    },
  };
}

interface Server {
  readonly port: number;
  readonly processes: Processes;
  /** Further arguments. */
  readonly further: readonly string[];
}

async function startOne(lab: Lab, { port, processes, further }: Server): Promise<Started> {
  const started = await processes.start({
    program: needProgram('redis-server'),
    args: [
      ...['--port', `${port}`, '--bind', '127.0.0.1', '--dir', lab.folder, '--dbfilename', `${port}.rdb`],
      ...['--save', '', '--appendonly', 'no', '--daemonize', 'no', '--repl-diskless-sync-delay', '0'],
      ...further,
    ],
    output: scratchFile(lab, 'redis.log'),
  });
  await Promise.race([listening(port, lab.signal), started.died]);
  return started;
}
