import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { startAttache } from '../support/attache.ts';
import { connectTo, freePort } from '../support/tcp.ts';
import { eventually } from '../support/wait.ts';

for (const [word, request] of [
  ['HTTP_ADDR', 'GET /healthz'],
  ['ADMIN_ADDR', 'POST /reload'],
] as const) {
  test(`promise 40: ${word} bounds headers, bodies, the time they may take and how many come at once`, async (t) => {
    const port = await startWith(t, word);
    const head = `${request} HTTP/1.1\r\nhost: 127.0.0.1\r\n`;
    assert.match(await answerTo(port, `${head}x: ${'y'.repeat(20_000)}`), /^HTTP\/1\.1 431 /);
    assert.match(
      await answerTo(port, `${head}content-length: 2000000\r\n\r\n${'y'.repeat(1_000)}`),
      /^HTTP\/1\.1 413 /,
    );
    const [silent, trickling] = [await connectTo(port), await connectTo(port)];
    trickling.write(`${head}x: `);
    const trickle = setInterval(() => trickling.write('y'), 50);
    t.after(() => clearInterval(trickle));
    const began = performance.now();
    const gone = (socket: Socket) => {
      socket.resume().once('end', () => socket.destroy());
      return eventually(() => socket.closed, 'cut', 20_000);
    };
    await Promise.all([gone(silent), gone(trickling)]);
    assert.ok(performance.now() - began < 10_000);
    const crowd = await Promise.all(Array.from({ length: 160 }, () => connectTo(port)));
    t.after(() => crowd.forEach((socket) => socket.destroy()));
    let refused = 0;
    for (const socket of crowd)
      socket
        .resume()
        .on('end', () => (refused += 1))
        .on('close', () => (refused += 1));
    await eventually(() => refused >= 32, 'at most 128 at once');
    // Not for being silent for too long: then the first would have been the first to go.
    assert.equal(crowd[0]?.readableEnded, false);
    for (const socket of crowd) socket.destroy();
    const isServed = async () => (await answerTo(port, `${head}\r\n`)).startsWith('HTTP/1.1 200 ');
    await eventually(isServed, 'answered again once the crowd has left');
  });
}

async function startWith(t: TestContext, word: 'HTTP_ADDR' | 'ADMIN_ADDR'): Promise<number> {
  const port = await freePort();
  const env = { SRC: '127.0.0.1:0', DST: '127.0.0.1:1', [word]: `127.0.0.1:${port}` };
  await startAttache(t, { env }).line(({ msg }) => msg === 'HTTP server listening');
  return port;
}

/** What comes back for these bytes until the other side hangs up; nothing when it does so at once. */
async function answerTo(port: number, bytes: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.write(bytes);
  return await text(socket).catch(() => '');
}
