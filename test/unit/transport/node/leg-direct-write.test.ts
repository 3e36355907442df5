import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { suite, test, type TestContext } from 'node:test';
import { acceptDirectly } from '../../../../src/transport/node/direct-accept.ts';
import { directAcceptWorks } from '../../../../src/transport/node/direct-accept-check.ts';
import { writesAsKnown } from '../../../../src/transport/node/direct-write.ts';
import { Leg, type LegOwner } from '../../../../src/transport/node/leg.ts';

/** Newer Nodes write in another way: there a leg keeps the same promises by the stream of its socket. */
const isDirect = (await directAcceptWorks()) && writesAsKnown();

/** More than two sockets of the loopback ever hold between them. */
const MORE_THAN_FITS = 64 * 1024 * 1024;

class Watcher implements LegOwner {
  readonly failures: string[] = [];
  readonly ended: Promise<void>;
  readonly closed: Promise<void>;
  #end: () => void = () => undefined;
  #close: () => void = () => undefined;

  constructor() {
    this.ended = new Promise((resolve) => (this.#end = resolve));
    this.closed = new Promise((resolve) => (this.#close = resolve));
  }

  legEnded(): void {
    this.#end();
  }

  legFailed(_leg: Leg, error: NodeJS.ErrnoException): void {
    this.failures.push(error.code ?? error.message);
  }

  legClosed(): void {
    this.#close();
  }
}

interface Pair {
  /** Joined with `target`; the test hands bytes to it itself. */
  readonly source: Leg;
  readonly target: Leg;
  readonly targetEvents: Watcher;
  /** The far end of `target`, which does not read. */
  readonly far: Socket;
}

/** Two joined legs whose small writes go past the streams of their sockets. */
async function pair(t: TestContext): Promise<Pair> {
  assert.equal(await directAcceptWorks(), true);
  const server = createServer();
  t.after(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const waiting: ((socket: Socket) => void)[] = [];
  assert.ok(acceptDirectly(server, { keepAliveDelayMs: 0, onConnection: (socket) => waiting.shift()?.(socket) }));
  const { port } = server.address() as AddressInfo;
  const opened = async () => {
    const accepted = new Promise<Socket>((resolve) => waiting.push(resolve));
    const far = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    far.pause();
    t.after(() => far.destroy());
    const near = await accepted;
    t.after(() => near.destroy());
    return { near, far };
  };
  const [one, other] = [await opened(), await opened()];
  const targetEvents = new Watcher();
  const source = new Leg(one.near, new Watcher(), true);
  const target = new Leg(other.near, targetEvents, true);
  source.join(target);
  return { source, target, targetEvents, far: other.far };
}

/** Until the kernel takes no more. */
function fill(source: Leg): Buffer {
  const bytes = Buffer.alloc(MORE_THAN_FITS, 'abcdefghijklmnopq');
  assert.equal(source.deliver(bytes), false);
  return bytes;
}

function handleOf({ socket }: Leg): object {
  return (socket as unknown as { readonly _handle: object })._handle;
}

/** When `source` is read again. */
function resumedOf(source: Leg): Promise<void> {
  return new Promise((resolve) => {
    source.socket.resume = () => {
      resolve();
      return source.socket;
    };
  });
}

async function readAll(far: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of far) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

suite(`a leg that is written to ${isDirect ? 'past' : 'by'} its stream`, { timeout: 30_000 }, () => {
  test('its stream is passed by where Node writes as known, and nowhere else', async (t) => {
    const { source, target, far } = await pair(t);
    let streamed = 0;
    const { socket } = target;
    const write = Reflect.get(socket, 'write');
    t.mock.method(socket, 'write', function (this: Socket, chunk: Buffer) {
      streamed += 1;
      return Reflect.apply(write, this, [chunk]);
    });
    source.deliver(Buffer.from('some'));
    target.finish();
    assert.equal((await readAll(far)).toString(), 'some');
    assert.equal(streamed, isDirect ? 0 : 1);
  });

  test('what the kernel has not taken counts as unsent, and as nothing once it has', async (t) => {
    const { source, target, far } = await pair(t);
    source.deliver(Buffer.from('first'));
    assert.equal(target.unsent, 0);
    const bytes = fill(source);
    assert.equal(target.unsent, bytes.length);
    const resumed = resumedOf(source);
    far.resume();
    await resumed;
    assert.equal(target.unsent, 0);
    assert.equal(source.waitsForPeer, false);
  });

  test('bytes keep their order when some of them wait', async (t) => {
    const { source, target, far } = await pair(t);
    source.deliver(Buffer.from('first'));
    const bytes = fill(source);
    source.deliver(Buffer.from('behind'));
    source.deliver(Buffer.from('last'));
    assert.equal(target.unsent, bytes.length + 'behindlast'.length);
    target.finish();
    assert.deepEqual(await readAll(far), Buffer.concat([Buffer.from('first'), bytes, Buffer.from('behindlast')]));
  });

  test('bytes keep their order when what waited past the stream is gone and the stream still holds some', async (t) => {
    const { source, target, far } = await pair(t);
    const resumed = resumedOf(source);
    const bytes = fill(source);
    const [second, third, fourth] = [Buffer.alloc(MORE_THAN_FITS, '2'), Buffer.from('third'), Buffer.from('fourth')];
    source.deliver(second);
    source.deliver(third);
    const received: Buffer[] = [];
    far.on('data', (chunk) => received.push(chunk)).resume();
    await resumed;
    far.pause();
    assert.equal(target.unsent, isDirect ? second.length + third.length : 0);
    source.deliver(fourth);
    target.finish();
    far.resume();
    await once(far, 'end');
    assert.deepEqual(Buffer.concat(received), Buffer.concat([bytes, second, third, fourth]));
  });

  test('two of them wait without knowing of each other, although their queues say that nothing does', async (t) => {
    const [one, other] = [await pair(t), await pair(t)];
    // As when the kernel takes the rest at once, at libuv's second try: the write is under way all the same.
    for (const { target } of [one, other]) Object.defineProperty(handleOf(target), 'writeQueueSize', { value: 0 });
    const resumed = resumedOf(one.source);
    const bytes = fill(one.source);
    fill(other.source);
    one.far.resume();
    await resumed;
    assert.equal(one.target.unsent, 0);
    assert.equal(other.target.unsent, bytes.length);
  });

  for (const way of ['finish', 'closeSoon'] as const) {
    test(`${way} comes behind what waits`, async (t) => {
      const { source, target, targetEvents, far } = await pair(t);
      const bytes = fill(source);
      target[way]();
      assert.equal((await readAll(far)).length, bytes.length);
      if (way === 'closeSoon') await targetEvents.closed;
      else assert.equal(target.closed, false);
      assert.deepEqual(targetEvents.failures, []);
    });

    test(`a reset after ${way} ends a socket whose bytes are stuck, and is seen as one`, async (t) => {
      const { source, target, targetEvents, far } = await pair(t);
      fill(source);
      target[way]();
      const failed = once(far, 'error');
      target.reset();
      await targetEvents.closed;
      assert.equal(target.socket.destroyed, true);
      far.resume();
      const [error] = (await failed) as [NodeJS.ErrnoException];
      assert.equal(error.code, 'ECONNRESET');
    });
  }

  for (const stuck of [false, true]) {
    const what = stuck ? 'bytes that wait' : 'the last bytes';
    test(`a leg whose sender has finished is closed behind ${what}, by an end and not by a reset`, async (t) => {
      const { source, target, targetEvents, far } = await pair(t);
      target.flow();
      far.end('request');
      await targetEvents.ended;
      const answer = stuck ? fill(source) : Buffer.from('answer');
      if (!stuck) source.deliver(answer);
      target.finish();
      assert.equal(target.socket.destroyed, !stuck);
      assert.deepEqual(await readAll(far), answer);
      await targetEvents.closed;
      assert.deepEqual(targetEvents.failures, []);
    });
  }

  test('a far end that resets while bytes wait is told as a failed write, and closes the leg', async (t) => {
    const { source, targetEvents, far } = await pair(t);
    fill(source);
    far.resetAndDestroy();
    await targetEvents.closed;
    assert.equal(targetEvents.failures.length, 1);
    assert.match(targetEvents.failures[0] ?? '', /^(ECONNRESET|EPIPE)$/);
  });

  for (const way of ['at once', 'while it is under way', 'after it has gone'] as const) {
    test(`a reset behind a FIN, ${way}, closes the socket`, async (t) => {
      const { target, targetEvents } = await pair(t);
      target.finish();
      // Node shuts the socket down a tick later; libuv tells of it in the next turn of the event loop.
      if (way === 'while it is under way') await new Promise<void>((resolve) => process.nextTick(resolve));
      if (way === 'after it has gone') await once(target.socket, 'finish');
      target.reset();
      await targetEvents.closed;
      assert.deepEqual(targetEvents.failures, []);
    });
  }

  for (const way of ['finish', 'closeSoon'] as const) {
    test(`a refused write is told although ${way} comes before it is`, async (t) => {
      const { source, target, targetEvents, far } = await pair(t);
      target.flow();
      far.resetAndDestroy();
      await once(far, 'close');
      source.deliver(Buffer.from('x'));
      assert.equal(target.writes, isDirect ? 'refused' : 'open');
      target[way]();
      await targetEvents.closed;
      assert.equal(targetEvents.failures.length, 1);
      assert.equal(target.ended, false);
    });
  }

  test('a write that the kernel refuses at once closes the leg with its error', async (t) => {
    const { source, target, targetEvents, far } = await pair(t);
    // The first write to a reset socket takes the error, before the event loop has seen it.
    far.resetAndDestroy();
    await once(far, 'close');
    source.deliver(Buffer.from('x'));
    await targetEvents.closed;
    assert.equal(target.socket.destroyed, true);
    assert.deepEqual(targetEvents.failures.length, 1);
    assert.match(targetEvents.failures[0] ?? '', /^(ECONNRESET|EPIPE)$/);
  });
});
