import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Metrics, type Measured } from '../../../src/admin/metrics.ts';
import { createAuthority } from '../../support/certificates.ts';
import { LongestTurn } from '../../support/longest-turn.ts';
import { startService } from '../../support/service.ts';
import { connectTo, startEcho } from '../../support/tcp.ts';
import { accepting, dialingTls } from '../../support/tls-service.ts';
import { eventually } from '../../support/wait.ts';

const TIMEOUT = { timeout: 120_000 };
const MOST_MS = 30;

test('200 full handshakes of clients at once hold nothing up for 30 ms', TIMEOUT, async (t) => {
  const authority = await createAuthority(t);
  const { caPath } = authority;
  const identity = await authority.issue('localhost', ['DNS:localhost'], { key: { type: 'rsa' } });
  const candidate = await startEcho(t);
  const service = await startService(t, {
    candidates: [candidate.address],
    accepting: accepting({ caPath, identity }, { timeoutMs: 60_000 }),
  });
  const script = `
    const net = require('node:net'); const { connect } = require('node:tls'); const { readFileSync: read } = require('node:fs');
    const [port, ca, cert, key] = process.argv.slice(1);
    const options = { servername: 'localhost', ca: read(ca), cert: read(cert), key: read(key) };
    const sockets = []; let left = 200;
    for (let n = 0; n < 200; n += 1) sockets.push(net.connect(port, '127.0.0.1', () => --left === 0 && console.log('connected')));
    process.stdin.once('data', () => { for (const socket of sockets) connect({ socket, ...options }).on('error', console.error); });`;
  const clients = await child(t, script, [String(service.port), caPath, identity.chainPath, identity.keyPath]);
  await eventually(() => service.service.connections === 200, 'all are accepted');
  clients.write('begin');
  // Not a turn is taken until all have sent their hello.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_000);
  const turns = new LongestTurn();
  await eventually(
    () => service.events.filter(({ type }) => type === 'connection-established').length === 200,
    'all are in',
    60_000,
  );
  turns.stop();
  assertShort(turns);
});

test('200 full handshakes with candidates at once hold nothing up for 30 ms', TIMEOUT, async (t) => {
  const authority = await createAuthority(t);
  const { caPath } = authority;
  const identity = await authority.issue('localhost', ['DNS:localhost'], { key: { type: 'rsa' } });
  const script = `
    const { createServer } = require('node:tls'); const { readFileSync: read } = require('node:fs');
    const [ca, cert, key] = process.argv.slice(1);
    const options = { ca: read(ca), cert: read(cert), key: read(key), requestCert: true };
    const server = createServer(options, (socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1', () => console.log(server.address().port));`;
  const { line: port } = await child(t, script, [caPath, identity.chainPath, identity.keyPath]);
  const service = await startService(t, {
    candidates: [{ kind: 'tcp', host: 'localhost', port: Number(port) }],
    dialing: { tls: dialingTls({ caPath, identity }), resolver: { resolve: () => Promise.resolve(['127.0.0.1']) } },
  });
  const clients = await Promise.all(Array.from({ length: 200 }, () => connectTo(service.port)));
  const turns = new LongestTurn();
  await eventually(
    () => service.events.filter(({ type }) => type === 'connection-established').length === 200,
    'all are in',
    60_000,
  );
  turns.stop();
  for (const client of clients) client.destroy();
  assertShort(turns);
});

test('a change that resets 2,000 connections holds nothing up for 30 ms', TIMEOUT, async (t) => {
  const [first, second] = [await startEcho(t), await startEcho(t)];
  const service = await startService(t, { candidates: [first.address] });
  const script = `
    const { connect } = require('node:net');
    let left = 2_000;
    const open = () => { const socket = connect(Number(process.argv[1]), '127.0.0.1'); socket.on('error', () => undefined).write('x'); socket.once('data', () => --left === 0 ? console.log('done') : left >= 50 && open()); };
    for (let n = 0; n < 50; n += 1) open();
    process.stdin.resume();`;
  await child(t, script, [String(service.port)]);
  assert.equal(service.service.connections, 2_000);
  const turns = new LongestTurn();
  service.source.put([second.address]);
  await eventually(() => service.closed().length === 2_000, 'all are reset', 20_000);
  await pause(50);
  turns.stop();
  assertShort(turns);
});

test('the first scrape, which loads the library that writes it, holds nothing up for 30 ms', TIMEOUT, async () => {
  const metrics = new Metrics('1.0.0');
  const status = { live: true, ready: true, phase: 'running', services: [] } as unknown as Measured['status'];
  const turns = new LongestTurn();
  const text = await metrics.render({ status, traffic: () => [] });
  turns.stop();
  metrics.close();
  assert.match(text, /attache_build_info/);
  assertShort(turns, 0.4);
});

/** A machine that is busy makes everything longer, so a share of the whole that nothing else explains is short as well. */
function assertShort({ longest, total }: LongestTurn, share = 0.125): void {
  assert.ok(longest < Math.max(MOST_MS, total * share), `${longest} ms of ${total} ms`);
}

/** Runs a script in a process of its own, until the test is over. Resolves with the first line that it prints. */
async function child(t: TestContext, script: string, args: readonly string[]) {
  const started = spawn(process.execPath, ['-e', script, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  const gone = once(started, 'close');
  t.after(async () => {
    started.kill('SIGKILL');
    await gone;
  });
  const [line] = (await once(started.stdout, 'data')) as [Buffer];
  return { line: line.toString().trim(), write: (text: string) => started.stdin.write(text) };
}
