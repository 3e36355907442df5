import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { Cluster } from 'ioredis';
import type { NatMap } from '../../../src/core/nat-map.ts';
import { startAttache } from '../../support/attache.ts';
import { startEtcd } from '../../support/etcd.ts';
import { httpAsk, httpPort } from '../../support/http.ts';
import { reservePorts } from '../../support/ports.ts';
import { faultyProcess, type FaultyProcess } from '../../support/process-faults.ts';
import { RedisInline } from '../../support/redis-inline.ts';
import { eventually } from '../../support/wait.ts';

const PRIMARIES = 3;
const WITHIN_MS = 60_000;

interface Node extends FaultyProcess {
  readonly port: number;
}

/** Six nodes of a Redis Cluster: three primaries, each with a replica. */
async function startRedisCluster(t: TestContext): Promise<readonly Node[]> {
  const reserved = await reservePorts(4 * PRIMARIES);
  const nodes = Array.from({ length: 2 * PRIMARIES }, (_, index) => {
    const [port = 0, bus = 0] = reserved.ports.slice(2 * index, 2 * index + 2);
    return nodeOf(t, port, bus);
  });
  await reserved.release();
  for (const node of nodes) await node.start();
  const places = nodes.map(({ port }) => `127.0.0.1:${port}`);
  const args = ['--cluster', 'create', ...places, '--cluster-replicas', '1', '--cluster-yes'];
  await promisify(execFile)('redis-cli', args, { timeout: WITHIN_MS });
  for (const { port } of nodes) {
    const isOk = async () => (await command(port, 'CLUSTER INFO')).includes('cluster_state:ok');
    await eventually(isOk, 'the cluster is whole', WITHIN_MS);
    const isSynced = async () => /^master|\nconnected\n/.test(await command(port, 'ROLE'));
    await eventually(isSynced, 'every replica follows', WITHIN_MS);
    const tellsAll = async () => {
      const told = (await command(port, 'CLUSTER SLOTS')).split('\n');
      return nodes.every((node) => told.includes(String(node.port)));
    };
    await eventually(tellsAll, 'every node tells of all', WITHIN_MS);
  }
  return nodes;
}

function nodeOf(t: TestContext, port: number, bus: number): Node {
  const directory = mkdtempSync(join(tmpdir(), 'attache-cluster-'));
  const server = faultyProcess(t, {
    command: 'redis-server',
    args: [
      ...['--port', `${port}`, '--cluster-port', `${bus}`, '--bind', '127.0.0.1', '--dir', directory],
      ...['--cluster-enabled', 'yes', '--cluster-node-timeout', '5000', '--save', '', '--appendonly', 'no'],
    ],
    ready: () =>
      command(port, 'PING').then(
        (answer) => answer === 'PONG',
        () => false,
      ),
  });
  t.after(async () => {
    await server.kill();
    rmSync(directory, { recursive: true, force: true });
  });
  return Object.assign(server, { port });
}

async function command(port: number, text: string): Promise<string> {
  const redis = await RedisInline.connect(port);
  try {
    return await redis.words(text);
  } finally {
    redis.close();
  }
}

suite('Redis Cluster', { timeout: 180_000 }, () => {
  test('ioredis takes /services/<name>/natmap as its natMap, and every key goes through attache', async (t) => {
    const etcd = await startEtcd(t);
    const nodes = await startRedisCluster(t);
    for (const { port } of nodes) await etcd.api.put(`/srv/cluster/127.0.0.1:${port}`);
    const attache = startAttache(t, {
      env: {
        HTTP_ADDR: '127.0.0.1:0',
        ADMIN_ADDR: '127.0.0.1:0',
        SRC_CLUSTER: nodes.map(() => ':0').join(),
        SRV_CLUSTER: '/srv/cluster',
        DSC: etcd.url,
      },
    });
    const [http, admin] = [await httpPort(attache, 'health'), await httpPort(attache, 'admin')];
    const natMap = async (port: number) => (await httpAsk(port, '/services/cluster/natmap')).json() as NatMap;
    const isWhole = async () => Object.keys(await natMap(http)).length === nodes.length;
    await eventually(isWhole, 'each node has its listener', WITHIN_MS);
    const found = await natMap(http);
    assert.deepEqual(await natMap(admin), found);
    assert.deepEqual(Object.keys(found).sort(), nodes.map(({ port }) => `127.0.0.1:${port}`).sort());
    assert.ok(
      Object.values(found).every(({ host }) => host === '127.0.0.1'),
      'a wildcard is reached on this machine',
    );
    assert.equal((await httpAsk(http, '/services/other/natmap')).status, 404);
    const own = new Set(Object.values(found).map(({ port }) => port));
    assert.equal(own.size, nodes.length);

    const [start] = Object.values(found);
    const cluster = new Cluster([start ?? {}], { natMap: found, scaleReads: 'slave' });
    // What it meets on its way is no concern of this test.
    cluster.on('error', () => undefined);
    t.after(() => cluster.disconnect());
    const keys = Array.from({ length: 200 }, (_, index) => `key-${index}`);
    await Promise.all(keys.map((key) => cluster.set(key, key.toUpperCase())));
    await eventually(
      async () => {
        const values = await Promise.all(keys.map((key) => cluster.get(key)));
        return values.every((value, index) => value === keys[index]?.toUpperCase());
      },
      'the replicas have every key',
      WITHIN_MS,
    );
    const dialed = cluster.nodes().map(({ options }) => options.port ?? 0);
    assert.ok(dialed.length > PRIMARIES, `${dialed.length} nodes`);
    for (const port of dialed) assert.ok(own.has(port), `${port} is no listener of attache`);
    const counts = await Promise.all(nodes.map(({ port }) => command(port, 'DBSIZE')));
    assert.ok(
      counts.every((count) => Number(count) > 0),
      'keys are on every node',
    );
  });
});
