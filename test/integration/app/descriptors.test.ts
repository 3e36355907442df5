import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { get } from 'node:http';
import type { Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { startAttache, type Attache } from '../../support/attache.ts';
import { cpuMs, descriptorsOf, nextDescriptorOf } from '../../support/process-cost.ts';
import { Stopwatch } from '../../support/stopwatch.ts';
import { connectTo, readAll, startEcho, startServer } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

const EXHAUSTED = 'out of file descriptors: refusing clients; raise the limit of open files';
const RECOVERED = 'file descriptors available again';

function pidOf({ child }: Attache): number {
  return child.pid ?? 0;
}

function fits(msg: string) {
  return (line: { readonly msg?: string }) => line.msg === msg;
}

/** Status and time of one answer of an HTTP server. */
function ask(port: number): Promise<{ readonly status: number | undefined; readonly ms: number }> {
  const began = new Stopwatch();
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: '/healthz', agent: false }, (answer) => {
      answer.resume().on('end', () => resolve({ status: answer.statusCode, ms: began.ms() }));
    }).on('error', reject);
  });
}

/** Whether a byte comes back. */
async function isCarried(t: TestContext, port: number): Promise<boolean> {
  const socket = await connectTo(port);
  t.after(() => socket.destroy());
  socket.write('?');
  return new Promise((resolve) => {
    socket
      .on('data', () => resolve(true))
      .on('end', () => resolve(false))
      .on('close', () => resolve(false));
  });
}

/** Sets the soft limit of a running process; the hard one stays. */
function limitTo(pid: number, descriptors: number): void {
  execFileSync('prlimit', ['--pid', String(pid), `--nofile=${descriptors}:`]);
}

test('promise 10: the soft limit of descriptors is raised to the hard one at start', async (t) => {
  const attache = startAttache(t, {
    args: ['--src', '127.0.0.1:0', '--dst', '127.0.0.1:1'],
    ulimit: '-Sn 256',
  });
  await attache.port();
  const [, soft, hard] =
    /Max open files\s+(\S+)\s+(\S+)/.exec(readFileSync(`/proc/${pidOf(attache)}/limits`, 'utf8')) ?? [];
  assert.notEqual(soft, '256');
  assert.equal(soft, hard);
});

test('promise 10: MAX_CONNECTIONS that cannot fit is warned of at start, with both numbers; one that fits is not', async (t) => {
  const args = ['--src', '127.0.0.1:0', '--dst', '127.0.0.1:1'];
  const scarce = startAttache(t, { args: [...args, '--max-connections', '5000'], ulimit: '-n 512' });
  const line = await scarce.line(({ msg }) => msg?.startsWith('MAX_CONNECTIONS') === true);
  assert.deepEqual([line['level'], line['maxConnections'], line['limit']], ['warn', 5_000, 512]);
  assert.ok(Number(line['most']) > 150 && Number(line['most']) < 256);
  const ample = startAttache(t, { args: [...args, '--max-connections', '100'], ulimit: '-n 512' });
  await ample.line(({ msg, phase }) => msg === 'lifecycle' && phase === 'started');
  assert.ok(!ample.lines.some(({ msg }) => msg?.startsWith('MAX_CONNECTIONS') === true));
});

test('promise 10: a flood of clients at a low limit: it stays up, answers probes, says one line and recovers', async (t) => {
  const backend = await startEcho(t);
  const attache = startAttache(t, {
    args: ['--src', '127.0.0.1:0', '--dst', `127.0.0.1:${backend.port}`, '--http-addr', '127.0.0.1:0'],
    env: { ACCESS_LOG: 'false' },
    ulimit: '-n 128',
  });
  const port = await attache.port();
  const health = await attache.line(fits('HTTP server listening'));
  const http = Number(String(health['address']).split(':').at(-1));
  const flood = new Set<Socket>();
  t.after(() => flood.forEach((socket) => socket.destroy()));
  let closed = 0;
  const before = cpuMs(pidOf(attache));
  for (let round = 0; round < 100; round += 1) {
    for (const socket of await Promise.all(Array.from({ length: 20 }, () => connectTo(port)))) {
      flood.add(socket);
      // `connectTo` gives a socket that outlives the other side's end.
      socket.resume().once('end', () => socket.destroy());
      socket.once('close', () => {
        closed += 1;
        flood.delete(socket);
      });
    }
    const { status, ms } = await ask(http);
    assert.equal(status, 200);
    assert.ok(ms < 2_000, `a probe took ${ms} ms`);
    assert.ok(descriptorsOf(pidOf(attache)) < 128);
  }
  await eventually(() => closed > 1_900, 'most of 2,000 clients have been refused');
  assert.ok(flood.size >= 30, `${flood.size} were carried`);
  const usedMs = cpuMs(pidOf(attache)) - before;
  assert.ok(usedMs < 4_000, `2,000 clients cost ${usedMs} ms of CPU`);
  assert.equal(attache.child.exitCode, null);
  assert.equal(attache.lines.filter(fits(EXHAUSTED)).length, 1);
  for (const socket of flood) socket.destroy();
  await eventually(() => isCarried(t, port), 'a new client is carried', 5_000);
  const recovered = await attache.line(fits(RECOVERED));
  assert.ok(Number(recovered['refused']) >= 1_900);
});

test('promise 10: when a dial finds no descriptor no other candidate is tried, nothing spins, and it heals by itself', async (t) => {
  const backend = await startEcho(t);
  const second = await startServer(t);
  const attache = startAttache(t, {
    args: ['--src', '127.0.0.1:0', '--dst', `127.0.0.1:${backend.port}`, '--dst', `127.0.0.1:${second.port}`],
  });
  const port = await attache.port();
  const pid = pidOf(attache);
  const first = await connectTo(port);
  first.end('?');
  await readAll(first);
  await attache.line(({ reason }) => reason === 'finished');
  // The limit is one of numbers, and a process may have been given some that are high.
  const base = nextDescriptorOf(pid);
  // Room for the client, none for its candidate.
  limitTo(pid, base + 1);
  const refused = await connectTo(port);
  assert.equal((await readAll(refused)).bytes.length, 0);
  const exhausted = await attache.line(fits(EXHAUSTED));
  assert.equal(exhausted['errno'], 'EMFILE');
  const access = await attache.line(({ reason }) => reason === 'out_of_resources');
  assert.deepEqual([access['candidate'], access['tried']], [undefined, 1]);
  assert.equal(second.sockets.length, 0);
  // None at all: libuv closes clients by means of a descriptor it has kept for this, or leaves them waiting.
  limitTo(pid, base);
  const before = cpuMs(pid);
  const began = performance.now();
  for (let i = 0; i < 50; i += 1) {
    const client = await connectTo(port);
    t.after(() => client.destroy());
  }
  await eventually(() => performance.now() - began > 1_000, 'a second has gone by');
  const share = (cpuMs(pid) - before) / (performance.now() - began);
  assert.ok(share < 0.5, `it used ${share} of a core`);
  assert.equal(attache.child.exitCode, null);
  assert.equal(attache.lines.filter(fits(EXHAUSTED)).length, 1);
  limitTo(pid, base + 1_000);
  await eventually(() => isCarried(t, port), 'a new client is carried', 5_000);
  await attache.line(fits(RECOVERED));
});
