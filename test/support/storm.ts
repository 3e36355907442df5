import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { startAttache, type Attache, type LogLine } from './attache.ts';
import { RegistryDirectory, SERVICE } from './registry-directory.ts';
import type { StormOrder, StormReport } from './storm-client.ts';
import { startServer, type TestServer } from './tcp.ts';

const WANTED = 5_000;
/** Descriptors that a process needs for other things. */
const SPARE = 500;
const MEMBERS = 4;

/** The real program over a directory of members, and thousands of clients in a process of their own. */
export interface Storm {
  readonly attache: Attache;
  readonly port: number;
  readonly registry: RegistryDirectory;
  /** Servers that send back what they get. */
  readonly members: readonly TestServer[];
  /** Addresses of the half that `halfLeaves` removes. */
  readonly leaving: readonly string[];
  /** How many connections the clients opened, all of them carried. */
  readonly connections: number;
  /** Half the members leave. @returns when the change is acted upon: the time of that log line */
  halfLeaves(): Promise<number>;
  /** Sends a byte over every connection that is still open. @returns how many answered */
  probe(): Promise<number>;
}

/** Opens 5,000 connections over four members in turn, or as many as the descriptor limit lets the program carry. */
export async function startStorm(t: TestContext, env: Readonly<Record<string, string>>): Promise<Storm> {
  const limit = descriptorLimit();
  const connections = Math.min(WANTED, Math.floor((limit - SPARE) / 2 / MEMBERS) * MEMBERS);
  if (connections < WANTED) t.diagnostic(`${connections} connections: the limit is ${limit} descriptors`);
  const registry = await RegistryDirectory.create(t);
  const members = await Promise.all(
    Array.from({ length: MEMBERS }, () => startServer(t, { onConnection: (socket) => socket.pipe(socket) })),
  );
  const names = members.map(({ port }) => `127.0.0.1:${port}`);
  for (const name of names) await registry.add(name);
  const leaving = names.slice(0, MEMBERS / 2);
  const attache = startAttache(t, {
    env: { SRC: '127.0.0.1:0', SRV: SERVICE, DSC: `file://${registry.root}`, LB: 'true', ...env },
  });
  await attache.line(({ msg }) => msg === 'candidates changed');
  const port = await attache.port();
  const clients = startClients(t);
  const { answered } = await clients({ kind: 'open', port, count: connections });
  if (answered !== connections) throw new Error(`${answered} of ${connections} connections were carried`);
  return {
    attache,
    port,
    registry,
    members,
    leaving,
    connections,
    async halfLeaves() {
      await Promise.all(leaving.map((name) => registry.remove(name)));
      return timeOf(await attache.line(({ msg }) => msg === 'connections reset'));
    },
    probe: async () => (await clients({ kind: 'probe' })).answered,
  };
}

/** `Date.now()` at which a line was written. */
export function timeOf(line: LogLine): number {
  return Date.parse(String(line['time']));
}

/** Access lines with that reason. */
export function closedFor(attache: Attache, reason: string): readonly LogLine[] {
  return attache.lines.filter((line) => line.msg === 'connection closed' && line['reason'] === reason);
}

function startClients(t: TestContext): (order: StormOrder) => Promise<StormReport> {
  const child = fork(new URL('./storm-client.js', import.meta.url), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const exited = once(child, 'exit');
  t.after(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  return async (order) => {
    const gone = exited.then(([code]) => {
      throw new Error(`the clients' process ended: ${String(code)}`);
    });
    const report = Promise.race([once(child, 'message'), gone]);
    child.send(order);
    const [answer] = (await report) as [StormReport];
    return answer;
  };
}

function descriptorLimit(): number {
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
}
