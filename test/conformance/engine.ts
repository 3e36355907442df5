import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import type { Engine } from '../../src/transport/engine.ts';
import { createAuthority } from '../support/certificates.ts';
import { connectTo, freePort, readAll, startBlackHole, startEcho, startServer } from '../support/tcp.ts';
import { accepting, connectTls, dialingTls, openTls, pemOf, startTlsServer } from '../support/tls-service.ts';
import { eventually } from '../support/wait.ts';
import type { ProxyEnds } from '../../src/core/proxy-header.ts';
import { HeardDial, HeardHandshake, Lab, type Carried, type HeardClient } from './lab.ts';

const LIMIT = { timeout: 60_000 };
const MIB = 1024 * 1024;

/**
 * What every engine owes to `proxy`: the contract of `src/transport/engine.ts`, said with real sockets.
 *
 * @param name of the engine, for the report
 * @param engineOf an engine; may give the same one to all tests
 */
export function engineConforms(name: string, engineOf: () => Engine): void {
  const check = (title: string, run: (lab: Lab, t: TestContext) => Promise<void>): void => {
    void test(title, LIMIT, (t) => run(new Lab(t, engineOf()), t));
  };

  void describe(`${name}: listener`, () => {
    check('port 0 becomes the port that is listened on, and a client tells both ends', async (lab) => {
      const front = await lab.listen();
      assert.notEqual(front.port, 0);
      const socket = await connectTo(front.port);
      const { client } = await front.client();
      assert.equal(client.name, `127.0.0.1:${socket.localPort ?? 0}`);
      assert.deepEqual(client.ends, {
        source: { ip: '127.0.0.1', port: socket.localPort },
        destination: { ip: '127.0.0.1', port: front.port },
      });
      socket.destroy();
    });

    check('close refuses new clients and leaves the others; it may be opened again', async (lab) => {
      const front = await lab.listen();
      const { port } = front;
      const first = await connectTo(port);
      const { client } = await front.client();
      front.listener.close();
      assert.equal(front.listener.address, undefined);
      await eventually(() => refuses(port), 'new clients are refused');
      assert.equal(client.closed, false);
      front.listener.open();
      await eventually(() => front.listener.address !== undefined, 'it listens again');
      const second = await connectTo(front.port);
      await front.client(2);
      first.destroy();
      second.destroy();
    });

    check('an address that is taken is told by errno and tried again until it is free', async (lab, t) => {
      const holder = await startServer(t);
      const front = lab.open({}, { kind: 'tcp', host: '127.0.0.1', port: holder.port });
      await eventually(() => front.failures.length > 0, 'it has told of the failure');
      assert.equal(front.failures[0], 'EADDRINUSE');
      assert.equal(front.listener.address, undefined);
      await holder.stop();
      await eventually(() => front.listener.address !== undefined, 'it listens');
      (await connectTo(holder.port)).destroy();
      await front.client();
    });

    check('a client over a Unix socket has a name and no ends', async (lab, t) => {
      const folder = await mkdtemp(join(tmpdir(), 'attache-engine-'));
      t.after(() => rm(folder, { recursive: true, force: true }));
      const path = join(folder, 'app.sock');
      const front = await lab.listen({}, { kind: 'unix', path });
      const socket = connect(path);
      await once(socket, 'connect');
      const { client } = await front.client();
      assert.deepEqual([client.name, client.ends], ['unix', undefined]);
      socket.destroy();
    });
  });

  void describe(`${name}: client`, () => {
    check('its end behind bytes is told once, and the bytes are counted as early ones', async (lab) => {
      const front = await lab.listen();
      const socket = await connectTo(front.port);
      const heard = await front.client();
      heard.client.collect();
      socket.end('hello');
      await eventually(() => heard.told.includes('ended'), 'the end is told');
      assert.equal(heard.client.earlyBytes, 5);
      assert.deepEqual(heard.told, ['ended']);
      heard.client.destroy();
      await eventually(() => heard.told.includes('closed'), 'the close is told');
      assert.deepEqual(heard.told, ['ended', 'closed']);
      socket.destroy();
    });

    check('what it sends before it is carried is kept within bounds', async (lab) => {
      const front = await lab.listen();
      const socket = await connectTo(front.port);
      const { client } = await front.client();
      client.collect();
      socket.write(Buffer.alloc(32 * MIB));
      await eventually(() => client.earlyBytes > 0, 'something has come');
      await stays(() => client.earlyBytes);
      assert.ok(client.earlyBytes <= MIB, `${client.earlyBytes} bytes are kept`);
      socket.destroy();
    });

    check('its reset is told by errno, then its close, once', async (lab) => {
      const front = await lab.listen();
      const socket = await connectTo(front.port);
      const heard = await front.client();
      heard.client.collect();
      socket.resetAndDestroy();
      await eventually(() => heard.told.includes('closed'), 'the close is told');
      assert.deepEqual(heard.told, ['failed ECONNRESET', 'closed']);
      assert.equal(heard.client.closed, true);
      heard.client.destroy();
      heard.client.reset();
      assert.deepEqual(heard.told, ['failed ECONNRESET', 'closed']);
    });

    check('reset is seen as one, destroy as an end; each is told closed once', async (lab) => {
      const front = await lab.listen();
      for (const [n, how, end] of [
        [1, 'reset', 'reset'],
        [2, 'destroy', 'eof'],
      ] as const) {
        const socket = await connectTo(front.port);
        const heard = await front.client(n);
        heard.client[how]();
        assert.equal((await readAll(socket)).end, end);
        await eventually(() => heard.told.includes('closed'), 'the close is told');
        assert.deepEqual(heard.told, ['closed']);
        socket.destroy();
      }
    });

    check('a probe notices a reset behind bytes that are not read', async (lab) => {
      const front = await lab.listen();
      const socket = await connectTo(front.port);
      const heard = await front.client();
      heard.client.collect();
      socket.write(Buffer.alloc(8 * MIB));
      await eventually(() => heard.client.earlyBytes > 0, 'something has come');
      await stays(() => heard.client.earlyBytes);
      socket.resetAndDestroy();
      await eventually(() => {
        heard.client.probe();
        return heard.told.includes('closed');
      }, 'the reset is noticed');
      assert.equal(heard.told.filter((word) => word === 'closed').length, 1);
    });
  });

  void describe(`${name}: handshake`, () => {
    check('a PROXY header is told before the answer, and what follows it is carried', async (lab, t) => {
      const echo = await startEcho(t);
      const front = await lab.listen({ proxyHeader: true });
      const socket = await connectTo(front.port);
      const { client } = await front.client();
      const heard = new HeardHandshake();
      client.handshake(heard).start();
      socket.write('PROXY TCP4 192.0.2.7 192.0.2.1 41002 6379\r\nhello');
      await eventually(() => heard.answers.length > 0, 'it is answered');
      assert.deepEqual(heard.answers, ['accepted']);
      assert.equal(heard.headers, 1);
      assert.deepEqual(heard.ends?.source, { ip: '192.0.2.7', port: 41002 });
      assert.equal(heard.tls, undefined);
      lab.carry(client, await lab.dial(echo.address).reached());
      socket.end();
      assert.equal((await readAll(socket)).bytes.toString(), 'hello');
    });

    check('a wrong header, a late one and one that is cut are rejected, each by its name', async (lab) => {
      const front = await lab.listen({ proxyHeader: true, timeoutMs: 200 });
      const rejections: unknown[] = [];
      for (const [n, act] of [
        (socket: Socket) => void socket.write('GET / HTTP/1.1\r\n\r\n'),
        () => undefined,
        (socket: Socket) => void socket.end('PROXY TC'),
      ].entries()) {
        const socket = await connectTo(front.port);
        const { client } = await front.client(n + 1);
        const heard = new HeardHandshake();
        client.handshake(heard).start();
        act(socket);
        await eventually(() => heard.answers.length > 0, 'it is answered');
        assert.deepEqual(heard.answers, ['rejected']);
        rejections.push(heard.rejection);
        client.destroy();
        socket.destroy();
      }
      assert.deepEqual(rejections, [
        { kind: 'header', code: 'NO_HEADER' },
        { kind: 'header', code: 'TIMEOUT' },
        { kind: 'gone' },
      ]);
    });

    check('one that was aborted answers nothing, and the client is still to be closed', async (lab) => {
      const front = await lab.listen({ proxyHeader: true, timeoutMs: 100 });
      const socket = await connectTo(front.port);
      const heardClient = await front.client();
      const heard = new HeardHandshake();
      const handshake = heardClient.client.handshake(heard);
      handshake.start();
      assert.equal(handshake.phase, 'header');
      handshake.abort();
      assert.equal(handshake.phase, 'over');
      // A second one answers after the time of the first is over.
      const later = await connectTo(front.port);
      const answered = new HeardHandshake();
      (await front.client(2)).client.handshake(answered).start();
      await eventually(() => answered.answers.length > 0, 'the second has timed out');
      assert.deepEqual(heard.answers, []);
      assert.equal(heardClient.client.closed, false);
      heardClient.client.destroy();
      await eventually(() => heardClient.told.includes('closed'), 'the close is told');
      socket.destroy();
      later.destroy();
    });

    check('TLS: a peer is accepted by name, one without a certificate is rejected before anything', async (lab, t) => {
      const authority = await createAuthority(t);
      const identity = await authority.issue('sidecar', ['DNS:localhost']);
      const own = await authority.issue('web', ['DNS:web.internal']);
      const { caPath } = authority;
      const front = await lab.listen({ tls: accepting({ caPath, identity }) });
      const good = openTls(front.port, pemOf({ caPath, identity: own }));
      const heard = new HeardHandshake();
      (await front.client()).client.handshake(heard).start();
      await eventually(() => heard.answers.length > 0, 'it is answered');
      assert.deepEqual([heard.answers, heard.tls?.name], [['accepted'], 'web.internal']);
      const bad = openTls(front.port, pemOf({ caPath }));
      const refused = new HeardHandshake();
      const second = await front.client(2);
      second.client.handshake(refused).start();
      await eventually(() => refused.answers.length > 0, 'it is answered');
      assert.deepEqual(refused.answers, ['rejected']);
      assert.ok(refused.rejection?.kind === 'tls');
      assert.equal(refused.rejection.failure.kind, 'peer');
      good.destroy();
      bad.destroy();
    });

    check('TLS: bytes are carried both ways and each end is passed on', async (lab, t) => {
      const authority = await createAuthority(t);
      const { caPath } = authority;
      const identity = await authority.issue('sidecar', ['DNS:localhost']);
      const own = pemOf({ caPath, identity: await authority.issue('web', ['DNS:web.internal']) });
      const front = await lab.listen({ tls: accepting({ caPath, identity }) });
      const server = await startTlsServer(t, pemOf({ caPath, identity }));
      const connecting = connectTls(front.port, own);
      const { client } = await front.client();
      const heard = new HeardHandshake();
      client.handshake(heard).start();
      await eventually(() => heard.answers.length > 0, 'it is answered');
      const { address } = server;
      const dial = lab.dial(address, { tls: dialingTls({ caPath, identity }) });
      const { closed } = lab.carry(client, await dial.reached());
      const socket = await connecting;
      const sent = randomBytes(3 * MIB);
      socket.end(sent);
      const { bytes, end } = await readAll(socket);
      assert.ok(bytes.equals(sent));
      assert.equal(end, 'eof');
      socket.destroy();
      await eventually(() => closed.length > 0, 'it is closed');
      assert.equal(closed[0]?.[1], 'finished');
    });
  });

  void describe(`${name}: dial`, () => {
    check('a candidate that listens is reached, once', async (lab, t) => {
      const server = await startServer(t);
      const dial = lab.dial(server.address);
      const candidate = await dial.reached();
      assert.deepEqual(dial.answers, ['ok']);
      assert.equal(candidate.tls, undefined);
      const socket = await server.accepted();
      candidate.destroy();
      assert.equal((await readAll(socket)).end, 'eof');
      assert.deepEqual(dial.answers, ['ok']);
    });

    check('one that does not listen is told by errno, one that never answers as TIMEOUT in time', async (lab, t) => {
      const refused = lab.dial({ kind: 'tcp', host: '127.0.0.1', port: await freePort() });
      await eventually(() => refused.answers.length > 0, 'it is answered');
      assert.deepEqual(refused.answers, ['ECONNREFUSED connect']);
      const hole = await startBlackHole(t);
      const since = performance.now();
      const silent = lab.dial(hole, { connectTimeoutMs: 300 });
      await eventually(() => silent.answers.length > 0, 'it is answered');
      assert.deepEqual(silent.answers, ['TIMEOUT connect']);
      assert.ok(performance.now() - since >= 290, 'not before its time');
    });

    check('one that was aborted answers nothing, and its connection is closed', async (lab, t) => {
      const server = await startServer(t);
      const hole = lab.dial(await startBlackHole(t), { connectTimeoutMs: 100 });
      hole.abort();
      const dial = lab.dial(server.address);
      dial.abort();
      // What is dialed later is answered: by then the aborted ones would have been.
      await lab.dial(server.address).reached();
      const late = lab.dial({ kind: 'tcp', host: '127.0.0.1', port: await freePort() });
      await eventually(() => late.answers.length > 0, 'a later one is answered');
      await eventually(() => server.sockets.filter((socket) => !socket.destroyed).length <= 2, 'nothing is left over');
      assert.deepEqual([hole.answers, dial.answers], [[], []]);
    });

    check('all addresses of a name are tried within the one time-out', async (lab, t) => {
      const server = await startServer(t, { host: '127.0.0.2' });
      const resolver = { resolve: () => Promise.resolve(['127.0.0.3', '127.0.0.2']) };
      const dial = lab.dial({ kind: 'tcp', host: 'candidate.test', port: server.port }, { resolver });
      await dial.reached();
      assert.deepEqual(dial.answers, ['ok']);
    });

    check('an address that the policy does not permit is never dialed', async (lab, t) => {
      const server = await startServer(t);
      const resolver = { resolve: () => Promise.resolve(['127.0.0.1']) };
      const policy = { permits: () => false, refusal: () => 'outside of the test' };
      const dial = lab.dial({ kind: 'tcp', host: 'candidate.test', port: server.port }, { resolver, policy });
      await eventually(() => dial.answers.length > 0, 'it is answered');
      assert.deepEqual(dial.answers, ['NOT_ALLOWED connect']);
      assert.equal(server.sockets.length, 0);
    });

    check('one that is a listener of ours is told with our address, before the listener accepts it', async (lab, t) => {
      const told: unknown[] = [];
      const front = await lab.listen({}, undefined, (client) => told.push(client.ends?.source));
      const owner = Object.assign(new HeardDial(), { dialsHome: ({ source }: ProxyEnds) => told.push(source) });
      const settings = lab.dialSettings({ own: { has: (_ip, port) => port === front.port } });
      const dial = lab.engine.dial({ kind: 'tcp', host: '127.0.0.1', port: front.port }, settings, owner);
      dial.start();
      t.after(() => dial.abort());
      const candidate = await owner.reached();
      await front.client();
      const [dialed, accepted] = told;
      assert.notEqual(dialed, undefined);
      assert.deepEqual(dialed, accepted);
      candidate.destroy();
    });

    check('a candidate is sent the preface before anything else', async (lab, t) => {
      const server = await startServer(t);
      const front = await lab.listen();
      const socket = await connectTo(front.port);
      const { client } = await front.client();
      client.collect();
      socket.end('hello');
      const dial = lab.dial(server.address, {}, Buffer.from('PREFACE '));
      lab.carry(client, await dial.reached());
      assert.equal((await readAll(await server.accepted())).bytes.toString(), 'PREFACE hello');
      socket.destroy();
    });

    check(
      'TLS: a candidate with another name is refused in the handshake, one with its own is named',
      async (lab, t) => {
        const authority = await createAuthority(t);
        const { caPath } = authority;
        const identity = await authority.issue('server', ['DNS:localhost']);
        const server = await startTlsServer(t, pemOf({ caPath, identity }));
        const wrong = lab.dial(server.address, {
          tls: dialingTls({ caPath, identity }, { serverName: 'other.internal' }),
        });
        await eventually(() => wrong.answers.length > 0, 'it is answered');
        assert.deepEqual(wrong.answers, ['ERR_TLS_CERT_ALTNAME_INVALID handshake']);
        const right = await lab.dial(server.address, { tls: dialingTls({ caPath, identity }) }).reached();
        assert.equal(right.tls?.name, 'localhost');
      },
    );
  });

  void describe(`${name}: relay`, () => {
    check('bytes go both ways whole, are counted, and each end ends its direction alone', async (lab, t) => {
      const { socket, backend, carried } = await pair(lab, t);
      const up = randomBytes(2 * MIB);
      const down = randomBytes(3 * MIB);
      socket.end(up);
      assert.ok((await readAll(backend)).bytes.equals(up));
      await eventually(() => carried.relay.finishedSides === 1, 'one side is finished');
      assert.deepEqual(carried.closed, []);
      assert.equal(carried.relay.needsWatch, true);
      backend.end(down);
      const heard = await readAll(socket);
      assert.ok(heard.bytes.equals(down));
      assert.equal(heard.end, 'eof');
      await eventually(() => carried.closed.length > 0, 'it is closed');
      assert.deepEqual(carried.closed, [['client', 'finished']]);
      assert.deepEqual([carried.relay.bytesToCandidate, carried.relay.bytesToClient], [up.length, down.length]);
    });

    check('what came before the relay began is delivered first, in order', async (lab, t) => {
      const server = await startServer(t);
      const front = await lab.listen();
      const socket = await connectTo(front.port);
      const { client } = await front.client();
      client.collect();
      socket.write('one ');
      await eventually(() => client.earlyBytes === 4, 'the first bytes are there');
      const candidate = await lab.dial(server.address).reached();
      socket.write('two ');
      lab.carry(client, candidate);
      socket.end('three');
      assert.equal((await readAll(await server.accepted())).bytes.toString(), 'one two three');
      socket.destroy();
    });

    check('a reset by either side resets the other behind the bytes before it', async (lab, t) => {
      const first = await pair(lab, t);
      first.backend.write('last words', () => first.backend.resetAndDestroy());
      const heard = await readAll(first.socket);
      assert.equal(heard.end, 'reset');
      await eventually(() => first.carried.closed.length > 0, 'it is closed');
      assert.deepEqual(first.carried.closed, [['candidate', 'candidate_reset']]);
      const second = await pair(lab, t);
      const ended = readAll(second.backend);
      second.socket.resetAndDestroy();
      assert.equal((await ended).end, 'reset');
      await eventually(() => second.carried.closed.length > 0, 'it is closed');
      assert.deepEqual(second.carried.closed, [['client', 'client_reset']]);
    });

    check('abort resets both sides with its reason, once; the first reason stays', async (lab, t) => {
      const { socket, backend, carried } = await pair(lab, t);
      const ends = Promise.all([readAll(socket), readAll(backend)]);
      carried.relay.abort('membership_changed');
      carried.relay.abort('shutdown');
      assert.deepEqual(
        (await ends).map(({ end }) => end),
        ['reset', 'reset'],
      );
      await eventually(() => carried.closed.length > 0, 'it is closed');
      assert.deepEqual(carried.closed, [['attache', 'membership_changed']]);
    });

    check('a gentle abort ends an idle connection by FIN', async (lab, t) => {
      const { socket, backend, carried } = await pair(lab, t);
      const ends = Promise.all([readAll(socket), readAll(backend)]);
      carried.relay.abort('idle_timeout', true);
      assert.deepEqual(
        (await ends).map(({ end }) => end),
        ['eof', 'eof'],
      );
      await eventually(() => carried.closed.length > 0, 'it is closed');
      assert.deepEqual(carried.closed, [['attache', 'idle_timeout']]);
    });

    check('a client that does not read stops its candidate, and gets every byte later', async (lab, t) => {
      const { socket, backend, carried } = await pair(lab, t);
      socket.pause();
      const sent = randomBytes(48 * MIB);
      backend.end(sent);
      await eventually(() => carried.relay.bytesToClient > 0, 'something has come');
      await stays(() => carried.relay.bytesToClient);
      assert.ok(carried.relay.bytesToClient < sent.length, 'not all of it has been taken');
      assert.equal(carried.relay.needsWatch, true);
      const whole = readAll(socket);
      socket.resume();
      assert.ok((await whole).bytes.equals(sent));
    });

    check('when the last byte came is told', async (lab, t) => {
      const { socket, backend, carried } = await pair(lab, t);
      const begun = carried.relay.movedAt;
      assert.ok(begun <= performance.now());
      socket.write('x');
      await once(backend, 'data');
      await eventually(() => carried.relay.movedAt > begun, 'the byte is told');
    });

    check('a side of another engine is refused', async (lab, t) => {
      const server = await startServer(t);
      const front = await lab.listen();
      const socket = await connectTo(front.port);
      const { client } = await front.client();
      const candidate = await lab.dial(server.address).reached();
      const stranger = { tls: undefined, destroy: () => undefined, reset: () => undefined };
      const onClosed = () => undefined;
      assert.throws(() => lab.engine.relay({ client, candidate: stranger, onClosed }), TypeError);
      candidate.destroy();
      socket.destroy();
    });
  });
}

interface Pair {
  readonly socket: Socket;
  readonly backend: Socket;
  readonly heard: HeardClient;
  readonly carried: Carried;
}

/** A client, a backend, and a relay between the two. */
async function pair(lab: Lab, t: TestContext): Promise<Pair> {
  const server = await startServer(t);
  const front = await lab.listen();
  const socket = await connectTo(front.port);
  t.after(() => socket.destroy());
  const heard = await front.client();
  heard.client.collect();
  const carried = lab.carry(heard.client, await lab.dial(server.address).reached());
  return { socket, backend: await server.accepted(), heard, carried };
}

async function refuses(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return false;
  } catch {
    return true;
  } finally {
    socket.destroy();
  }
}

/** Waits until a number has not changed over several looks. */
async function stays(look: () => number): Promise<void> {
  let before = -1;
  let looks = 0;
  await eventually(() => {
    const now = look();
    looks = now === before ? looks + 1 : 0;
    before = now;
    return looks >= 40;
  }, 'it has stopped growing');
}
