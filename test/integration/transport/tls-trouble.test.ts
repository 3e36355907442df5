import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { connect as tlsOver } from 'node:tls';
import { createAuthority } from '../../support/certificates.ts';
import { startService, type TestServiceOptions } from '../../support/service.ts';
import { Stopwatch } from '../../support/stopwatch.ts';
import { connectTo, readAll, startEcho, startServer } from '../../support/tcp.ts';
import { accepting, connectTls, dialingTls, pemOf, startTlsServer } from '../../support/tls-service.ts';
import { eventually } from '../../support/wait.ts';

const TIMEOUT = { timeout: 60_000 };
const SHORT_MS = 500;
/** A ClientHello's record header, and the beginning of one. */
const PARTIAL_HELLO = Buffer.from('1603010200010001fc0303', 'hex');

const openings: readonly { readonly name: string; readonly speak: (socket: Socket) => void }[] = [
  { name: 'is silent', speak: () => undefined },
  { name: 'sends part of a ClientHello', speak: (socket) => socket.write(PARTIAL_HELLO) },
  { name: 'trickles its ClientHello', speak: (socket) => trickle(socket, PARTIAL_HELLO) },
];
for (const { name, speak } of openings) {
  test(`server mode: a client that ${name} is cut at CONNECT_TIMEOUT, and nothing is dialed`, TIMEOUT, async (t) => {
    const { service, candidate } = await serverMode(t);
    const socket = await connectTo(service.port);
    const since = new Stopwatch();
    speak(socket);
    const { bytes } = await readAll(socket);
    const [ms, wallMs] = [since.ms(), since.wallMs()];
    assert.equal(bytes.length, 0);
    assert.ok(wallMs > SHORT_MS - 100 && ms < SHORT_MS + 2_000, `cut after ${ms} ms`);
    const closed = await service.closedOne();
    assert.deepEqual([closed.reason, closed.endedBy], ['tls_handshake_failed', 'attache']);
    assert.equal(failure(service.events), 'TIMEOUT');
    assert.equal(candidate.sockets.length, 0);
  });
}

for (const [name, text] of [
  ['garbage', randomBytes(600).fill(0x41, 0, 1)],
  ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
] as const) {
  test(
    `server mode: a client that speaks plainly (${name}) is refused at once, and nothing is dialed`,
    TIMEOUT,
    async (t) => {
      const { service, candidate } = await serverMode(t, { timeoutMs: 5_000 });
      const socket = await connectTo(service.port);
      const since = new Stopwatch();
      socket.write(text);
      await readAll(socket);
      assert.ok(since.ms() < 3_000);
      assert.equal((await service.closedOne()).reason, 'tls_handshake_failed');
      assert.match(failure(service.events), /^ERR_SSL_/);
      assert.equal(candidate.sockets.length, 0);
    },
  );
}

test('server mode: a client that leaves in the middle of its handshake is forgotten at once', TIMEOUT, async (t) => {
  const { service, candidate } = await serverMode(t, { timeoutMs: 30_000 });
  for (const leave of [(socket: Socket) => socket.resetAndDestroy(), (socket: Socket) => socket.destroy()]) {
    const socket = await connectTo(service.port);
    socket.write(PARTIAL_HELLO, () => leave(socket));
  }
  await eventually(() => service.service.connections === 0 && service.closed().length === 2, 'both are gone', 5_000);
  assert.deepEqual(
    service.closed().map(({ reason, endedBy }) => `${reason} ${endedBy}`),
    ['tls_handshake_failed client', 'tls_handshake_failed client'],
  );
  assert.equal(candidate.sockets.length, 0);
});

test('server mode: among 500 clients that only begin a handshake a real one is served', TIMEOUT, async (t) => {
  const { service, client } = await serverMode(t, { timeoutMs: 5_000 });
  const idle = await Promise.all(Array.from({ length: 500 }, () => connectTo(service.port)));
  t.after(() => idle.forEach((socket) => socket.destroy()));
  for (const socket of idle.slice(0, 300)) socket.write(PARTIAL_HELLO);
  const since = new Stopwatch();
  const socket = await connectTls(service.port, client);
  socket.end('hello');
  assert.equal((await readAll(socket)).bytes.toString(), 'hello');
  assert.ok(since.ms() < 4_000, 'it did not have to wait for the others to be cut');
  socket.destroy();
});

test('a corrupt record in mid-stream ends both sides by a reset, and the socket is closed', TIMEOUT, async (t) => {
  const candidate = await startServer(t);
  const { service, client } = await serverMode(t, { timeoutMs: 5_000 }, candidate);
  const raw = await connectTo(service.port);
  const socket = tlsOver({ socket: raw, servername: 'localhost', ...client });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  socket.write('before');
  const accepted = await candidate.accepted();
  const ending = readAll(accepted);
  await once(accepted, 'data');
  raw.write(Buffer.concat([Buffer.from('1703030040', 'hex'), randomBytes(0x40)]));
  assert.equal((await ending).end, 'reset');
  const closed = await service.closedOne();
  assert.equal(closed.reason, 'client_error');
  assert.equal(failure(service.events), 'ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC');
  await eventually(() => service.service.connections === 0, 'no connection is left');
});

for (const [name, payload] of [
  ['after its last byte', 'hello'],
  ['before its first byte', ''],
] as const) {
  test(`TLS_STRICT_CLOSE: a client that closes TCP without close_notify ${name} is truncated`, TIMEOUT, async (t) => {
    const candidate = await startServer(t);
    const { service, client } = await serverMode(t, { timeoutMs: 5_000, strictClose: true }, candidate);
    const raw = await connectTo(service.port);
    const socket = tlsOver({ socket: raw, servername: 'localhost', ...client });
    socket.on('error', () => undefined);
    await once(socket, 'secureConnect');
    const accepted = await candidate.accepted();
    const ending = readAll(accepted);
    if (payload !== '') {
      socket.write(payload);
      await once(accepted, 'data');
    }
    raw.end();
    const { bytes, end } = await ending;
    assert.deepEqual([bytes.toString(), end], [payload, 'reset']);
    const closed = await service.closedOne();
    assert.deepEqual([closed.reason, closed.endedBy], ['client_truncated', 'client']);
  });
}

test(
  'TLS_STRICT_CLOSE: a candidate that closes TCP in the middle of a record is truncated, and the client is reset',
  TIMEOUT,
  async (t) => {
    const { service, candidate } = await clientMode(t, (socket) => socket.write(randomBytes(16_000)), true);
    const socket = await connectTo(service.port);
    const { bytes, end } = await readAll(socket);
    assert.equal(end, 'reset');
    assert.ok(bytes.length < 16_000);
    const closed = await service.closedOne();
    assert.deepEqual([closed.reason, closed.endedBy], ['candidate_truncated', 'candidate']);
    assert.equal(candidate.cut(), true);
  },
);

test(
  'a candidate that closes TCP in the middle of a record has ended uncleanly, and the client gets a FIN',
  TIMEOUT,
  async (t) => {
    const { service } = await clientMode(t, (socket) => socket.write(randomBytes(16_000)));
    const socket = await connectTo(service.port);
    const { bytes, end } = await readAll(socket);
    assert.equal(end, 'eof');
    assert.ok(bytes.length < 16_000);
    socket.end();
    const closed = await service.closedOne();
    assert.deepEqual([closed.reason, closed.endedBy, closed.unclean], ['finished', 'candidate', true]);
  },
);

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`${version}: bytes and close_notify in one segment are finished, 50 times of 50`, TIMEOUT, async (t) => {
    const { service, client } = await serverMode(t, { timeoutMs: 5_000, strictClose: true });
    for (let n = 1; n <= 50; n += 1) {
      const socket = await connectTls(service.port, { ...client, maxVersion: version });
      socket.end('hello');
      assert.equal((await readAll(socket)).bytes.toString(), 'hello');
      socket.destroy();
      assert.equal((await service.closedOne(n)).reason, 'finished');
    }
  });

  test(`${version}: a client that finishes gets a reply that comes later, whole`, TIMEOUT, async (t) => {
    const candidate = await startServer(t);
    const { service, client } = await serverMode(t, { timeoutMs: 5_000 }, candidate);
    const socket = await connectTls(service.port, { ...client, maxVersion: version });
    socket.end('ask');
    const accepted = await candidate.accepted();
    const [bytes] = await Promise.all([readAll(socket), answer(accepted)]);
    assert.equal(bytes.bytes.length, 1024 * 1024);
    assert.equal(bytes.end, 'eof');
    socket.destroy();
    assert.equal((await service.closedOne()).reason, 'finished');
  });
}

for (const [name, speak] of [
  ['says nothing', () => undefined],
  ['speaks plainly', (socket: Socket) => socket.write('-ERR this is no TLS\r\n')],
  ['closes at once', (socket: Socket) => socket.end()],
] as const) {
  test(
    `client mode: a candidate that ${name} fails the attempt, gets no payload, and the next is used`,
    TIMEOUT,
    async (t) => {
      const authority = await createAuthority(t);
      const theirs = await authority.issue('localhost', ['DNS:localhost']);
      const good = await startTlsServer(t, pemOf({ caPath: authority.caPath, identity: theirs }));
      let got = '';
      const bad = await startServer(t, {
        onConnection: (socket) => {
          socket.on('data', (chunk: Buffer) => (got += chunk.toString('latin1')));
          speak(socket);
        },
      });
      const service = await startService(t, {
        candidates: [bad.address, good.address],
        dialing: { connectTimeoutMs: SHORT_MS, tls: dialingTls({ caPath: authority.caPath, identity: theirs }) },
      });
      const socket = await connectTo(service.port);
      const since = new Stopwatch();
      socket.end('payload');
      assert.equal((await readAll(socket)).bytes.toString(), 'payload');
      assert.ok(since.ms() < SHORT_MS + 3_000);
      assert.ok(!got.includes('payload'));
      socket.destroy();
      const closed = await service.closedOne();
      assert.equal(closed.attempts.length, 2);
      assert.notEqual(closed.attempts[0]?.outcome, 'ok');
    },
  );
}

test('an aborted TLS client sees a reset, and never a close_notify', TIMEOUT, async (t) => {
  const candidate = await startServer(t);
  const { service, client } = await serverMode(t, { timeoutMs: 5_000 }, candidate);
  const socket = await connectTls(service.port, client);
  const accepted = await candidate.accepted();
  accepted.write('half an answer');
  const ending = readAll(socket);
  await once(socket, 'data');
  accepted.resetAndDestroy();
  assert.equal((await ending).end, 'reset');
  assert.equal((await service.closedOne()).reason, 'candidate_reset');
});

async function serverMode(
  t: TestContext,
  more: { readonly timeoutMs: number; readonly strictClose?: boolean } = { timeoutMs: SHORT_MS },
  server?: Awaited<ReturnType<typeof startServer>>,
) {
  const authority = await createAuthority(t);
  const own = await authority.issue('localhost', ['DNS:localhost']);
  const web = await authority.issue('web.internal', ['DNS:web.internal']);
  const candidate = server ?? (await startEcho(t));
  const options: TestServiceOptions = {
    candidates: [candidate.address],
    accepting: accepting({ caPath: authority.caPath, identity: own }, more),
  };
  const service = await startService(t, options);
  return { candidate, service, client: pemOf({ caPath: authority.caPath, identity: web }) };
}

/** Its candidate is cut off from us in the middle of the first record it sends. */
async function clientMode(t: TestContext, speak: (socket: Socket) => void, strictClose = false) {
  const authority = await createAuthority(t);
  const theirs = await authority.issue('localhost', ['DNS:localhost']);
  const behind = await startTlsServer(t, pemOf({ caPath: authority.caPath, identity: theirs }), speak);
  let isCut = false;
  const cutter = await startServer(t, {
    onConnection: (socket) => {
      const onward = connect(behind.port, '127.0.0.1');
      onward.on('error', () => undefined);
      socket.on('data', (chunk: Buffer) => onward.write(chunk));
      onward.on('data', (chunk: Buffer) => {
        const at = chunk.length > 10_000 ? 9_000 : chunk.length;
        socket.write(chunk.subarray(0, at));
        if (at === chunk.length) return;
        isCut = true;
        onward.destroy();
        socket.end();
      });
    },
  });
  const service = await startService(t, {
    candidates: [{ kind: 'tcp', host: 'localhost', port: cutter.port }],
    dialing: { tls: dialingTls({ caPath: authority.caPath, identity: theirs }, { strictClose }) },
  });
  return { service, candidate: { cut: () => isCut } };
}

async function answer(socket: Socket): Promise<void> {
  socket.resume();
  await once(socket, 'end');
  socket.end(Buffer.alloc(1024 * 1024, 'x'));
}

function trickle(socket: Socket, bytes: Buffer): void {
  let at = 0;
  const timer = setInterval(() => socket.write(bytes.subarray(at++, at)), 50);
  socket.once('close', () => clearInterval(timer));
}

function failure(events: readonly { readonly type: string }[]): string {
  const found = events.find(({ type }) => type === 'tls-failed') as { readonly code?: string } | undefined;
  return found?.code ?? 'no tls-failed event';
}
