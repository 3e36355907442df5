import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { heldBufferBytes } from '../support/memory.ts';
import { startService } from '../support/service.ts';
import { connectTo, readAll, startEcho, startServer } from '../support/tcp.ts';
import { deferred, eventually } from '../support/wait.ts';

const MIB = 1024 * 1024;
const sha = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** Writes everything, as fast as the socket takes it. */
async function writeAll(socket: Socket, bytes: Buffer, chunkSize = 100_000): Promise<void> {
  for (let at = 0; at < bytes.length; at += chunkSize) {
    if (!socket.write(bytes.subarray(at, at + chunkSize))) await once(socket, 'drain');
  }
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
  const server = await startServer(t);
  const { promise: answered, resolve: answer } = deferred<readonly string[]>();
  const { port } = await startService(t, {
    candidates: [{ ...server.address, host: 'slow.test' }],
    dialing: { resolver: { resolve: () => answered } },
  });
  const client = await connectTo(port);
  const sent = randomBytes(3 * MIB);
  const written = writeAll(client, sent).then(() => client.end());
  await eventually(() => client.bytesWritten > MIB, 'the client has sent a good part');
  answer(['127.0.0.1']);
  const { bytes } = await readAll(await server.accepted());
  await written;
  assert.equal(sha(bytes), sha(sent));
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

test('small messages go through at once: Nagle is off on both sides', async (t) => {
  const server = await startEcho(t);
  const { port } = await startService(t, { candidates: [server.address] });
  const client = await connectTo(port);
  const started = performance.now();
  for (let i = 0; i < 200; i += 1) {
    // Two writes a message: with Nagle and delayed ACK each round would take 40 ms.
    client.write('a');
    client.write('b');
    let got = 0;
    while (got < 2) got += ((await once(client, 'data')) as [Buffer])[0].length;
  }
  assert.ok(performance.now() - started < 200 * 40, 'not slowed by delayed acknowledgements');
  client.destroy();
});
