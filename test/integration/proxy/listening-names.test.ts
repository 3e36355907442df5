import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import type { Address } from '../../../src/core/address.ts';
import { NameError, type Resolver } from '../../../src/core/resolver.ts';
import { startAttache } from '../../support/attache.ts';
import { httpAsk, httpPort } from '../../support/http.ts';
import { startService } from '../../support/service.ts';
import { readAll, startNamed, startServer } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

const hasIPv6Loopback = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === '::1'),
);
const loopbacks = hasIPv6Loopback ? ['127.0.0.1', '::1'] : ['127.0.0.1'];
const named: Address = { kind: 'tcp', host: 'app.test', port: 0 };

function resolverOf(...addresses: readonly string[]): Resolver {
  return { resolve: () => Promise.resolve(addresses) };
}

async function askAt(host: string, port: number): Promise<string> {
  const socket = connect({ host, port });
  await once(socket, 'connect');
  const { bytes } = await readAll(socket);
  return bytes.toString();
}

test('a name with several addresses is listened on at all of them, on one port', async (t) => {
  const backend = await startNamed(t, 'served');
  const addresses = ['127.0.0.1', '127.0.0.2', '127.0.0.3'];
  const { service, port, events } = await startService(t, {
    listeners: [named],
    candidates: [backend.address],
    dialing: { resolver: resolverOf(...addresses), family: 0 },
  });
  for (const host of addresses) assert.equal(await askAt(host, port), 'served');
  const all = addresses.map((host): Address => ({ kind: 'tcp', host, port }));
  const status = { phase: 'listening', address: all[0], addresses: all };
  assert.deepEqual(service.status.listeners, [{ asked: named, status }]);
  assert.deepEqual(
    events.find((event) => event.type === 'listening'),
    { type: 'listening', service: 'test', listener: 0, address: all[0], addresses: all },
  );
  service.stopListening();
  for (const host of addresses) await assert.rejects(askAt(host, port), { code: 'ECONNREFUSED' });
});

test('one address of a name that is taken keeps the others from being listened on, until it is free', async (t) => {
  const owner = await startServer(t);
  const { service } = await startService(t, {
    listeners: [{ ...named, port: owner.port }],
    candidates: [],
    dialing: { resolver: resolverOf('127.0.0.2', '127.0.0.1') },
  });
  assert.deepEqual(service.status.listeners[0]?.status, { phase: 'failed', errno: 'EADDRINUSE' });
  await assert.rejects(askAt('127.0.0.2', owner.port), { code: 'ECONNREFUSED' });
  await owner.stop();
  await eventually(() => service.status.listeners[0]?.status.phase === 'listening', 'it listens');
  assert.equal(await askAt('127.0.0.2', owner.port), '');
});

test('an address of a name that this machine does not have is told, and the others are listened on', async (t) => {
  const { port, events } = await startService(t, {
    listeners: [named],
    candidates: [],
    dialing: { resolver: resolverOf('198.51.100.1', '127.0.0.1') },
  });
  assert.equal(await askAt('127.0.0.1', port), '');
  const [listening] = events.filter((event) => event.type === 'listening');
  const lacking = { address: { kind: 'tcp', host: '198.51.100.1', port: 0 }, errno: 'EADDRNOTAVAIL' };
  assert.deepEqual(listening?.missing, [lacking]);
  assert.deepEqual(listening.addresses, undefined);
});

test('a name none of whose addresses are on this machine is not listened on', async (t) => {
  const resolver = resolverOf('198.51.100.1', '198.51.100.2');
  const { service } = await startService(t, { listeners: [named], candidates: [], dialing: { resolver } });
  assert.deepEqual(service.status.listeners[0]?.status, { phase: 'failed', errno: 'EADDRNOTAVAIL' });
});

test('a listen name without an address in the family of NET is told with its reason', async (t) => {
  const resolver: Resolver = { resolve: (host) => Promise.reject(new NameError('IPV6_ONLY', host)) };
  const { service } = await startService(t, { listeners: [named], candidates: [], dialing: { resolver } });
  assert.deepEqual(service.status.listeners[0]?.status, { phase: 'failed', errno: 'IPV6_ONLY' });
});

test('localhost is both loopback addresses: for SRC with NET=tcp, for HTTP_ADDR and for ADMIN_ADDR', async (t) => {
  const backend = await startNamed(t, 'served');
  const attache = startAttache(t, {
    env: {
      SRC: 'localhost:0',
      DST: `127.0.0.1:${backend.port}`,
      NET: 'tcp',
      HTTP_ADDR: 'localhost:0',
      ADMIN_ADDR: 'localhost:0',
    },
  });
  const [http, admin] = [await httpPort(attache, 'health'), await httpPort(attache, 'admin')];
  const port = await attache.port();
  for (const host of loopbacks) {
    assert.equal(await askAt(host, port), 'served');
    assert.equal((await httpAsk(http, '/healthz', { host })).status, 200);
    assert.equal((await httpAsk(admin, '/quit', { host })).status, 405);
  }
  const { services } = (await httpAsk(http, '/status')).json() as {
    readonly services: readonly { readonly listeners: readonly object[] }[];
  };
  const texts = [`127.0.0.1:${port}`, `[::1]:${port}`];
  const both = hasIPv6Loopback ? { addresses: texts } : {};
  assert.deepEqual(services[0]?.listeners, [{ address: texts[0], state: 'listening', ...both }]);
  const lacking = attache.lines.filter(({ msg }) => msg === 'address skipped: not on this machine').length;
  assert.equal(lacking, hasIPv6Loopback ? 0 : 3);
});
