import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { scratchFile, type Lab } from '../lab.ts';
import { freePort, listening } from '../ports.ts';
import { needProgram } from '../programs.ts';
import type { Processes } from '../processes.ts';

/** A redis-server behind the proxies, with a connection past them that asks what has arrived. */
export interface Redis {
  readonly port: number;
  /** The key that requests ask for. */
  readonly key: string;
  counts(): Promise<Counts>;
  /** Resolves when as many clients are connected as this says is right; our own is not counted. */
  clients(right: (count: number) => boolean, withinMs: number): Promise<void>;
}

export interface Counts {
  /** Clients' commands so far; our own questions are not counted. */
  readonly commands: number;
  readonly clients: number;
}

const KEY = 'bench';
const VALUE = 'x'.repeat(64);
const OWN_FILES = 64;
const ASK_EVERY_MS = 10;
const ANSWER_WITHIN_MS = 10_000;

export async function startRedis(lab: Lab, processes: Processes): Promise<Redis> {
  const port = await freePort();
  const started = await processes.start({
    program: needProgram('redis-server'),
    args: [
      ...['--port', `${port}`, '--bind', '127.0.0.1', '--dir', lab.folder],
      ...['--save', '', '--appendonly', 'no', '--daemonize', 'no'],
      ...['--tcp-backlog', '4096', '--maxclients', `${Math.min(lab.openFiles - OWN_FILES, 50_000)}`],
    ],
    output: scratchFile(lab, 'redis.log'),
  });
  await Promise.race([listening(port, lab.signal), started.died]);
  const socket = connect(port, '127.0.0.1');
  // Waits end by the redis-server being gone, or by their own deadline.
  socket.on('error', () => undefined);
  void started.exited.then(() => socket.destroy());
  await once(socket, 'connect', { signal: lab.signal });
  const ask = asker(socket);
  let asked = 1;
  await ask(`SET ${KEY} ${VALUE}`);
  const counts = async () => {
    const info = await ask('INFO stats', 'INFO clients');
    // Both questions of this very turn are counted from the next on, except the first for the second.
    const counted = {
      commands: numberOf(info, 'total_commands_processed') - asked,
      clients: numberOf(info, 'connected_clients') - 1,
    };
    asked += 2;
    return counted;
  };
  return {
    port,
    key: KEY,
    counts,
    clients: async (right, withinMs) => {
      const until = performance.now() + withinMs;
      for (;;) {
        const { clients } = await counts();
        if (right(clients)) return;
        if (performance.now() > until) throw new Error(`${clients} connections at the backend after ${withinMs} ms`);
        await delay(ASK_EVERY_MS, undefined, { signal: lab.signal });
      }
    },
  };
}

function numberOf(info: string, name: string): number {
  const [, value] = new RegExp(`^${name}:(\\d+)`, 'm').exec(info) ?? [];
  if (value === undefined) throw new Error(`redis-server says nothing of ${name}`);
  return Number(value);
}

/** Asks one or more questions at a time, and gives the answers as one text. */
function asker(socket: Socket): (...questions: readonly string[]) => Promise<string> {
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
  return async (...questions) => {
    text = '';
    socket.write(questions.map((question) => `${question}\r\n`).join(''));
    const deadline = AbortSignal.timeout(ANSWER_WITHIN_MS);
    while (!complete(text, questions.length)) {
      if (socket.destroyed) throw new Error('redis-server is gone');
      await once(socket, 'data', { signal: deadline });
    }
    return text;
  };
}

/** Whether `text` holds that many replies: +status, -error, or a bulk of $length. */
function complete(text: string, replies: number): boolean {
  let at = 0;
  for (let seen = 0; seen < replies; seen++) {
    const end = text.indexOf('\r\n', at);
    if (end === -1) return false;
    const bulk = text[at] === '$' ? Number(text.slice(at + 1, end)) + 2 : 0;
    at = end + 2 + bulk;
    if (at > text.length) return false;
  }
  return true;
}
