import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Resolver } from '../../../src/core/resolver.ts';
import { parseMaterialFolder } from '../../../src/core/material-origin.ts';
import { materialSource } from '../../../src/identity/sources.ts';
import { lookupBy } from '../../../src/names/lookup.ts';
import { systemResolver } from '../../../src/names/system-resolver.ts';
import { startDnsmasq, startSilentServer } from '../../support/dns.ts';
import { memberKey, startSource } from '../../support/etcd-source.ts';
import { startEtcd } from '../../support/etcd.ts';
import { startNamedWorld } from '../../support/named-world.ts';
import { startS3, type Answer } from '../../support/s3.ts';
import { startService } from '../../support/service.ts';
import { Stopwatch } from '../../support/stopwatch.ts';
import { ask, connectTo, startBlackHole, startNamed, startServer } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

const DEAD = 20;
const CLIENTS = 200;
const PACE_MS = 15;

test('promise 17: 20 names that no name server answers for delay no client of names that resolve', async (t) => {
  const backend = await startNamed(t, 'good');
  const silent = await startSilentServer(t);
  const listener = '127.0.0.1:0';
  const dead = Array.from({ length: DEAD }, (_, n) => `dead${n}.silent.test`);
  const world = await startNamedWorld(t, {
    services: [
      ...dead.map((name) => ({ name, src: listener, dst: `${name}:${backend.port}` })),
      { name: 'in-dns', src: listener, dst: `good.test:${backend.port}` },
      { name: 'in-hosts', src: listener, dst: `known.test:${backend.port}` },
    ],
    hosts: '127.0.0.1 known.test\n',
    dns: { records: [['good.test', '127.0.0.1']], silent: { domain: 'silent.test', port: silent.port } },
  });
  t.diagnostic(world.kind);
  const good = [await world.port('in-dns'), await world.port('in-hosts')];
  const [, quietP99] = await times(good);
  for (const name of dead) {
    const socket = await connectTo(await world.port(name));
    t.after(() => socket.destroy());
  }
  await eventually(() => silent.packets() >= DEAD, 'every dead name is asked for');
  const watch = new Stopwatch();
  const [slowest, p99] = await times(good);
  t.diagnostic(`p99 ${quietP99.toFixed(1)} ms without dead names, ${p99.toFixed(1)} ms beside ${DEAD} of them`);
  assert.ok(p99 < quietP99 + 150, `p99 ${p99} ms, without dead names ${quietP99} ms`);
  assert.ok(slowest - watch.lostMs() < 2_000, `the slowest took ${slowest} ms`);
  for (const service of ['in-dns', 'in-hosts']) {
    assert.deepEqual(await world.candidate(service), { fails: 0, lastErrno: undefined });
    assert.deepEqual(new Set(world.troubles(service).filter((outcome) => outcome !== 'ok')), new Set());
  }
  await eventually(() => dead.every((name) => world.troubles(name).includes('DNS_TIMEOUT')), 'each is told of', 20_000);
});

/** Lets clients come one after the other, for longer than an answer is kept. @returns ms of the slowest, and of the 99th of a hundred */
async function times(ports: readonly number[]): Promise<readonly [slowest: number, p99: number]> {
  const taken: number[] = [];
  for (let n = 0; n < CLIENTS; n += 1) {
    const since = performance.now();
    assert.equal(await ask(ports[n % ports.length] ?? 0), 'good');
    taken.push(performance.now() - since);
    await delay(PACE_MS);
  }
  taken.sort((a, b) => a - b);
  return [taken.at(-1) ?? 0, taken[Math.floor(CLIENTS * 0.99) - 1] ?? 0];
}

test('a name with an IPv6 address alone: the default NET tells so, and NET=tcp reaches it', async (t) => {
  const backend = await startServer(t, { host: '::1', onConnection: (socket) => socket.end('six') });
  const shared = { src: '127.0.0.1:0', dst: `six.test:${backend.port}` };
  const world = await startNamedWorld(t, {
    services: [
      { name: 'four', ...shared },
      { name: 'both', ...shared, net: 'tcp' },
    ],
    hosts: '',
    dns: { records: [['six.test', '::1']] },
  });
  assert.equal(await ask(await world.port('four')), '');
  await eventually(() => world.troubles('four').length > 0, 'the attempt is told of');
  assert.deepEqual(world.troubles('four'), ['IPV6_ONLY']);
  assert.equal(await ask(await world.port('both')), 'six');
});

test('an endpoint of etcd is looked up beside names that are never answered, and followed by its name', async (t) => {
  const etcd = await startEtcd(t);
  await etcd.api.put(memberKey('10.0.0.1:1'));
  const silent = await startSilentServer(t);
  const dns = { records: [['etcd.test', '127.0.0.1']], silent: { domain: 'silent.test', port: silent.port } } as const;
  const resolver = systemResolver({ servers: [await startDnsmasq(t, dns)] });
  t.after(() => resolver.close());
  for (let n = 0; n < DEAD; n += 1) resolver.resolve(`dead${n}.silent.test`, 4).catch(() => undefined);
  const port = new URL(etcd.url).port;
  const endpoints = [`http://etcd.test:${port}`];
  const { recorder } = startSource(t, { endpoints, lookup: lookupBy(resolver), random: () => 0 });
  await recorder.untilSet(['10.0.0.1:1']);
  await recorder.untilStatus('synced');
  await etcd.api.put(memberKey('10.0.0.1:2'));
  await recorder.untilSet(['10.0.0.1:1', '10.0.0.1:2']);
  const dead = startSource(t, { endpoints: [`http://dead.silent.test:${port}`], lookup: lookupBy(resolver) });
  await dead.recorder.untilStatus('starting', { error: /^DNS_TIMEOUT: dead\.silent\.test:/ });
});

test('S3 is looked up by its name beside names that are never answered', async (t) => {
  const s3 = await startS3(t);
  // s3rver takes a host name that it does not know for a bucket's.
  const answers = ['ca', 'cert', 'key'].map(
    (body): Answer =>
      (_, response) =>
        response.end(body),
  );
  s3.answer(...answers);
  const silent = await startSilentServer(t);
  const dns = { records: [['s3.test', '127.0.0.1']], silent: { domain: 'silent.test', port: silent.port } } as const;
  const resolver = systemResolver({ servers: [await startDnsmasq(t, dns)] });
  t.after(() => resolver.close());
  for (let n = 0; n < DEAD; n += 1) resolver.resolve(`dead${n}.silent.test`, 4).catch(() => undefined);
  process.env['AWS_ENDPOINT_URL_S3'] = s3.url.replace('127.0.0.1', 's3.test');
  const origins = parseMaterialFolder('s3://material');
  assert.ok(origins.ok);
  const source = materialSource({ origins: origins.origins, lookup: lookupBy(resolver) });
  t.after(() => source.stop());
  const { ca } = await source.read(AbortSignal.timeout(20_000));
  assert.equal(ca?.bytes.toString(), 'ca');
});

test('a candidate whose name took most of CONNECT_TIMEOUT is not told to be late itself', async (t) => {
  const hole = await startBlackHole(t);
  const resolver: Resolver = { resolve: () => delay(600).then(() => [hole.host]) };
  const { port, closedOne } = await startService(t, {
    candidates: [{ kind: 'tcp', host: 'slow.test', port: hole.port }],
    dialing: { resolver, connectTimeoutMs: 1_000 },
  });
  assert.equal(await ask(port), '');
  assert.deepEqual(
    (await closedOne()).attempts.map(({ outcome }) => outcome),
    ['DNS_TIMEOUT'],
  );
});
