import { setTimeout as delay } from 'node:timers/promises';
import { startDnsmasq } from '../backends/dnsmasq.ts';
import { startEtcd, startGrpcProxy, type Etcd } from '../backends/etcd.ts';
import type { Lab } from '../lab.ts';
import { FOLLOWED_DIRECTORY, FOLLOWED_NAME } from '../load/follower-words.ts';
import { Followers } from '../load/followers.ts';
import type { Reading, Workload } from './workload.ts';

const counts = [100, 1_000, 5_000] as const;
const SETTLE_MS = 2_000;
const CPU_WINDOW_MS = 5_000;
const SAMPLE_EVERY_MS = 50;
/** Over which requests are counted. */
const SECOND_MS = 1_000;

/** What followers cost a registry: sources alone, as many as a fleet of sidecars has. */
export const registry: Workload = {
  name: 'registry',
  needs: ['etcd', 'dnsmasq'],
  rounds: 1,
  open: (_, lab) =>
    Promise.resolve({
      read: async () => {
        const readings: Reading[] = [];
        for (const count of counts.filter((one) => one <= lab.settings.connections)) {
          for (const read of [readEtcd, readProxied, readDns]) readings.push(...(await attempt(lab, read, count)));
        }
        return readings;
      },
    }),
};

type Read = (lab: Lab, count: number) => Promise<readonly Reading[]>;

/** More followers than the machine carries are no failure of the others. */
async function attempt(lab: Lab, read: Read, count: number): Promise<readonly Reading[]> {
  try {
    return await read(lab, count);
  } catch (error) {
    lab.signal.throwIfAborted();
    lab.note(`registry: ${count} followers: ${error instanceof Error ? error.message : String(error)}`);
    return [];
  }
}

async function readEtcd(lab: Lab, count: number): Promise<readonly Reading[]> {
  const processes = lab.processes.part();
  try {
    const etcd = await startEtcd(lab, processes);
    const put = (member: string) => etcd.put(`${FOLLOWED_DIRECTORY}/${member}`);
    await put('10.0.0.1:1');
    const followers = await Followers.start(lab, processes, { kind: 'etcd', server: etcd.url, count });
    await delay(SETTLE_MS, undefined, { signal: lab.signal });
    const before = etcd.usage();
    const seen = await followers.see('10.0.0.2:1', () => put('10.0.0.2:1'));
    const after = etcd.usage();
    await etcd.restart();
    const herd = new Herd(etcd);
    const back = await followers.see('10.0.0.3:1', () => put('10.0.0.3:1'));
    const most = await herd.end();
    return [
      { measure: 'registry-etcd-seen', at: count, value: seen },
      { measure: 'registry-etcd-cpu', at: count, value: after.cpuMs - before.cpuMs },
      { measure: 'registry-etcd-memory', at: count, value: (after.residentKb * 1024) / 1e6 },
      { measure: 'registry-etcd-restart', at: count, value: back },
      { measure: 'registry-etcd-herd', at: count, value: most },
    ];
  } finally {
    await processes.stop();
  }
}

async function readProxied(lab: Lab, count: number): Promise<readonly Reading[]> {
  const processes = lab.processes.part();
  try {
    const etcd = await startEtcd(lab, processes);
    const put = (member: string) => etcd.put(`${FOLLOWED_DIRECTORY}/${member}`);
    await put('10.0.0.1:1');
    const server = await startGrpcProxy(lab, processes, etcd);
    const followers = await Followers.start(lab, processes, { kind: 'etcd', server, count });
    await delay(SETTLE_MS, undefined, { signal: lab.signal });
    const before = etcd.usage();
    const seen = await followers.see('10.0.0.2:1', () => put('10.0.0.2:1'));
    const after = etcd.usage();
    return [
      { measure: 'registry-proxy-seen', at: count, value: seen },
      { measure: 'registry-proxy-cpu', at: count, value: after.cpuMs - before.cpuMs },
      { measure: 'registry-proxy-memory', at: count, value: (after.residentKb * 1024) / 1e6 },
    ];
  } finally {
    await processes.stop();
  }
}

async function readDns(lab: Lab, count: number): Promise<readonly Reading[]> {
  const processes = lab.processes.part();
  try {
    const dns = await startDnsmasq(lab, processes, FOLLOWED_NAME);
    const followers = await Followers.start(lab, processes, { kind: 'dns', server: dns.address, count });
    const before = dns.usage().cpuMs;
    await delay(CPU_WINDOW_MS, undefined, { signal: lab.signal });
    const cpu = ((dns.usage().cpuMs - before) * 1_000) / CPU_WINDOW_MS;
    const seen = await followers.see('10.0.0.2:6379', () => {
      dns.set(['10.0.0.1', '10.0.0.2']);
      return Promise.resolve();
    });
    return [
      { measure: 'registry-dns-seen', at: count, value: seen },
      { measure: 'registry-dns-cpu', at: count, value: cpu },
    ];
  } finally {
    await processes.stop();
  }
}

/** Counts the requests of those who come back. */
class Herd {
  readonly #over = new AbortController();
  readonly #done: Promise<number>;

  constructor(etcd: Etcd) {
    this.#done = this.#sample(etcd);
  }

  /** @returns the most requests within a second */
  async end(): Promise<number> {
    // Those that are under way are part of it.
    await delay(SECOND_MS);
    this.#over.abort();
    return this.#done;
  }

  async #sample(etcd: Etcd): Promise<number> {
    const samples: Sample[] = [];
    while (!this.#over.signal.aborted) {
      samples.push({ at: performance.now(), requests: await etcd.requests() });
      await delay(SAMPLE_EVERY_MS);
    }
    return mostInASecond(samples);
  }
}

export interface Sample {
  readonly at: number;
  /** So far. */
  readonly requests: number;
}

/** The most that was counted from one sample to another within a second; fewer samples than one a second are scaled. */
export function mostInASecond(samples: readonly Sample[]): number {
  let most = 0;
  for (const [index, from] of samples.entries()) {
    const later = samples.slice(index + 1);
    const within = later.filter(({ at }) => at - from.at <= SECOND_MS);
    const to = within.at(-1) ?? later[0];
    if (to === undefined) continue;
    const ms = Math.max(SECOND_MS, to.at - from.at);
    most = Math.max(most, ((to.requests - from.requests) * SECOND_MS) / ms);
  }
  return most;
}
