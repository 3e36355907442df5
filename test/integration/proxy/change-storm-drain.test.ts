import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { formatAddress } from '../../../src/core/address.ts';
import { startAttache } from '../../support/attache.ts';
import { RegistryDirectory, SERVICE } from '../../support/registry-directory.ts';
import { Stopwatch } from '../../support/stopwatch.ts';
import { closedFor, startStorm, timeOf } from '../../support/storm.ts';
import { connectTo, readAll, startServer } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

const DRAIN_MS = 4_000;

test('promise 20: half of the members leave under 5,000 connections: drain ends those that idle at ON_CHANGE_TIMEOUT, and no other', async (t) => {
  const storm = await startStorm(t, { ON_CHANGE: 'drain', ON_CHANGE_TIMEOUT: `${DRAIN_MS}ms` });
  const { attache, connections, leaving } = storm;
  const half = connections / 2;
  const watch = new Stopwatch();
  const from = await storm.halfLeaves();
  // Those to members that left are carried on for now.
  assert.equal(await storm.probe(), connections);
  const ended = () => closedFor(attache, 'drain_timeout');
  await eventually(() => ended().length >= half, `${half} ended`, 20_000);
  assert.equal(await storm.probe(), half);
  assert.equal(attache.lines.filter(({ msg }) => msg === 'connection closed').length, half);
  const removed = new Set<unknown>(leaving);
  assert.ok(ended().every(({ candidate }) => removed.has(candidate)));
  const times = ended().map((line) => timeOf(line) - from);
  const [first, last] = [Math.min(...times), Math.max(...times)];
  t.diagnostic(`ended ${first} to ${last} ms after the change`);
  assert.ok(first >= DRAIN_MS - 20, `the first after ${first} ms`);
  assert.ok(last - watch.lostMs() < DRAIN_MS + 2_000, `the last after ${last} ms`);
});

test('promise 20: drain lets transfers from a member that left finish whole', async (t) => {
  const content = randomBytes(8 * 1024 * 1024);
  const middle = content.length / 2;
  const [old, fresh] = [await startServer(t), await startServer(t)];
  const registry = await RegistryDirectory.create(t);
  await registry.add(formatAddress(old.address));
  const env = { SRC: '127.0.0.1:0', SRV: SERVICE, DSC: `file://${registry.root}` };
  const attache = startAttache(t, { env: { ...env, ON_CHANGE: 'drain', ON_CHANGE_TIMEOUT: '60s' } });
  await attache.line(({ msg }) => msg === 'candidates changed');
  const port = await attache.port();
  const clients = await Promise.all(Array.from({ length: 20 }, () => connectTo(port)));
  const transfers = clients.map(readAll);
  const senders = await Promise.all(clients.map(() => old.accepted()));
  for (const sender of senders) sender.write(content.subarray(0, middle));

  await registry.move(formatAddress(old.address), formatAddress(fresh.address));
  await attache.line(({ msg }) => msg === 'connections reset');
  for (const sender of senders) sender.end(content.subarray(middle));
  const hash = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
  for (const { bytes, end } of await Promise.all(transfers)) {
    assert.equal(end, 'eof');
    assert.equal(hash(bytes), hash(content));
  }
  for (const client of clients) client.end();
  await eventually(() => closedFor(attache, 'finished').length === 20, 'all of them finished');
});
