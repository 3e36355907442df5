import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { startAttache } from '../../support/attache.ts';
import { Stopwatch } from '../../support/stopwatch.ts';
import { connectTo, freePort } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

for (const [setting, request] of [
  ['HTTP_ADDR', 'GET /healthz'],
  ['ADMIN_ADDR', 'POST /reload'],
] as const) {
  test(`promise 40: ${setting} bounds headers, bodies, the time they may take and how many come at once`, async (t) => {
    const port = await startWith(t, setting);
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
    const began = new Stopwatch();
    const gone = (socket: Socket) => {
      socket.resume().once('end', () => socket.destroy());
      return eventually(() => socket.closed, 'cut', 20_000);
    };
    await Promise.all([gone(silent), gone(trickling)]);
    assert.ok(began.ms() < 10_000);
    const isServed = async () => (await answerTo(port, `${head}\r\n`)).startsWith('HTTP/1.1 200 ');
    const crowd: Socket[] = [];
    for (let i = 0; i < 160; i += 1) crowd.push((await connectTo(port)).resume());
    t.after(() => crowd.forEach((socket) => socket.destroy()));
    await eventually(() => crowd.slice(0, 64).every((socket) => socket.readableEnded), 'at most 96 silent at once');
    // Not for being silent for too long: the others would be gone with them.
    assert.equal(crowd.at(-1)?.readableEnded, false);
    assert.ok(await isServed(), 'answered beside the crowd');
  });
}

async function startWith(t: TestContext, setting: 'HTTP_ADDR' | 'ADMIN_ADDR'): Promise<number> {
  const port = await freePort();
  const env = { SRC: '127.0.0.1:0', DST: '127.0.0.1:1', [setting]: `127.0.0.1:${port}` };
  await startAttache(t, { env }).line(({ msg }) => msg === 'HTTP server listening');
  return port;
}

/** What comes back for these bytes until the other side hangs up; nothing when it does so at once. */
async function answerTo(port: number, bytes: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.write(bytes);
  return await text(socket).catch(() => '');
}
