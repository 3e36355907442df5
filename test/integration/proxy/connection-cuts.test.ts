import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { Leg, type LegOwner } from '../../../src/transport/node/leg.ts';
import { candidateSocket } from '../../../src/transport/node/socket-reader.ts';
import { StreamRelay } from '../../../src/transport/node/relay.ts';
import { ENGINES, nativeEngine } from '../../support/engine.ts';
import { keepAlivesDueMs } from '../../support/kernel.ts';
import { startService } from '../../support/service.ts';
import { Stopwatch } from '../../support/stopwatch.ts';
import { connectTo, readAll, startBlackHole, startServer } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

const MIB = 1024 * 1024;
/** Below the high-water mark, so that reading goes on behind one such chunk that the kernel did not take. */
const SMALL = 15 * 1024;

/** Writes until the other side has taken nothing for a while. */
async function writeUntilStopped(socket: Socket): Promise<void> {
  socket.write(Buffer.alloc(32 * MIB));
  let left = -1;
  let since = performance.now();
  await eventually(() => {
    const { writableLength } = socket;
    const sent = socket.bytesWritten - writableLength;
    if (sent !== left) [left, since] = [sent, performance.now()];
    return performance.now() - since > 300;
  }, 'the sender stops');
}

for (const [load, bytes] of [
  ['an idle client', 1],
  ['a client that is sending', 8 * MIB],
] as const) {
  test(`promise 3: bytes with a reset right behind them never look like a finished stream to ${load}`, async (t) => {
    const server = await startServer(t, {
      // At the first byte, so that the candidate has been reached.
      onConnection: (socket) =>
        void once(socket, 'data').then(() => socket.pause().write('cut sho', () => socket.resetAndDestroy())),
    });
    const { port, closedOne } = await startService(t, { candidates: [server.address] });
    for (let n = 1; n <= 20; n += 1) {
      const client = await connectTo(port);
      client.write(Buffer.alloc(bytes));
      assert.equal((await readAll(client)).end, 'reset');
      assert.equal((await closedOne(n)).reason, 'candidate_reset');
    }
  });
}

test('promise 3: bytes with a reset right behind them never look like a finished stream to a client that has ended', async (t) => {
  const server = await startServer(t);
  const { port, closedOne } = await startService(t, { candidates: [server.address] });
  for (let n = 1; n <= 20; n += 1) {
    const client = await connectTo(port);
    client.end('question');
    const candidate = await server.accepted();
    await once(candidate.resume(), 'end');
    candidate.write('cut sho', () => candidate.resetAndDestroy());
    // What the client sees is not asked: it cannot tell either, on the same libuv.
    assert.equal((await closedOne(n)).reason, 'candidate_reset');
  }
});

for (const [name, engineOf] of Object.entries(ENGINES)) {
  for (const header of [false, true]) {
    const what = `${header ? 'with a PROXY header, ' : ''}${name} engine`;
    test(`promise 3: an upload that is cut behind its candidate's end is no finished stream (${what})`, async (t) => {
      const server = await startServer(t);
      const options = { candidates: [server.address], engine: engineOf(), acceptProxyProtocol: header };
      const { port, closedOne } = await startService(t, options);
      for (let n = 1; n <= 20; n += 1) {
        const client = await connectTo(port);
        if (header) client.write('PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n');
        const candidate = await server.accepted();
        const ended = readAll(candidate);
        candidate.end('done');
        await once(client.resume(), 'end');
        client.write('cut sho', () => client.resetAndDestroy());
        assert.equal((await closedOne(n)).reason, 'client_reset');
        await ended;
      }
    });
  }
}

test('promise 3: what a candidate says before it refuses the rest of an upload is passed on (native engine)', async (t) => {
  const refusal = 'too large\n'.repeat(4);
  const server = await startServer(t, {
    onConnection: (socket) => {
      let bytes = 0;
      socket.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        // Closed with bytes that it has not read, and more to come: a reset.
        if (bytes >= 200_000) socket.pause().write(refusal, () => socket.destroy());
      });
    },
  });
  const { port, closedOne } = await startService(t, { candidates: [server.address], engine: nativeEngine() });
  let passedOn = 0;
  for (let n = 1; n <= 20; n += 1) {
    const client = await connectTo(port);
    const upload = Buffer.alloc(32 * 1024);
    const push = () => {
      while (client.write(upload));
    };
    client.on('drain', push);
    push();
    const { bytes } = await readAll(client);
    client.destroy();
    const { reason, bytesToClient } = await closedOne(n);
    assert.equal(reason, 'candidate_reset');
    // A client of Node that writes at that moment is closed by its write, whatever there is to read.
    assert.ok([0, refusal.length].includes(bytes.length) && bytes.length <= bytesToClient);
    if (bytesToClient === refusal.length) passedOn += 1;
  }
  // The kernel may lose it on the way to us; attache must not.
  assert.ok(passedOn >= 15, `${passedOn} of 20`);
});

test('promise 3: a client that is not being read and resets closes the candidate within 2 s', async (t) => {
  const server = await startServer(t, { pauseOnConnect: true });
  const { port, closedOne } = await startService(t, { candidates: [server.address] });
  const client = await connectTo(port);
  const candidate = await server.accepted();
  await writeUntilStopped(client);
  const resetAt = new Stopwatch();
  client.resetAndDestroy();
  const { reason, endedBy } = await closedOne();
  assert.ok(resetAt.ms() < 2_000);
  assert.deepEqual([reason, endedBy], ['client_reset', 'client']);
  assert.equal((await readAll(candidate.resume())).end, 'reset');
});

test('promise 3: a candidate that is not being read and resets closes the client within 2 s, time-outs or not', async (t) => {
  const server = await startServer(t);
  const { port, closedOne } = await startService(t, { candidates: [server.address], halfCloseTimeoutMs: 0 });
  const client = await connectTo(port);
  client.pause();
  const candidate = await server.accepted();
  await writeUntilStopped(candidate);
  const resetAt = new Stopwatch();
  candidate.resetAndDestroy();
  assert.equal((await closedOne()).reason, 'candidate_reset');
  assert.ok(resetAt.ms() < 2_000);
  const { end } = await readAll(client.resume());
  assert.equal(end, 'reset');
});

test('promise 3: a candidate that dies behind its end is noticed, and the client is closed after all it sent', async (t) => {
  const server = await startServer(t);
  const { port, closedOne } = await startService(t, { candidates: [server.address] });
  const client = await connectTo(port);
  client.write('question');
  const candidate = await server.accepted();
  await once(candidate, 'data');
  candidate.end('answer');
  assert.deepEqual(await readAll(client), { bytes: Buffer.from('answer'), end: 'eof' });
  candidate.resetAndDestroy();
  assert.equal((await closedOne()).reason, 'candidate_reset');
});

test('promise 7: a client that has sent more than is kept for it and resets ends the dial', async (t) => {
  const hole = await startBlackHole(t);
  const { port, closedOne } = await startService(t, { candidates: [hole] });
  const client = await connectTo(port);
  await writeUntilStopped(client);
  client.resetAndDestroy();
  const { reason, endedBy, totalMs } = await closedOne();
  assert.deepEqual([reason, endedBy], ['client_gone', 'client']);
  assert.ok(totalMs < 5_000, 'not the connect time-out');
});

test('IDLE_TIMEOUT with bytes that nobody has read ends by reset, so that the rest is missed', async (t) => {
  const server = await startServer(t);
  const { port, closedOne } = await startService(t, { candidates: [server.address], idleTimeoutMs: 400 });
  const client = await connectTo(port);
  client.pause();
  const candidate = await server.accepted();
  candidate.write(Buffer.alloc(32 * MIB));
  assert.equal((await closedOne()).reason, 'idle_timeout');
  const { bytes, end } = await readAll(client.resume());
  assert.ok(bytes.length < 32 * MIB);
  assert.equal(end, 'reset');
});

test('a connection whose candidate is gone and whose client does not read is half-closed, and can be ended', async (t) => {
  const { client, candidate, clientLeg, carrier, closed } = await joined(t);
  client.pause();
  let sent = 0;
  while (clientLeg.socket.writableLength === 0) {
    candidate.write(Buffer.alloc(SMALL));
    sent += SMALL;
    await eventually(() => carrier.bytesToClient + clientLeg.unsent === sent, 'it is relayed');
  }
  candidate.end();
  await eventually(() => clientLeg.socket.writableEnded, 'the end has been read');
  candidate.destroy();
  // Answered by RST: nobody is there any more.
  await eventually(() => {
    if (client.writable) client.write('?');
    return carrier.finishedSides === 1;
  }, 'the loss of the candidate is noticed');
  assert.equal(closed.length, 0, 'what is left for the client still waits for it');
  carrier.abort('shutdown');
  await eventually(() => closed.length === 1, 'both sides are closed');
  assert.deepEqual(closed, [['candidate', 'candidate_reset']]);
});

test('KEEPALIVE of less than a second means one second on both sides, not the two hours of the system', async (t) => {
  const server = await startServer(t);
  const { port } = await startService(t, { candidates: [server.address], dialing: { keepAliveMs: 300 } });
  const client = await connectTo(port);
  await server.accepted();
  for (const side of [port, server.port]) {
    await eventually(() => keepAlivesDueMs(side).length === 1, `a keep-alive on port ${side}`);
    assert.ok((keepAlivesDueMs(side)[0] ?? Infinity) <= 1_000);
  }
  client.destroy();
});

/** Two real connections with a relay between them, whose own sockets can be looked at. */
async function joined(t: Parameters<typeof startServer>[0]): Promise<{
  readonly client: Socket;
  readonly candidate: Socket;
  readonly clientLeg: Leg;
  readonly carrier: StreamRelay;
  readonly closed: readonly (readonly [string, string])[];
}> {
  const nobody: LegOwner = { legEnded: () => undefined, legFailed: () => undefined, legClosed: () => undefined };
  const front = await startServer(t, { pauseOnConnect: true, highWaterMark: 16 * 1024 });
  const back = await startServer(t);
  const client = await connectTo(front.port);
  t.after(() => client.destroy());
  const clientLeg = new Leg(await front.accepted(), nobody, true);
  const socket = candidateSocket(true);
  const candidateLeg = new Leg(socket, nobody, true);
  socket.connect(back.port, '127.0.0.1');
  await once(socket, 'connect');
  t.after(() => socket.destroy());
  const closed: [string, string][] = [];
  const carrier = new StreamRelay({
    client: clientLeg,
    candidate: candidateLeg,
    onClosed: (endedBy, reason) => closed.push([endedBy, reason]),
  });
  carrier.start();
  return { client, candidate: await back.accepted(), clientLeg, carrier, closed };
}
