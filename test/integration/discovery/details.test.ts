import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { test, type TestContext } from 'node:test';
import { formatAddress } from '../../../src/core/address.ts';
import type { AttacheEvent } from '../../../src/core/observer.ts';
import { createAmbassador, type AmbassadorOptions } from '../../../src/index.ts';
import { startEtcd } from '../../support/etcd.ts';
import { RegistryDirectory, SERVICE } from '../../support/registry-directory.ts';
import { ask, connectTo, freePort, startEcho, startNamed, type TestServer } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

/** A registry of either kind, and what is written into it. */
interface Registry {
  readonly dsc: string;
  put(member: string, value: string): Promise<void>;
}

async function etcd(t: TestContext): Promise<Registry> {
  const { url, api } = await startEtcd(t);
  return { dsc: url, put: (member, value) => api.put(`${SERVICE}/${member}`, { value }) };
}

async function directory(t: TestContext): Promise<Registry> {
  const registry = await RegistryDirectory.create(t);
  await mkdir(registry.at(SERVICE), { recursive: true });
  return {
    dsc: `file://${registry.root}`,
    async put(member, value) {
      await writeFile(registry.at(SERVICE, '.new'), value);
      await rename(registry.at(SERVICE, '.new'), registry.at(SERVICE, member));
    },
  };
}

async function follow(
  t: TestContext,
  dsc: string,
  options: Partial<NonNullable<AmbassadorOptions['services']>[number]>,
) {
  const events: AttacheEvent[] = [];
  const service = { src: '127.0.0.1:0', srv: SERVICE, balance: 'round-robin', ...options } as const;
  const ambassador = createAmbassador(
    { services: [service], dsc, discoveryAllow: '127.0.0.1' },
    { observer: (event) => events.push(event) },
  );
  t.after(() => ambassador.closeNow());
  await ambassador.start();
  const address = ambassador.address();
  assert.ok(address?.kind === 'tcp');
  const state = ({ address: wanted }: TestServer) =>
    ambassador.status.services[0]?.candidateStates.find(({ key }) => key === formatAddress(wanted));
  const until = (server: TestServer, weight: number) =>
    eventually(() => state(server) !== undefined && (state(server)?.weight ?? 1) === weight, `weight ${weight}`);
  const count = (type: AttacheEvent['type']) => events.filter((event) => event.type === type).length;
  return { ambassador, events, port: address.port, state, until, count };
}

async function answers(port: number, times: number): Promise<string> {
  const texts: string[] = [];
  for (let i = 0; i < times; i += 1) texts.push(await ask(port));
  return texts.sort().join('');
}

for (const [kind, start] of [
  ['etcd', etcd],
  ['a directory', directory],
] as const) {
  test(`${kind}: weight 3 beside 1 is 3 of 4 connections, exactly, and garbage says nothing`, async (t) => {
    const [a, b, registry] = [await startNamed(t, 'a'), await startNamed(t, 'b'), await start(t)];
    await registry.put(formatAddress(a.address), '{"weight":3,"version":"7.2"}');
    await registry.put(formatAddress(b.address), 'up since May');
    const { port, until, count } = await follow(t, registry.dsc, {});
    await until(a, 3);
    await until(b, 1);
    assert.equal(await answers(port, 40), 'a'.repeat(30) + 'b'.repeat(10));
    assert.equal(count('candidate-detail-ignored'), 0);
  });

  test(`promise 21: ${kind}: another weight counts for new connections and resets nobody; weight 0 drains`, async (t) => {
    const [a, b, registry] = [await startEcho(t), await startEcho(t), await start(t)];
    for (const { address } of [a, b]) await registry.put(formatAddress(address), '');
    const { ambassador, port, until, count } = await follow(t, registry.dsc, {});
    await until(a, 1);
    await until(b, 1);
    const open = [await echoing(port), await echoing(port)];
    assert.deepEqual([a.sockets.length, b.sockets.length], [1, 1]);

    await registry.put(formatAddress(a.address), '{"weight":3}');
    await until(a, 3);
    for (let i = 0; i < 4; i += 1) open.push(await echoing(port));
    assert.deepEqual([a.sockets.length, b.sockets.length], [4, 2]);

    await registry.put(formatAddress(a.address), '{"weight":0}');
    await until(a, 0);
    assert.deepEqual(ambassador.status.services[0]?.drained, [formatAddress(a.address)]);
    for (let i = 0; i < 4; i += 1) open.push(await echoing(port));
    assert.deepEqual([a.sockets.length, b.sockets.length], [4, 6]);

    // Each that was open is what it was.
    for (const client of open) {
      client.write('!');
      await once(client, 'data');
      client.destroy();
    }
    assert.deepEqual([count('connections-reset'), count('candidates-changed')], [0, 1]);
  });

  test(`${kind}: a higher priority is used only when those before it are ejected`, async (t) => {
    const [spare, registry] = [await startNamed(t, 's'), await start(t)];
    const first = await startNamed(t, 'f', await freePort());
    await registry.put(formatAddress(first.address), '');
    await registry.put(formatAddress(spare.address), '{"priority":10,"zone":"eu-1b"}');
    const { port, state } = await follow(t, registry.dsc, { maxFails: 1, retries: 1, failTimeout: '10m' });
    await eventually(() => state(spare)?.priority === 10, 'the priority');
    assert.equal(state(spare)?.zone, 'eu-1b');
    assert.equal(await answers(port, 6), 'f'.repeat(6));
    await first.stop();
    assert.equal(await answers(port, 6), 's'.repeat(6));
    assert.equal(state(first)?.state, 'ejected');
  });

  test(`${kind}: a wrong detail is told once, and its member stays with what is right`, async (t) => {
    const [a, b, registry] = [await startNamed(t, 'a'), await startNamed(t, 'b'), await start(t)];
    const wrong = formatAddress(a.address);
    await registry.put(wrong, '{"weight":"many","priority":0,"zone":"x"}');
    await registry.put(formatAddress(b.address), '');
    const { events, until, state } = await follow(t, registry.dsc, {});
    await until(a, 1);
    assert.equal(state(a)?.zone, 'x');
    for (const weight of [2, 3, 4]) {
      await registry.put(formatAddress(b.address), `{"weight":${weight}}`);
      await until(b, weight);
    }
    const reason = 'expected "weight" to be a whole number from 0 to 65535, got "many"';
    assert.deepEqual(
      events.filter(({ type }) => type === 'candidate-detail-ignored' || type === 'candidate-ignored'),
      [{ type: 'candidate-detail-ignored', service: 'default', key: wrong, reason }],
    );
  });
}

/** A connection that has carried something. */
async function echoing(port: number) {
  const client = await connectTo(port);
  client.write('?');
  await once(client, 'data');
  return client;
}

test('a directory: content that changes in place is noticed within the re-read period', async (t) => {
  const registry = await RegistryDirectory.create(t);
  const server = await startNamed(t, 'a');
  const name = formatAddress(server.address);
  await registry.add(name);
  const { until } = await follow(t, `file://${registry.root}`, {});
  await until(server, 1);
  await writeFile(registry.at(SERVICE, name), '{"weight":7}');
  await until(server, 7);
  await writeFile(registry.at(SERVICE, name), '{"weight":8}');
  await until(server, 8);
  await writeFile(registry.at(SERVICE, name), '');
  await until(server, 1);
});

test('etcd: more members than one page of a list are all there, with their weights', async (t) => {
  const { url, api } = await startEtcd(t);
  const members = Array.from({ length: 2_500 }, (_, i) => `10.0.${i >> 8}.${i & 255}:1`);
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  for (let from = 0; from < members.length; from += 100) {
    const success = members.slice(from, from + 100).map((member, place) => ({
      requestPut: { key: base64(`${SERVICE}/${member}`), value: base64(`{"weight":${1 + from + place}}`) },
    }));
    await api.call('kv/txn', { success });
  }
  const ambassador = createAmbassador({ services: [{ src: '127.0.0.1:0', srv: SERVICE }], dsc: url });
  t.after(() => ambassador.closeNow());
  await ambassador.start();
  const weights = () =>
    new Map(ambassador.status.services[0]?.candidateStates.map(({ key, weight = 1 }) => [key, weight]));
  await eventually(() => weights().size > 0, 'the set');
  assert.deepEqual(weights(), new Map(members.map((member, i) => [member, 1 + i] as const)));
});
