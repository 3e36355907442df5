import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test, type TestContext } from 'node:test';
import { Metrics } from '../../../src/admin/metrics.ts';
import { metricTable } from '../../../src/admin/metric-table.ts';
import { createAmbassador, type Ambassador } from '../../../src/app/ambassador.ts';
import type { ServiceOptions } from '../../../src/config/options.ts';
import { closeReasons } from '../../../src/core/close-reason.ts';
import { promtool, samplesOf, valueOf, type Sample } from '../../support/prometheus.ts';
import { ManualSource } from '../../support/service.ts';
import { connectTo, freePort, readAll, startEcho, startServer } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

interface Measured {
  readonly ambassador: Ambassador;
  readonly source: ManualSource;
  readonly port: number;
  scrape(): Promise<readonly Sample[]>;
  text(): Promise<string>;
}

/** An ambassador with metrics whose first service, `redis`, has these candidates. */
async function startMeasured(
  t: TestContext,
  candidates: readonly number[],
  options: Partial<ServiceOptions> = {},
): Promise<Measured> {
  const metrics = new Metrics('1.2.3');
  const set = candidates.map((port) => ({ kind: 'tcp', host: '127.0.0.1', port }) as const);
  const source = new ManualSource(set);
  const ambassador = createAmbassador(
    { services: [{ name: 'redis', src: '127.0.0.1:0', srv: '/srv/redis', ...options }], discoveryAllow: '127.0.0.1' },
    { observer: metrics.observer, sourceFor: () => source },
  );
  t.after(() => ambassador.closeNow());
  t.after(() => metrics.close());
  await ambassador.start();
  const address = ambassador.address();
  assert.ok(address?.kind === 'tcp');
  const text = () => metrics.render(ambassador);
  return { ambassador, source, port: address.port, text, scrape: async () => samplesOf(await text()) };
}

const redis = { service: 'redis' } as const;

test('attache_service_state is 1 for the one state that the service is in', async (t) => {
  const echo = await startEcho(t);
  const measured = await startMeasured(t, [await freePort(), echo.port]);
  const { port, source } = measured;
  const states = async () => {
    const samples = await measured.scrape();
    return ['serving', 'degraded', 'failing'].map((state) =>
      valueOf(samples, 'attache_service_state', { ...redis, state }),
    );
  };
  assert.deepEqual(await states(), [1, 0, 0]);
  (await connectTo(port)).destroy();
  await eventually(async () => (await states())[1] === 1, 'degraded');
  assert.deepEqual(await states(), [0, 1, 0]);
  source.put([]);
  assert.deepEqual(await states(), [0, 0, 1]);
});

test('the lint of promtool finds nothing to say about the metrics of a service that did everything', async (t) => {
  const echo = await startEcho(t);
  const measured = await startMeasured(t, [await freePort(), echo.port]);
  const client = await connectTo(measured.port);
  client.end('hello');
  await readAll(client);
  await eventually(() => measured.ambassador.status.services[0]?.connections === 0, 'closed');
  const text = await measured.text();
  assert.deepEqual(promtool(['check', 'metrics'], { input: text }), { status: 0, output: '' });
  const exported = new Set([...text.matchAll(/^# TYPE (attache_\w+) /gm)].map(([, name]) => name));
  assert.deepEqual(exported, new Set(Object.keys(metricTable)));
  assert.match(text, /^process_resident_memory_bytes \d/m);
  assert.match(text, /^attache_build_info\{version="1\.2\.3",node_version="v/m);
  const samples = samplesOf(text);
  assert.equal(valueOf(samples, 'attache_connections_closed_total', { reason: 'finished' }), 1);
  assert.equal(valueOf(samples, 'attache_connect_failures_total', { reason: 'ECONNREFUSED' }), 1);
  assert.equal(valueOf(samples, 'attache_connect_duration_seconds_count', redis), 1);
  for (const reason of closeReasons) {
    assert.notEqual(valueOf(samples, 'attache_connections_closed_total', { ...redis, reason }), undefined, reason);
  }
});

test('500 churned connections, some cut: opened is the sum of closed, every byte is counted once', async (t) => {
  const echo = await startEcho(t);
  const measured = await startMeasured(t, [echo.port]);
  let sent = 0;
  const one = async (n: number) => {
    const client = await connectTo(measured.port);
    const bytes = Buffer.alloc(n * 7 + 1, n);
    sent += bytes.length;
    const got = readAll(client);
    client.end(bytes);
    assert.equal((await got).bytes.length, bytes.length);
  };
  for (let batch = 0; batch < 10; batch += 1) {
    await Promise.all(Array.from({ length: 50 }, (_, n) => one(batch * 50 + n)));
    // Scraped in the middle of it as well: nothing that was read then may be counted again later.
    await measured.scrape();
  }
  await eventually(() => measured.ambassador.status.services[0]?.connections === 0, 'all closed');
  const samples = await measured.scrape();
  assert.equal(valueOf(samples, 'attache_connections_opened_total', redis), 500);
  assert.equal(valueOf(samples, 'attache_connections_closed_total', redis), 500);
  assert.equal(valueOf(samples, 'attache_open_connections', redis), 0);
  assert.equal(valueOf(samples, 'attache_connection_duration_seconds_count', redis), 500);
  assert.equal(valueOf(samples, 'attache_connect_duration_seconds_count', redis), 500);
  assert.equal(valueOf(samples, 'attache_bytes_total', { direction: 'to_candidate' }), sent);
  assert.equal(valueOf(samples, 'attache_bytes_total', { direction: 'to_client' }), sent);
});

test('bytes move while a connection is open, and its end adds none of them again', async (t) => {
  const echo = await startEcho(t);
  const measured = await startMeasured(t, [echo.port]);
  const bytes = async () => {
    const samples = await measured.scrape();
    return ['to_candidate', 'to_client'].map((direction) => valueOf(samples, 'attache_bytes_total', { direction }));
  };
  const client = await connectTo(measured.port);
  t.after(() => client.destroy());
  for (const total of [5, 10]) {
    client.write('12345');
    await once(client, 'data');
    assert.deepEqual(await bytes(), [total, total]);
    assert.deepEqual(await bytes(), [total, total]);
  }
  const candidate = `127.0.0.1:${echo.port}`;
  assert.equal(valueOf(await measured.scrape(), 'attache_open_connections', { candidate }), 1);
  client.end();
  await eventually(() => measured.ambassador.status.services[0]?.connections === 0, 'closed');
  assert.deepEqual(await bytes(), [10, 10]);
});

test('what is told of a candidate goes with it: with its last connection, and at once when it has none', async (t) => {
  const [echo, stays, dead] = [await startEcho(t), await startEcho(t), await freePort()];
  const measured = await startMeasured(t, [dead, echo.port, stays.port], { onChange: 'keep' });
  const client = await connectTo(measured.port);
  t.after(() => client.destroy());
  client.write('x');
  await once(client, 'data');
  const labelled = async (port: number) =>
    (await measured.scrape())
      .filter(({ labels }) => labels['candidate'] === `127.0.0.1:${port}`)
      .map(({ name }) => name);
  assert.deepEqual(await labelled(dead), ['attache_open_connections', 'attache_connect_failures_total']);
  measured.source.put([stays.address]);
  assert.deepEqual(await labelled(dead), []);
  assert.deepEqual(await labelled(echo.port), ['attache_open_connections']);
  client.end();
  await eventually(() => measured.ambassador.status.services[0]?.connections === 0, 'closed');
  assert.deepEqual(await labelled(echo.port), []);
  assert.deepEqual(await labelled(stays.port), ['attache_open_connections']);
  assert.equal(valueOf(await measured.scrape(), 'attache_candidates', redis), 1);
});

test('2,000 candidates that came and went leave no series behind', async (t) => {
  const measured = await startMeasured(t, []);
  const before = (await measured.scrape()).length;
  for (let round = 0; round < 20; round += 1) {
    measured.source.put(
      Array.from({ length: 100 }, (_, n) => ({ kind: 'tcp', host: `10.${round}.0.${n}`, port: 1 }) as const),
    );
  }
  assert.equal((await measured.scrape()).length, before + 100);
  measured.source.put([]);
  assert.equal((await measured.scrape()).length, before);
});

test('connections that a change of membership ended are resets of that cause', async (t) => {
  const [a, b] = [await startEcho(t), await startEcho(t)];
  const measured = await startMeasured(t, [a.port]);
  const client = await connectTo(measured.port);
  client.write('x');
  await once(client, 'data');
  measured.source.put([b.address]);
  await readAll(client);
  await eventually(() => measured.ambassador.status.services[0]?.connections === 0, 'closed');
  const samples = await measured.scrape();
  assert.equal(valueOf(samples, 'attache_resets_total', { ...redis, cause: 'membership_changed' }), 1);
  assert.equal(valueOf(samples, 'attache_resets_total', redis), 1);
});

test('a pause of 20 ms of the event loop is seen, however often others have looked', async (t) => {
  const measured = await startMeasured(t, []);
  await measured.scrape();
  const late = (samples: readonly Sample[]) =>
    (valueOf(samples, 'attache_event_loop_lag_seconds_count') ?? 0) -
    (valueOf(samples, 'attache_event_loop_lag_seconds_bucket', { le: '0.009' }) ?? 0);
  const before = late(await measured.scrape());
  const until = performance.now() + 21;
  while (performance.now() < until);
  let samples = await measured.scrape();
  await eventually(async () => late((samples = await measured.scrape())) > before, 'a late tick');
  assert.ok(late(await measured.scrape()) > before);
  assert.ok((valueOf(samples, 'attache_event_loop_lag_seconds_sum') ?? 0) >= 0.009);
});

test('many who scrape at once get the same, whole text', async (t) => {
  const measured = await startMeasured(t, [1]);
  const texts = await Promise.all(Array.from({ length: 10 }, () => measured.text()));
  assert.equal(new Set(texts).size, 1);
  assert.ok(samplesOf(texts[0] ?? '').length > 50);
});

test('discovery has an age, listed candidates have none', async (t) => {
  const discovered = await startMeasured(t, []);
  const name = 'attache_discovery_last_success_timestamp_seconds';
  const age = Date.now() / 1_000 - (valueOf(await discovered.scrape(), name, redis) ?? 0);
  assert.ok(age >= -1 && age < 60, `${age} s`);
  const metrics = new Metrics('1');
  t.after(() => metrics.close());
  const listed = createAmbassador(
    { services: [{ src: '127.0.0.1:0', dst: '127.0.0.1:1' }] },
    { observer: metrics.observer },
  );
  t.after(() => listed.closeNow());
  await listed.start();
  assert.equal(valueOf(samplesOf(await metrics.render(listed)), name), undefined);
});

test('clients that are held are counted while they are', async (t) => {
  const measured = await startMeasured(t, [], { holdTimeout: '20s' });
  const client = connect({ port: measured.port, host: '127.0.0.1' }).on('error', () => undefined);
  t.after(() => client.destroy());
  await eventually(async () => valueOf(await measured.scrape(), 'attache_held_connections', redis) === 1, 'held');
  assert.equal(valueOf(await measured.scrape(), 'attache_open_connections', { candidate: '' }), 1);
  const server = await startServer(t, { onConnection: (socket) => socket.end('late') });
  measured.source.put([server.address]);
  assert.equal((await readAll(client)).bytes.toString(), 'late');
  client.end();
  await eventually(async () => valueOf(await measured.scrape(), 'attache_held_connections', redis) === 0, 'served');
});

test('a candidate that is ejected, one that is drained and one that is neither are told apart', async (t) => {
  const [dead, a, b] = [await freePort(), await startEcho(t), await startEcho(t)];
  const measured = await startMeasured(t, [dead, a.port, b.port], { maxFails: 1, failTimeout: '10m' });
  const client = await connectTo(measured.port);
  client.end('x');
  await readAll(client);
  assert.deepEqual(measured.ambassador.drain(`127.0.0.1:${b.port}`), ['redis']);
  const samples = await measured.scrape();
  const states = ['ejected', 'drained', 'available', 'probing', 'unassigned'];
  assert.deepEqual(
    states.map((state) => valueOf(samples, 'attache_candidates', { ...redis, state })),
    [1, 1, 1, 0, 0],
  );
});
