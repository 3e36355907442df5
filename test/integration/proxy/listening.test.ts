import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Address } from '../../../src/core/address.ts';
import { dialPolicy } from '../../../src/core/dial-policy.ts';
import { startService } from '../../support/service.ts';
import { Stopwatch } from '../../support/stopwatch.ts';
import {
  ask,
  connectTo,
  freePort,
  readAll,
  startBlackHole,
  startEcho,
  startNamed,
  startServer,
} from '../../support/tcp.ts';
import { deferred, eventually } from '../../support/wait.ts';

const any: Address = { kind: 'tcp', host: '127.0.0.1', port: 0 };

function temporaryPath(t: TestContext, name: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'attache-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, name);
}

async function askUnix(path: string): Promise<string> {
  const socket = connect(path);
  await once(socket, 'connect');
  const { bytes } = await readAll(socket);
  return bytes.toString();
}

test('promise 16: the n-th listener carries to the n-th candidate, and one without a candidate does not listen', async (t) => {
  const [a, b] = [await startNamed(t, 'a'), await startNamed(t, 'b')];
  const thirdPort = await freePort();
  const { ports, service } = await startService(t, {
    listeners: [any, any, { ...any, port: thirdPort }],
    candidates: [a.address, b.address],
  });
  const [first = 0, second = 0] = ports();
  assert.deepEqual([await ask(first), await ask(second)], ['a', 'b']);
  assert.equal(service.status.listeners[2]?.status.phase, 'waiting');
  await assert.rejects(once(connect(thirdPort, '127.0.0.1'), 'connect'), { code: 'ECONNREFUSED' });
});

test('promise 16: in cluster mode listeners open and close as candidates come and go', async (t) => {
  const [a, b] = [await startNamed(t, 'a'), await startNamed(t, 'b')];
  const portB = await freePort();
  const { ports, source, events } = await startService(t, {
    listeners: [any, { ...any, port: portB }],
    candidates: [],
  });
  source.put([a.address, b.address]);
  await eventually(() => ports().every((port) => port > 0), 'both listen');
  assert.deepEqual([await ask(ports()[0] ?? 0), await ask(portB)], ['a', 'b']);
  source.put([b.address]);
  await eventually(() => events.some((event) => event.type === 'listener-closed'), 'the second closes');
  assert.equal(await ask(ports()[0] ?? 0), 'b');
  await assert.rejects(once(connect(portB, '127.0.0.1'), 'connect'), { code: 'ECONNREFUSED' });
  // Opened and closed in one breath, more than once: the last word counts.
  for (let i = 0; i < 5; i += 1) source.put(i % 2 === 0 ? [a.address, b.address] : [b.address]);
  await eventually(() => ports()[1] === portB, 'the second listens again');
  assert.equal(await ask(portB), 'b');
});

test('promise 16: a candidate that moves to another listener while it is dialed does not answer on the old one', async (t) => {
  const [a, b, c] = [await startNamed(t, 'a'), await startNamed(t, 'b'), await startNamed(t, 'c')];
  const looked = deferred<readonly string[]>();
  const moving = { ...b.address, host: 'b.test' };
  const { ports, source, events } = await startService(t, {
    listeners: [any, any],
    candidates: [a.address, moving],
    dialing: { resolver: { resolve: () => looked.promise } },
  });
  await eventually(() => ports().every((port) => port > 0), 'both listen');
  const answer = ask(ports()[1] ?? 0);
  await eventually(() => events.some((event) => event.type === 'connection-opened'), 'it is being dialed');
  source.put([moving, c.address]);
  looked.resolve(['127.0.0.1']);
  assert.equal(await answer, 'c');
});

test('promise 34: an address in use is reported with its errno, tried again, and served once it is free', async (t) => {
  const taken = await startServer(t);
  const server = await startNamed(t, 'mine');
  const { service, events, ports } = await startService(t, {
    listeners: [{ ...any, port: taken.port }],
    candidates: [server.address],
  });
  assert.deepEqual(service.status.listeners[0]?.status, { phase: 'failed', errno: 'EADDRINUSE' });
  const failure = events.find((event) => event.type === 'listen-failed');
  assert.deepEqual(failure?.address, { kind: 'tcp', host: '127.0.0.1', port: taken.port });
  await taken.stop();
  await eventually(() => ports()[0] === taken.port, 'it listens', 15_000);
  assert.equal(await ask(taken.port), 'mine');
});

test('unix:path listens, relays both ways, and its file is gone on close', async (t) => {
  const path = temporaryPath(t, 'app.sock');
  const server = await startNamed(t, 'over unix');
  const { service, closedOne } = await startService(t, {
    listeners: [{ kind: 'unix', path }],
    candidates: [server.address],
  });
  assert.equal(await askUnix(path), 'over unix');
  assert.equal((await closedOne()).client, 'unix');
  await service.close();
  assert.equal(existsSync(path), false);
});

test('unix:path as a candidate is dialed, and a missing one is refused with its errno', async (t) => {
  const path = temporaryPath(t, 'backend.sock');
  const inner = await startNamed(t, 'behind unix');
  await startService(t, { listeners: [{ kind: 'unix', path }], candidates: [inner.address] });
  const { port, closedOne } = await startService(t, {
    candidates: [
      { kind: 'unix', path: `${path}.missing` },
      { kind: 'unix', path },
    ],
  });
  assert.equal(await ask(port), 'behind unix');
  assert.deepEqual(
    (await closedOne()).attempts.map(({ outcome }) => outcome),
    ['ENOENT', 'ok'],
  );
});

test('a reset behind a Unix socket closes its client', async (t) => {
  const path = temporaryPath(t, 'app.sock');
  const server = await startServer(t);
  const { closedOne } = await startService(t, { listeners: [{ kind: 'unix', path }], candidates: [server.address] });
  const client = connect(path);
  client.on('error', () => undefined);
  client.write('x');
  const candidate = await server.accepted();
  await once(candidate, 'data');
  const closed = once(client.resume(), 'close');
  candidate.resetAndDestroy();
  await closed;
  assert.equal((await closedOne()).reason, 'candidate_reset');
});

test('a stale socket file is replaced; one that is listened on, and a file that is no socket, are not', async (t) => {
  const server = await startNamed(t, 'me');
  const stale = temporaryPath(t, 'stale.sock');
  const script = `require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
  await once(spawn(process.execPath, ['-e', script, stale]), 'exit');
  assert.ok(statSync(stale).isSocket(), 'the killed process has left its file');
  await startService(t, { listeners: [{ kind: 'unix', path: stale }], candidates: [server.address] });
  assert.equal(await askUnix(stale), 'me');

  const intruder = await startService(t, { listeners: [{ kind: 'unix', path: stale }], candidates: [] });
  assert.deepEqual(intruder.service.status.listeners[0]?.status, { phase: 'failed', errno: 'EADDRINUSE' });
  await intruder.service.close();
  assert.equal(await askUnix(stale), 'me');

  const file = temporaryPath(t, 'precious');
  writeFileSync(file, 'data');
  const clash = await startService(t, { listeners: [{ kind: 'unix', path: file }], candidates: [server.address] });
  assert.equal(clash.service.status.listeners[0]?.status.phase, 'failed');
  assert.ok(statSync(file).isFile());
});

for (const [family, host, refused] of [
  [4, '127.0.0.1', '::1'],
  [6, '::1', '127.0.0.1'],
] as const) {
  test(`NET=tcp${family}: a bare port listens in that family alone`, async (t) => {
    const server = await startNamed(t, 'x');
    const { port } = await startService(t, {
      listeners: [{ kind: 'tcp', host: '', port: 0 }],
      candidates: [server.address],
      dialing: { family },
    });
    const good = connect({ host, port });
    await once(good, 'connect');
    assert.equal((await readAll(good)).bytes.toString(), 'x');
    await assert.rejects(once(connect({ host: refused, port }), 'connect'), { code: 'ECONNREFUSED' });
  });
}

test('NET=tcp: a bare port listens in both families, and IPv4 clients are named without the mapping', async (t) => {
  const server = await startNamed(t, 'x');
  const { port, closedOne } = await startService(t, {
    listeners: [{ kind: 'tcp', host: '', port: 0 }],
    candidates: [server.address],
    dialing: { family: 0 },
  });
  for (const host of ['127.0.0.1', '::1']) {
    const client = connect({ host, port });
    await once(client, 'connect');
    assert.equal((await readAll(client)).bytes.toString(), 'x');
  }
  assert.match((await closedOne(1)).client, /^127\.0\.0\.1:\d+$/);
  assert.match((await closedOne(2)).client, /^\[::1\]:\d+$/);
});

test('promise 17: a name is looked up for new connections, so a backend that moves is followed', async (t) => {
  const server = await startNamed(t, 'moved');
  const answers = [['127.0.0.9'], ['127.0.0.1']];
  const asked: string[] = [];
  const { port } = await startService(t, {
    candidates: [{ ...server.address, host: 'moving.test' }],
    dialing: {
      resolver: {
        resolve(host) {
          asked.push(host);
          return Promise.resolve(answers.shift() ?? []);
        },
      },
    },
  });
  assert.deepEqual([await ask(port), await ask(port)], ['', 'moved']);
  assert.deepEqual(asked, ['moving.test', 'moving.test']);
});

test('promise 17: all addresses of a name are tried within the one connect time-out', async (t) => {
  const hole = await startBlackHole(t);
  const { port, closedOne } = await startService(t, {
    candidates: [{ kind: 'tcp', host: 'two.test', port: hole.port }],
    dialing: { connectTimeoutMs: 1_000, resolver: { resolve: () => Promise.resolve(['127.0.0.1', '127.0.0.2']) } },
  });
  // The same port on another loopback address, where somebody does answer.
  const other = await startServer(t, {
    onConnection: (socket) => socket.end('second address'),
    host: '127.0.0.2',
    port: hole.port,
  });
  const watch = new Stopwatch();
  assert.equal(await ask(port), 'second address');
  assert.equal(other.sockets.length, 1);
  const { dialMs, attempts } = await closedOne();
  assert.ok(dialMs - watch.lostMs() < 1_000, `within the one time-out, took ${dialMs} ms`);
  assert.deepEqual(
    attempts.map(({ outcome }) => outcome),
    ['ok'],
  );
});

test('a name that cannot be looked up fails that candidate alone, with the errno of the look-up', async (t) => {
  const server = await startNamed(t, 'next');
  const { port, closedOne } = await startService(t, {
    candidates: [{ kind: 'tcp', host: 'no-such-host.invalid', port: 1 }, server.address],
  });
  assert.equal(await ask(port), 'next');
  assert.match((await closedOne()).attempts[0]?.outcome ?? '', /^(ENOTFOUND|EAI_AGAIN)$/);
});

test('promise 42: a discovered name that resolves outside what may be dialed is never dialed', async (t) => {
  const server = await startEcho(t);
  const { port, closedOne } = await startService(t, {
    candidates: [{ ...server.address, host: 'evil.test' }],
    dialing: { policy: dialPolicy(['10.0.0.0/8']), resolver: { resolve: () => Promise.resolve(['127.0.0.1']) } },
  });
  const client = await connectTo(port);
  await readAll(client);
  assert.deepEqual(
    (await closedOne()).attempts.map(({ outcome }) => outcome),
    ['NOT_ALLOWED'],
  );
  assert.equal(server.sockets.length, 0);
});
