import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { formatAddress } from '../../../src/core/address.ts';
import { startAttache, type LogLine } from '../../support/attache.ts';
import { readyzThat } from '../../support/readyz.ts';
import { RegistryDirectory, SERVICE } from '../../support/registry-directory.ts';
import { Stopwatch } from '../../support/stopwatch.ts';
import { ask, connectTo, freePort, startEcho, startNamed } from '../../support/tcp.ts';
import { timeOf } from '../../support/storm.ts';

const isPhase = (phase: string) => (line: LogLine) => line.msg === 'lifecycle' && line['phase'] === phase;

test('promise 35: during DRAIN_DELAY it is not ready, serves new clients by a set that still changes, and then refuses them', async (t) => {
  const [a, b, http] = [await startNamed(t, 'a'), await startNamed(t, 'b'), await freePort()];
  const registry = await RegistryDirectory.create(t);
  await registry.add(formatAddress(a.address));
  const attache = startAttache(t, {
    env: {
      SRC: '127.0.0.1:0',
      SRV: SERVICE,
      DSC: `file://${registry.root}`,
      HTTP_ADDR: `127.0.0.1:${http}`,
      DRAIN_DELAY: '4s',
    },
  });
  const port = await attache.port();
  await readyzThat(http, ({ status }) => status === 200, 'ready');
  attache.child.kill('SIGTERM');
  const { services } = await readyzThat(http, ({ status }) => status === 503, 'not ready');
  assert.deepEqual(services[0]?.reasons, ['draining']);
  assert.equal(await ask(port), 'a');
  await registry.move(formatAddress(a.address), formatAddress(b.address));
  await attache.line(({ msg }) => msg === 'candidates changed', 2);
  assert.equal(await ask(port), 'b');
  const refusedAt = await attache.line(isPhase('listeners-closed'));
  const delay = timeOf(refusedAt) - timeOf(await attache.line(isPhase('draining')));
  assert.ok(delay >= 3_990 && delay < 6_000, `listeners closed after ${delay} ms`);
  await assert.rejects(once(connect(port, '127.0.0.1'), 'connect'), { code: 'ECONNREFUSED' });
  assert.equal(await attache.exited, 0);
});

test('promise 35: what is open when DRAIN_DELAY is over gets SHUTDOWN_TIMEOUT, counted from then', async (t) => {
  const server = await startEcho(t);
  const attache = startAttache(t, {
    env: {
      SRC: '127.0.0.1:0',
      DST: formatAddress(server.address),
      DRAIN_DELAY: '600ms',
      SHUTDOWN_TIMEOUT: '600ms',
    },
  });
  const client = await connectTo(await attache.port());
  client.write('?');
  await once(client, 'data');
  attache.child.kill('SIGTERM');
  assert.equal(await attache.exited, 1);
  const [draining, closed, cutting] = await Promise.all(
    ['draining', 'listeners-closed', 'cutting'].map((phase) => attache.line(isPhase(phase))),
  );
  assert.ok(draining && closed && cutting);
  assert.ok(timeOf(closed) - timeOf(draining) >= 590);
  assert.ok(timeOf(cutting) - timeOf(closed) >= 590);
  client.destroy();
});

test('promise 35: a second signal during DRAIN_DELAY ends at once', async (t) => {
  const server = await startEcho(t);
  const attache = startAttache(t, {
    env: { SRC: '127.0.0.1:0', DST: formatAddress(server.address), DRAIN_DELAY: '5m' },
  });
  const client = await connectTo(await attache.port());
  client.write('?');
  await once(client, 'data');
  attache.child.kill('SIGTERM');
  await attache.line(isPhase('draining'));
  const asked = new Stopwatch();
  attache.child.kill('SIGTERM');
  assert.equal(await attache.exited, 1);
  assert.ok(asked.ms() < 3_000);
  client.destroy();
});
