import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CertificateFiles } from './certificates.ts';
import { EtcdApi } from './etcd-api.ts';
import { reservePorts } from './ports.ts';
import { faultyProcess, type FaultyProcess } from './process-faults.ts';
import type { Scope } from './scope.ts';

export interface EtcdOptions {
  /** Serve https with this certificate, and let in only clients whose certificate the same authority signed. */
  readonly tls?: { readonly caPath: string; readonly server: CertificateFiles; readonly client: CertificateFiles };
  /** Further command line arguments. */
  readonly args?: readonly string[];
}

/** A real etcd, for as long as a test lasts; a restart finds its data again. */
export interface EtcdNode extends FaultyProcess {
  readonly port: number;
  /** `http://127.0.0.1:port`, or https. */
  readonly url: string;
  /** Writes and reads; does not go through the code under test. */
  readonly api: EtcdApi;
  /** After `kill`: throws its data away. */
  wipe(): Promise<void>;
  /** After `kill`: copies its data, in place of an earlier copy. */
  save(): Promise<void>;
  /** After `kill`: puts the copy in place of its data. */
  restore(): Promise<void>;
}

/** Starts one etcd on free loopback ports; it is ended when the test is. */
export async function startEtcd(t: Scope, options: EtcdOptions = {}): Promise<EtcdNode> {
  const [node] = await startNodes(t, 1, options);
  if (node === undefined) throw new Error('no etcd was started');
  return node;
}

/** Starts a cluster of `size` members. */
export async function startEtcdCluster(t: Scope, size: number): Promise<readonly EtcdNode[]> {
  return await startNodes(t, size, {});
}

const ATTEMPTS = 5;

async function startNodes(t: Scope, size: number, options: EtcdOptions): Promise<readonly EtcdNode[]> {
  for (let attempt = 1; ; attempt += 1) {
    const nodes = await prepare(t, size, options);
    try {
      await Promise.all(nodes.map(async (node) => node.start()));
      return nodes;
    } catch (error) {
      await Promise.all(nodes.map(async (node) => node.kill()));
      // Between giving a port up and etcd taking it, another test may have got it.
      if (attempt === ATTEMPTS || !String(error).includes('address already in use')) throw error;
    }
  }
}

async function prepare(t: Scope, size: number, etcd: EtcdOptions): Promise<readonly EtcdNode[]> {
  const reserved = await reservePorts(2 * size);
  const names = Array.from({ length: size }, (_, index) => `n${index}`);
  const cluster = names.map((name, index) => `${name}=http://127.0.0.1:${reserved.ports[2 * index + 1] ?? 0}`).join();
  const nodes: EtcdNode[] = [];
  for (const [index, name] of names.entries()) {
    const directory = await mkdtemp(join(tmpdir(), 'attache-etcd-'));
    const [port = 0, peerPort = 0] = reserved.ports.slice(2 * index, 2 * index + 2);
    const node = nodeOf(t, { name, port, peerPort, cluster, directory, etcd });
    nodes.push(node);
    // Killed here, too: scopes end what they hold in different orders.
    t.after(async () => {
      await node.kill();
      await rm(directory, { recursive: true, force: true });
    });
  }
  await reserved.release();
  return nodes;
}

interface NodeOptions {
  readonly name: string;
  readonly port: number;
  readonly peerPort: number;
  readonly cluster: string;
  readonly directory: string;
  readonly etcd: EtcdOptions;
}

function nodeOf(t: Scope, options: NodeOptions): EtcdNode {
  const { port, directory } = options;
  const { tls } = options.etcd;
  const url = `${tls ? 'https' : 'http'}://127.0.0.1:${port}`;
  const api = new EtcdApi(url, tls ? { caPath: tls.caPath, ...tls.client } : undefined);
  const server = faultyProcess(t, {
    command: 'etcd',
    args: argumentsOf(url, options),
    ready: async () => api.healthy(),
  });
  const [data, saved] = [join(directory, 'data'), join(directory, 'saved')];
  const replace = async (from: string, to: string) => {
    await rm(to, { recursive: true, force: true });
    await cp(from, to, { recursive: true });
  };
  return Object.assign(server, {
    port,
    url,
    api,
    wipe: async () => rm(data, { recursive: true, force: true }),
    save: () => replace(data, saved),
    restore: () => replace(saved, data),
  });
}

function argumentsOf(url: string, { name, peerPort, cluster, directory, etcd }: NodeOptions): readonly string[] {
  const peer = `http://127.0.0.1:${peerPort}`;
  const { tls, args = [] } = etcd;
  return [
    ...['--name', name, '--data-dir', join(directory, 'data'), '--log-level', 'error', '--logger', 'zap'],
    ...['--listen-client-urls', url, '--advertise-client-urls', url],
    ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', cluster],
    ...(tls ? ['--cert-file', tls.server.certPath, '--key-file', tls.server.keyPath] : []),
    ...(tls ? ['--client-cert-auth', '--trusted-ca-file', tls.caPath] : []),
    ...args,
  ];
}
