import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { suite, test, type TestContext } from 'node:test';
import { acceptDirectly } from '../../../../src/transport/node/direct-accept.ts';
import { directAcceptWorks, missingInNode } from '../../../../src/transport/node/direct-accept-check.ts';
import { writesAsKnown } from '../../../../src/transport/node/direct-write.ts';
import { readerOf } from '../../../../src/transport/node/socket-reader.ts';

type Accept = (error: number, client: unknown, ...rest: unknown[]) => void;

async function listening(t: TestContext): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer();
  t.after(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

suite('accepting directly', { timeout: 10_000 }, () => {
  test('works on the Node that runs this, and writing directly on those that write as known', async () => {
    assert.equal(await directAcceptWorks(), true);
    const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
    const writesInAnotherWay = (major === 24 && minor >= 22) || (major === 26 && minor >= 10) || major > 26;
    assert.equal(writesAsKnown(), !writesInAnotherWay);
    assert.equal(await missingInNode(), writesInAnotherWay ? 'cannot be written to directly' : undefined);
  });

  test('a client whose handle is of no use is given the usual way, and so is every one behind it', async (t) => {
    const { server } = await listening(t);
    const { _handle: handle } = server as unknown as { readonly _handle: { onconnection: Accept } };
    const usual: unknown[][] = [];
    handle.onconnection = (...args) => usual.push(args);
    assert.ok(acceptDirectly(server, { keepAliveDelayMs: 0, onConnection: () => assert.fail('it is no socket') }));
    const client = {
      readStart: () => {
        throw new Error('of no use');
      },
      get reading() {
        throw new Error('of no use');
      },
    };
    Object.freeze(client);
    handle.onconnection(0, client, 'more');
    handle.onconnection(0, client);
    assert.deepEqual(
      usual.map((args) => args.length),
      [3, 2],
    );
  });

  test('a handle that can be asked nothing, or does not keep what it is given, is left alone', () => {
    const options = { keepAliveDelayMs: 0, onConnection: () => assert.fail('nothing is accepted') };
    const broken = () => {
      throw new Error('not so');
    };
    for (const _handle of [
      Object.defineProperty({}, 'onconnection', { get: broken }),
      Object.defineProperty({}, 'onconnection', { get: () => () => undefined, set: broken }),
      Object.defineProperty({}, 'onconnection', { get: () => () => undefined, set: () => undefined }),
      Object.freeze({ onconnection: () => undefined }),
    ]) {
      assert.equal(acceptDirectly({ _handle } as unknown as Server, options), false);
    }
  });

  test('gives sockets that read into buffers of ours, half-open and not reading', async (t) => {
    const { server, port } = await listening(t);
    const usual: Socket[] = [];
    server.on('connection', (socket) => usual.push(socket));
    const accepted = new Promise<Socket>((resolve) => {
      assert.ok(acceptDirectly(server, { keepAliveDelayMs: 1_000, onConnection: resolve }));
    });
    const client = connect(port, '127.0.0.1');
    t.after(() => client.destroy());
    client.end('x');
    const socket = await accepted;
    t.after(() => socket.destroy());
    assert.ok(readerOf(socket));
    assert.equal(socket.allowHalfOpen, true);
    assert.equal(socket.bytesRead, 0);
    assert.equal(socket.remotePort, client.localPort);
    assert.deepEqual(usual, []);
  });

  test('a server that does not listen, or is not as known, is left alone', async (t) => {
    const options = { keepAliveDelayMs: 0, onConnection: () => assert.fail('nothing is accepted') };
    assert.equal(acceptDirectly(createServer(), options), false);
    const { server, port } = await listening(t);
    const strange = { _handle: { onconnection: 'no function' } } as unknown as Server;
    assert.equal(acceptDirectly(strange, options), false);
    const client = connect(port, '127.0.0.1');
    t.after(() => client.destroy());
    const [socket] = (await once(server, 'connection')) as [Socket];
    socket.destroy();
  });

  test('an error of accept is told as ever', async (t) => {
    const { server } = await listening(t);
    acceptDirectly(server, { keepAliveDelayMs: 0, onConnection: () => undefined });
    const { _handle: handle } = server as unknown as { readonly _handle: { onconnection(error: number): void } };
    const told = once(server, 'error');
    const EMFILE = -24;
    handle.onconnection(EMFILE);
    const [error] = (await told) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'EMFILE');
  });
});
