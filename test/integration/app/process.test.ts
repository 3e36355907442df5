import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { runAttache, startAttache, type LogLine } from '../../support/attache.ts';
import { Stopwatch } from '../../support/stopwatch.ts';
import { ask, connectTo, freePort, readAll, startEcho, startNamed, startServer } from '../../support/tcp.ts';

const isPhase = (phase: string) => (line: LogLine) => line.msg === 'lifecycle' && line['phase'] === phase;
const isClosed = (line: LogLine) => line.msg === 'connection closed';

test('the seed command line: --src and --dst carry a connection', async (t) => {
  const server = await startNamed(t, 'hello');
  const attache = startAttache(t, { args: ['--src', '127.0.0.1:0', '--dst', `127.0.0.1:${server.port}`] });
  assert.equal(await ask(await attache.port()), 'hello');
});

test('several services of one process: each has its own listeners and candidates', async (t) => {
  const [redis, pg] = [await startNamed(t, 'redis'), await startNamed(t, 'pg')];
  const attache = startAttache(t, {
    env: {
      SRC_REDIS: '127.0.0.1:0',
      DST_REDIS: `127.0.0.1:${redis.port}`,
      SERVICES: JSON.stringify([{ name: 'pg', src: '127.0.0.1:0', dst: [`127.0.0.1:${pg.port}`] }]),
    },
  });
  assert.equal(await ask(await attache.port('redis')), 'redis');
  assert.equal(await ask(await attache.port('pg')), 'pg');
});

test('promise 11: a finished connection gives one access line with everything in it', async (t) => {
  const server = await startServer(t, { onConnection: (socket) => socket.end('12345') });
  const dead = await freePort();
  const attache = startAttache(t, {
    env: { SRC: '127.0.0.1:0', DST: `127.0.0.1:${dead},127.0.0.1:${server.port}` },
  });
  const client = await connectTo(await attache.port());
  client.end('abc');
  await readAll(client);
  const line = await attache.line(isClosed);
  assert.deepEqual(
    [
      line['service'],
      line['candidate'],
      line['bytesToCandidate'],
      line['bytesToClient'],
      line['reason'],
      line['tried'],
    ],
    ['default', `127.0.0.1:${server.port}`, 3, 5, 'finished', 2],
  );
  assert.match(String(line['client']), /^127\.0\.0\.1:\d+$/);
  for (const field of ['dialMs', 'totalMs']) assert.equal(typeof line[field], 'number');
  assert.match(String(line['endedBy']), /^(client|candidate)$/);
  assert.equal(attache.lines.filter(isClosed).length, 1);
});

test('ACCESS_LOG=false leaves the access line out', async (t) => {
  const server = await startNamed(t, 'x');
  const attache = startAttache(t, {
    env: { SRC: '127.0.0.1:0', DST: `127.0.0.1:${server.port}`, ACCESS_LOG: 'false' },
  });
  await ask(await attache.port());
  attache.child.kill('SIGTERM');
  assert.equal(await attache.exited, 0);
  assert.equal(attache.lines.filter(isClosed).length, 0);
});

test('promise 34: when no service can listen the exit code is 69, with the address and errno', async (t) => {
  const taken = await startServer(t);
  const attache = startAttache(t, { env: { SRC: `127.0.0.1:${taken.port}`, DST: '127.0.0.1:1' } });
  assert.equal(await attache.exited, 69);
  const last = attache.lines.at(-1);
  assert.equal(
    last?.msg,
    `no service could listen: 127.0.0.1:${taken.port} (EADDRINUSE: another process has this address: stop that process, or choose another port)`,
  );
});

test('promise 34: one service whose address is taken does not keep the others from working', async (t) => {
  const [taken, server] = [await startServer(t), await startNamed(t, 'works')];
  const attache = startAttache(t, {
    env: {
      SRC_A: `127.0.0.1:${taken.port}`,
      DST_A: '127.0.0.1:1',
      SRC_B: '127.0.0.1:0',
      DST_B: `127.0.0.1:${server.port}`,
    },
  });
  assert.equal(await ask(await attache.port('b')), 'works');
  const line = await attache.line(({ msg }) => msg === 'listen failed');
  assert.deepEqual([line['service'], line['errno']], ['a', 'EADDRINUSE']);
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`promise 35: ${signal} with nothing open ends at once with 0`, async (t) => {
    const attache = startAttache(t, { env: { SRC: '127.0.0.1:0', DST: '127.0.0.1:1' } });
    await attache.line(isPhase('started'));
    const asked = new Stopwatch();
    attache.child.kill(signal);
    assert.equal(await attache.exited, 0);
    assert.ok(asked.ms() < 2_000);
  });
}

test('promise 35: 20 of 20 transfers in flight complete after SIGTERM, new clients are refused, exit 0', async (t) => {
  const size = 4 * 1024 * 1024;
  const content = randomBytes(size);
  const server = await startServer(t);
  const attache = startAttache(t, { env: { SRC: '127.0.0.1:0', DST: `127.0.0.1:${server.port}` } });
  const port = await attache.port();
  const clients = await Promise.all(Array.from({ length: 20 }, () => connectTo(port)));
  const transfers = clients.map(readAll);
  const candidates = await Promise.all(clients.map(() => server.accepted()));
  for (const candidate of candidates) candidate.write(content.subarray(0, size / 2));
  attache.child.kill('SIGTERM');
  await attache.line(isPhase('listeners-closed'));
  await assert.rejects(once(connect(port, '127.0.0.1'), 'connect'), { code: 'ECONNREFUSED' });
  for (const candidate of candidates) candidate.end(content.subarray(size / 2));
  const hash = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
  for (const { bytes, end } of await Promise.all(transfers)) {
    assert.equal(end, 'eof');
    assert.equal(hash(bytes), hash(content));
  }
  for (const client of clients) client.end();
  assert.equal(await attache.exited, 0);
  assert.equal(attache.lines.filter(isClosed).filter((line) => line['reason'] === 'finished').length, 20);
});

test('promise 35: what is still open at SHUTDOWN_TIMEOUT is cut, counted and logged, exit 1', async (t) => {
  const server = await startEcho(t);
  const attache = startAttache(t, {
    env: { SRC: '127.0.0.1:0', DST: `127.0.0.1:${server.port}`, SHUTDOWN_TIMEOUT: '300ms' },
  });
  const clients = [await connectTo(await attache.port()), await connectTo(await attache.port())];
  for (const client of clients) {
    client.write('x');
    await once(client, 'data');
  }
  const ended = Promise.all(clients.map(readAll));
  attache.child.kill('SIGTERM');
  assert.deepEqual(
    (await ended).map(({ end }) => end),
    ['reset', 'reset'],
  );
  assert.equal(await attache.exited, 1);
  assert.equal(attache.lines.find(isPhase('cutting'))?.['connections'], 2);
  assert.equal(attache.lines.filter((line) => isClosed(line) && line['reason'] === 'shutdown').length, 2);
});

test('promise 35: a second signal ends at once', async (t) => {
  const server = await startEcho(t);
  const attache = startAttache(t, {
    env: { SRC: '127.0.0.1:0', DST: `127.0.0.1:${server.port}`, SHUTDOWN_TIMEOUT: '5m' },
  });
  const client = await connectTo(await attache.port());
  client.write('x');
  await once(client, 'data');
  attache.child.kill('SIGTERM');
  await attache.line(isPhase('listeners-closed'));
  attache.child.kill('SIGTERM');
  assert.equal(await attache.exited, 1);
  client.destroy();
});

test('promise 35: during DRAIN_DELAY new clients are still served', async (t) => {
  const server = await startNamed(t, 'served');
  const attache = startAttache(t, { env: { SRC: '127.0.0.1:0', DST: `127.0.0.1:${server.port}`, DRAIN_DELAY: '1s' } });
  const port = await attache.port();
  attache.child.kill('SIGTERM');
  await attache.line(isPhase('draining'));
  assert.equal(await ask(port), 'served');
  assert.equal(await attache.exited, 0);
});

test('promise 36: SIGHUP and SIGPIPE do not kill', async (t) => {
  const server = await startNamed(t, 'alive');
  const attache = startAttache(t, { env: { SRC: '127.0.0.1:0', DST: `127.0.0.1:${server.port}` } });
  const port = await attache.port();
  attache.child.kill('SIGHUP');
  attache.child.kill('SIGPIPE');
  await attache.line((line) => line['signal'] === 'SIGHUP');
  assert.equal(await ask(port), 'alive');
});

test('a reader of the log that goes away does not take the proxy with it', async (t) => {
  const server = await startNamed(t, 'alive');
  const attache = startAttache(t, { env: { SRC: '127.0.0.1:0', DST: `127.0.0.1:${server.port}` } });
  const port = await attache.port();
  attache.child.stdout?.destroy();
  for (let i = 0; i < 20; i += 1) assert.equal(await ask(port), 'alive');
  assert.equal(attache.child.exitCode, null);
});

test('promise 38: bad configuration is exit 78 with every fault on stderr', async (t) => {
  const { code, stderr } = await runAttache(t, { env: { SRC: '6379', DST: 'a:0', LB: 'maybe' } });
  assert.equal(code, 78);
  for (const setting of ['SRC', 'DST', 'LB']) assert.match(stderr, new RegExp(`^${setting}: expected `, 'm'));
});

test('a static service loads neither etcd3 nor the S3 client', async (t) => {
  const attache = startAttache(t, { env: { SRC: '127.0.0.1:0', DST: '127.0.0.1:1' } });
  await attache.line(isPhase('started'));
  const maps = readFileSync(`/proc/${attache.child.pid ?? 0}/status`, 'utf8');
  const residentMb = Number(/VmRSS:\s+(\d+)/.exec(maps)?.[1]) / 1024;
  assert.ok(residentMb < 90, `${residentMb} MB`);
  const list = await runLoadedModules(t);
  assert.deepEqual(
    list.filter((url) => /node_modules\/(etcd3|@grpc|@aws-sdk|cockatiel|pino-pretty)\//.test(url)),
    [],
  );
  assert.ok(
    list.some((url) => url.includes('node_modules/pino/')),
    'the list is a real one',
  );
});

/** Every module that Node loads on the way to a started static service. */
async function runLoadedModules(t: Parameters<typeof startAttache>[0]): Promise<readonly string[]> {
  // To a file, which is written at once: of megabytes in a pipe the end is lost at exit.
  const folder = mkdtempSync(join(tmpdir(), 'attache-modules-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'stderr');
  const env = { SRC: '127.0.0.1:0', DST: '127.0.0.1:1', NODE_DEBUG: 'esm,module' };
  const attache = startAttache(t, { env, stderrTo: file });
  await attache.line(isPhase('started'));
  attache.child.kill('SIGTERM');
  await attache.exited;
  return readFileSync(file, 'utf8').split('\n');
}
