import { writeFileSync } from 'node:fs';
import { scratchFile, type Lab } from './lab.ts';
import type { PatroniServers, Peer, Route, Task } from './peers/peer.ts';
import { freePort, listening } from './ports.ts';
import { usageOf, type Usage } from './process-usage.ts';
import type { Processes, Started } from './processes.ts';

/** A proxy that runs, or a pair of them with TLS in between. */
export interface Proxy {
  /** Where clients connect; plain. */
  readonly port: number;
  readonly processes: readonly Started[];
  usage(): Usage;
}

export interface ProxyOptions {
  readonly peer: Peer;
  readonly processes: Processes;
  /** Port of the backend. */
  readonly to: number;
  readonly connections: number;
  /** A second service of the same process; only where the peer has said that it can. */
  readonly second?: Pick<Route, 'from' | 'to'>;
  /** Port of a second Redis; only where the peer has said that it can choose the primary. */
  readonly replica?: number;
  /** Servers under Patroni; only where the peer has said that it can choose the leader. */
  readonly patroni?: PatroniServers;
  /** Added to what the peer asks for. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts one proxy for plain TCP; resolves when it listens. */
export async function startProxy(lab: Lab, options: ProxyOptions): Promise<Proxy> {
  const { port, started } = await startOne(lab, { ...options, task: { kind: 'plain' } });
  await ready(lab, [{ port, started }]);
  return proxyOf(port, [started]);
}

/** Starts the pair: plain TCP in, mutual TLS between the two, plain TCP out. */
export async function startPair(lab: Lab, options: ProxyOptions & { readonly resumption: boolean }): Promise<Proxy> {
  const certificates = await lab.certificates();
  const { resumption } = options;
  const server = await startOne(lab, { ...options, task: { kind: 'tls-server', certificates, resumption } });
  const client = await startOne(lab, {
    ...options,
    to: server.port,
    task: { kind: 'tls-client', certificates, resumption },
  });
  await ready(lab, [server, client]);
  return proxyOf(client.port, [client.started, server.started]);
}

/** Starts one process without waiting for it. */
export async function startOne(lab: Lab, options: ProxyOptions & { readonly task: Task }): Promise<Listening> {
  const { peer, processes, to, connections, task, second, replica, patroni } = options;
  const port = await freePort();
  const command = peer.command({
    from: port,
    to,
    second,
    replica,
    patroni,
    task,
    connections,
    openFiles: lab.openFiles,
    file: (name, content) => {
      const path = scratchFile(lab, name);
      writeFileSync(path, content, { mode: 0o600 });
      return path;
    },
  });
  const beganAt = performance.now();
  const env = { ...command.env, ...options.env };
  const started = await processes.start({ ...command, env, output: scratchFile(lab, `${peer.name}.log`) });
  return { port, started, beganAt };
}

interface Listening {
  readonly port: number;
  readonly started: Started;
  /** performance.now() just before it was started. */
  readonly beganAt: number;
}

async function ready(lab: Lab, all: readonly Pick<Listening, 'port' | 'started'>[]): Promise<void> {
  for (const { port, started } of all) await Promise.race([listening(port, lab.signal), started.died]);
}

function proxyOf(port: number, processes: readonly Started[]): Proxy {
  const pids = processes.map(({ pid }) => pid);
  return { port, processes, usage: () => usageOf(pids) };
}
