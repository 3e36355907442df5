import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { heldBufferBytes } from '../../support/memory.ts';
import { startService } from '../../support/service.ts';
import { Stopwatch } from '../../support/stopwatch.ts';
import { connectTo, readAll, startEcho, startServer } from '../../support/tcp.ts';
import { deferred, eventually } from '../../support/wait.ts';

const MIB = 1024 * 1024;
const sha = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** Writes everything, as fast as the socket takes it. */
async function writeAll(socket: Socket, bytes: Buffer, chunkSize = 100_000): Promise<void> {
  for (let at = 0; at < bytes.length; at += chunkSize) {
    if (!socket.write(bytes.subarray(at, at + chunkSize))) await once(socket, 'drain');
  }
}

/** A client whose candidate's name is not looked up before `answer`. */
async function dialingSlowly(t: TestContext) {
  const server = await startServer(t);
  const { promise: answered, resolve: answer } = deferred<readonly string[]>();
  const { port } = await startService(t, {
    candidates: [{ ...server.address, host: 'slow.test' }],
    dialing: { resolver: { resolve: () => answered } },
  });
  const client = await connectTo(port);
  return { server, answer, client };
}

test('promise 1: bytes the server speaks first arrive unprompted', async (t) => {
  const server = await startServer(t, { onConnection: (socket) => socket.write('+HELLO\r\n') });
  const { port } = await startService(t, { candidates: [server.address] });
  const client = await connectTo(port);
  const [greeting] = (await once(client, 'data')) as [Buffer];
  assert.equal(greeting.toString(), '+HELLO\r\n');
  client.destroy();
});

test('promise 1: bytes sent before the candidate answers are kept and delivered in order', async (t) => {
  const { server, answer, client } = await dialingSlowly(t);
  const sent = randomBytes(3 * MIB);
  const written = writeAll(client, sent).then(() => client.end());
  await eventually(() => client.bytesWritten > MIB, 'the client has sent a good part');
  answer(['127.0.0.1']);
  const { bytes } = await readAll(await server.accepted());
  await written;
  assert.equal(sha(bytes), sha(sent));
  client.destroy();
});

test('promise 1: what a client says bit by bit before the candidate answers keeps its order', async (t) => {
  const { server, answer, client } = await dialingSlowly(t);
  client.setNoDelay(true);
  // Long enough apart to be read one by one; whether they are decides nothing but how much this shows.
  for (const part of ['one ', 'two ', 'three ']) {
    client.write(part);
    await pause(20);
  }
  answer(['127.0.0.1']);
  client.end('four');
  assert.equal((await readAll(await server.accepted())).bytes.toString(), 'one two three four');
  client.destroy();
});

test('promise 2: the end of the client reaches the candidate, whose late reply of 1 MiB arrives whole', async (t) => {
  const server = await startServer(t);
  const { port, closedOne } = await startService(t, { candidates: [server.address] });
  const client = await connectTo(port);
  client.end('question');
  const candidate = await server.accepted();
  const asked = await readAll(candidate);
  assert.deepEqual([asked.bytes.toString(), asked.end], ['question', 'eof']);
  const reply = randomBytes(MIB);
  // Two seconds of silence in the open direction: the promise's own number, nothing is waited for.
  setTimeout(() => candidate.end(reply), 2_000);
  const got = await readAll(client);
  assert.equal(got.end, 'eof');
  assert.equal(sha(got.bytes), sha(reply));
  const { reason, endedBy, bytesToCandidate, bytesToClient } = await closedOne();
  assert.deepEqual([reason, endedBy, bytesToCandidate, bytesToClient], ['finished', 'client', 8, MIB]);
});

test('promise 2: the end of the candidate reaches the client, whose late 1 MiB arrive whole', async (t) => {
  const server = await startServer(t, { onConnection: (socket) => socket.end('bye') });
  const { port, closedOne } = await startService(t, { candidates: [server.address] });
  const client = await connectTo(port);
  const candidate = await server.accepted();
  const reply = readAll(candidate);
  assert.deepEqual(await readAll(client), { bytes: Buffer.from('bye'), end: 'eof' });
  const sent = randomBytes(MIB);
  setTimeout(() => client.end(sent), 2_000);
  assert.equal(sha((await reply).bytes), sha(sent));
  const { reason, endedBy, bytesToCandidate } = await closedOne();
  assert.deepEqual([reason, endedBy, bytesToCandidate], ['finished', 'candidate', MIB]);
});

test('promise 2: a client that ends without a byte still gets the banner', async (t) => {
  const server = await startServer(t, {
    onConnection: (socket) => void once(socket.resume(), 'end').then(() => socket.end('banner')),
  });
  const { port } = await startService(t, { candidates: [server.address] });
  const client = await connectTo(port);
  client.end();
  assert.equal((await readAll(client)).bytes.toString(), 'banner');
});

test('promise 4: a candidate that closes with megabytes queued, a slow client gets every byte', async (t) => {
  const reply = randomBytes(8 * MIB);
  const server = await startServer(t, { onConnection: (socket) => socket.end(reply) });
  const { port, closedOne } = await startService(t, { candidates: [server.address] });
  const client = await connectTo(port);
  const chunks: Buffer[] = [];
  let total = 0;
  client.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    total += chunk.length;
    // Slower than the sender: a pause after every chunk, until the event loop has gone round.
    client.pause();
    setTimeout(() => client.resume(), 1);
  });
  await once(client, 'end');
  assert.equal(total, reply.length);
  assert.equal(sha(Buffer.concat(chunks)), sha(reply));
  client.destroy();
  assert.equal((await closedOne()).reason, 'finished');
});

test('promise 4: a candidate that has closed its socket with megabytes in the kernel, a client that reads late', async (t) => {
  const reply = randomBytes(2 * MIB);
  const server = await startServer(t, {
    onConnection: (socket) => {
      socket.write(reply);
      socket.destroySoon();
    },
  });
  const { port, closedOne } = await startService(t, { candidates: [server.address] });
  const client = await connectTo(port);
  const candidate = await server.accepted();
  await eventually(() => candidate.destroyed, 'the candidate is gone');
  await pause(100);
  const { bytes, end } = await readAll(client);
  assert.deepEqual([sha(bytes), end], [sha(reply), 'eof']);
  client.destroy();
  assert.equal((await closedOne()).reason, 'finished');
});

test('promise 5: 32 MiB each way at once is exact to the hash', async (t) => {
  const server = await startServer(t);
  const { port, closedOne } = await startService(t, { candidates: [server.address] });
  const client = await connectTo(port);
  const up = randomBytes(32 * MIB);
  const down = randomBytes(32 * MIB);
  const candidate = await server.accepted();
  const [atCandidate, atClient] = [readAll(candidate), readAll(client)];
  await Promise.all([
    writeAll(client, up).then(() => client.end()),
    writeAll(candidate, down, 300_000).then(() => candidate.end()),
  ]);
  assert.equal(sha((await atCandidate).bytes), sha(up));
  assert.equal(sha((await atClient).bytes), sha(down));
  const { bytesToCandidate, bytesToClient, reason } = await closedOne();
  assert.deepEqual([bytesToCandidate, bytesToClient, reason], [up.length, down.length, 'finished']);
});

test('promise 5: 50 echoed streams of mixed write sizes at once are exact', async (t) => {
  const server = await startEcho(t);
  const { port } = await startService(t, { candidates: [server.address] });
  await Promise.all(
    Array.from({ length: 50 }, async (_, n) => {
      const client = await connectTo(port);
      const sent = randomBytes(200_000 + n * 1_000);
      const got = readAll(client);
      await writeAll(client, sent, 1 + n * 1_711);
      client.end();
      assert.equal(sha((await got).bytes), sha(sent));
    }),
  );
});

for (const side of ['client', 'candidate'] as const) {
  test(`promise 6: a ${side} that does not read stops its sender, and memory stays under 1 MiB`, async (t) => {
    const server = await startServer(t, { pauseOnConnect: true });
    const { port } = await startService(t, { candidates: [server.address] });
    const client = await connectTo(port);
    client.pause();
    const candidate = await server.accepted();
    const sender = side === 'client' ? candidate : client;
    const block = Buffer.alloc(64 * 1024);
    const before = heldBufferBytes();
    let offered = 0;
    const push = () => {
      while (offered < 256 * MIB && sender.writableLength < 4 * MIB) {
        sender.write(block);
        offered += block.length;
      }
    };
    sender.on('drain', push);
    push();
    // The sender has stopped when nothing of what it queued has left it for half a second.
    let sent = -1;
    let since = performance.now();
    await eventually(() => {
      const now = sender.bytesWritten - sender.writableLength;
      if (now !== sent) [sent, since] = [now, performance.now()];
      return performance.now() - since > 500;
    }, 'the sender stops');
    assert.ok(sent < 64 * MIB, `${sent} bytes were taken`);
    const held = heldBufferBytes() - before;
    assert.ok(held < MIB, `${held} bytes are held`);
    client.destroy();
    candidate.destroy();
  });
}

for (const [side, roles] of [
  ['candidate', (client: Socket, candidate: Socket) => ({ asker: client, answerer: candidate })],
  ['client', (client: Socket, candidate: Socket) => ({ asker: candidate, answerer: client })],
] as const) {
  test(`promise 5: TCP_NODELAY on the side of the ${side}: a message of two writes does not wait for an acknowledgement`, async (t) => {
    const server = await startServer(t, { noDelay: true });
    const { port } = await startService(t, { candidates: [server.address] });
    const client = await connectTo(port);
    client.setNoDelay(true);
    const { asker, answerer } = roles(client, await server.accepted());
    // Answers only whole messages: then nothing but the delayed acknowledgement (40 ms) lets Nagle send the second part.
    let got = 0;
    answerer.on('data', (chunk: Buffer) => {
      got += chunk.length;
      if (got % 2 === 0) answerer.write('!');
    });
    const tookMs: number[] = [];
    for (let round = 0; round < 25; round += 1) {
      const began = new Stopwatch();
      asker.write('a');
      await pause(2);
      asker.write('b');
      await once(asker, 'data');
      tookMs.push(began.ms());
    }
    const median = tookMs.sort((a, b) => a - b)[12] ?? Infinity;
    assert.ok(median < 30, `median of ${median} ms`);
    client.destroy();
  });
}
