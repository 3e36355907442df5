import { mkdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { scratchFile, type Lab } from '../lab.ts';
import { freePort, listening } from '../ports.ts';
import { usageOf, type Usage } from '../process-usage.ts';
import { needProgram } from '../programs.ts';
import type { Processes, Started } from '../processes.ts';

/** One etcd; a restart finds its data again. */
export interface Etcd {
  readonly url: string;
  put(key: string): Promise<void>;
  usage(): Usage;
  /** Requests that it has begun to answer since its start. */
  requests(): Promise<number>;
  /** kill -9, and a new one at the same port; it serves when this resolves. */
  restart(): Promise<void>;
}

/**
 * etcd's own proxy before an etcd: it has one watch there for all that watch the same.
 *
 * @returns its URL
 */
export async function startGrpcProxy(lab: Lab, processes: Processes, etcd: Etcd): Promise<string> {
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const started = await processes.start({
    program: needProgram('etcd'),
    args: ['grpc-proxy', 'start', `--endpoints=${etcd.url}`, `--listen-addr=${address}`],
    output: scratchFile(lab, 'grpc-proxy.log'),
  });
  await Promise.race([listening(port, lab.signal), started.died]);
  return `http://${address}`;
}

const SERVES_WITHIN_MS = 30_000;

export async function startEtcd(lab: Lab, processes: Processes): Promise<Etcd> {
  const [port, peerPort] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${port}`;
  const data = scratchFile(lab, 'etcd');
  mkdirSync(data, { mode: 0o700 });
  const peer = `http://127.0.0.1:${peerPort}`;
  const start = () =>
    processes.start({
      program: needProgram('etcd'),
      args: [
        ...['--name', 'bench', '--data-dir', data, '--log-level', 'error', '--logger', 'zap'],
        ...['--listen-client-urls', url, '--advertise-client-urls', url],
        ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', `bench=${peer}`],
      ],
      output: scratchFile(lab, 'etcd.log'),
    });
  let started = await start();
  const call = async (path: string, body: object): Promise<boolean> => {
    const signal = AbortSignal.any([lab.signal, AbortSignal.timeout(20_000)]);
    const answer = await fetch(`${url}/v3/${path}`, { method: 'POST', body: JSON.stringify(body), signal });
    await answer.arrayBuffer();
    return answer.ok;
  };
  const serves = async (one: Started) => {
    const until = performance.now() + SERVES_WITHIN_MS;
    while (!(await call('kv/range', { key: base64('x') }).catch(() => false))) {
      if (performance.now() > until) throw new Error(`etcd does not serve after ${SERVES_WITHIN_MS} ms`);
      await Promise.race([delay(5, undefined, { signal: lab.signal }), one.died]);
    }
  };
  await serves(started);
  return {
    url,
    async put(key) {
      if (!(await call('kv/put', { key: base64(key), value: '' }))) throw new Error(`etcd did not take ${key}`);
    },
    usage: () => usageOf([started.pid]),
    async requests() {
      const answer = await fetch(`${url}/metrics`, {
        signal: AbortSignal.any([lab.signal, AbortSignal.timeout(20_000)]),
      });
      return requestsOf(await answer.text());
    },
    async restart() {
      started.child.kill('SIGKILL');
      await started.exited;
      started = await start();
      await serves(started);
    },
  };
}

/** What etcd's metrics say of all calls together, those that go on for ever included. */
export function requestsOf(metrics: string): number {
  const counts = [...metrics.matchAll(/^grpc_server_started_total\{[^}]*\} (\S+)$/gm)];
  return counts.reduce((sum, [, count]) => sum + Number(count), 0);
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
