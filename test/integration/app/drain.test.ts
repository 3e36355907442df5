import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { roundRobinPolicy } from '../../../src/balancing/policies.ts';
import { startService } from '../../support/service.ts';
import { ask, connectTo, readAll, startEcho, startNamed } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

const key = (server: { readonly port: number }) => `127.0.0.1:${server.port}`;

test('a drained candidate keeps its connections and gets no new one, until it is undrained', async (t) => {
  const [a, b] = [await startEcho(t), await startNamed(t, 'b')];
  const { service, port } = await startService(t, { candidates: [a.address, b.address] });
  const old = await connectTo(port);
  t.after(() => old.destroy());
  old.write('1');
  await once(old, 'data');
  assert.equal(service.drain(key(a), true), true);
  assert.deepEqual(service.status.drained, [key(a)]);
  assert.equal(await ask(port), 'b');
  old.write('2');
  const [echoed] = (await once(old, 'data')) as [Buffer];
  assert.equal(echoed.toString(), '2');
  assert.equal(service.drain(key(a), false), true);
  const again = await connectTo(port);
  t.after(() => again.destroy());
  again.write('3');
  assert.equal(String((await once(again, 'data'))[0]), '3');
  assert.deepEqual(service.status.drained, []);
});

test('round-robin goes around those that are not drained', async (t) => {
  const servers = [await startNamed(t, 'a'), await startNamed(t, 'b'), await startNamed(t, 'c')];
  const [, b] = servers;
  assert.ok(b !== undefined);
  const candidates = servers.map(({ address }) => address);
  const { service, port } = await startService(t, { candidates, policy: () => roundRobinPolicy(0) });
  service.drain(key(b), true);
  const answers: string[] = [];
  for (let n = 0; n < 6; n += 1) answers.push(await ask(port));
  assert.deepEqual(answers.filter((name) => name === 'a').length, 3);
  assert.deepEqual(answers.filter((name) => name === 'c').length, 3);
});

test('a drain outlives changes of the set as long as the member stays, and goes with it', async (t) => {
  const [a, b] = [await startNamed(t, 'a'), await startNamed(t, 'b')];
  const { service, source, port } = await startService(t, { candidates: [a.address, b.address] });
  service.drain(key(a), true);
  source.put([b.address, a.address]);
  source.put([a.address, b.address, { kind: 'tcp', host: '127.0.0.1', port: 1 }]);
  assert.equal(await ask(port), 'b');
  source.put([b.address]);
  assert.equal(service.drain(key(a), true), false);
  source.put([a.address, b.address]);
  assert.equal(await ask(port), 'a');
});

test('in cluster mode a drain stays with its candidate when it moves to another listener', async (t) => {
  const [a, b] = [await startNamed(t, 'a'), await startNamed(t, 'b')];
  const loopback = { kind: 'tcp', host: '127.0.0.1', port: 0 } as const;
  const { service, source, ports } = await startService(t, {
    listeners: [loopback, loopback],
    candidates: [a.address, b.address],
  });
  await eventually(() => ports().every((port) => port > 0), 'both listen');
  service.drain(key(b), true);
  assert.equal(await ask(ports()[1] ?? 0), '');
  source.put([b.address]);
  assert.equal(await ask(ports()[0] ?? 0), '');
  service.drain(key(b), false);
  assert.equal(await ask(ports()[0] ?? 0), 'b');
});

test('with every candidate drained clients are closed as if there were none', async (t) => {
  const a = await startNamed(t, 'a');
  const { service, port, closedOne } = await startService(t, { candidates: [a.address] });
  service.drain(key(a), true);
  assert.equal(await ask(port), '');
  assert.equal((await closedOne()).reason, 'no_candidates');
});

test('clients that are held because every candidate is drained are served when one is undrained', async (t) => {
  const a = await startNamed(t, 'a');
  const { service, port } = await startService(t, { candidates: [a.address], holdTimeoutMs: 20_000 });
  service.drain(key(a), true);
  const client = connect({ port, host: '127.0.0.1' });
  client.on('error', () => undefined);
  t.after(() => client.destroy());
  await eventually(() => service.status.held === 1, 'held');
  service.drain(key(a), false);
  assert.equal((await readAll(client)).bytes.toString(), 'a');
});
