import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import type { TlsOptions } from 'node:tls';
import { test, type TestContext } from 'node:test';
import { createAuthority, type TestAuthority } from '../../support/certificates.ts';
import { startService, type TestService } from '../../support/service.ts';
import { connectTo, readAll, startEcho, startServer } from '../../support/tcp.ts';
import { accepting, connectTls, dialingTls, openTls, pemOf, startTlsServer } from '../../support/tls-service.ts';

const TIMEOUT = { timeout: 60_000 };

test('server mode: a client with a good certificate is carried to a plain candidate', TIMEOUT, async (t) => {
  const { service, client } = await serverMode(t);
  const socket = await connectTls(service.port, client);
  socket.end('hello');
  const { bytes, end } = await readAll(socket);
  assert.deepEqual([bytes.toString(), end], ['hello', 'eof']);
  socket.destroy();
  const closed = await service.closedOne();
  assert.deepEqual([closed.reason, closed.endedBy], ['finished', 'client']);
  assert.deepEqual(closed.tls, { peer: 'web.internal', version: 'TLSv1.3', resumed: false });
});

test('server mode: a client that comes again resumes its session and is named again', TIMEOUT, async (t) => {
  const { service, client } = await serverMode(t);
  const first = await connectTls(service.port, client);
  const session = once(first, 'session');
  // An engine may send its session with the first bytes that it carries.
  first.write('hello');
  const [taken] = (await session) as [Buffer];
  first.destroy();
  const second = await connectTls(service.port, { ...client, session: taken });
  assert.equal(second.isSessionReused(), true);
  second.end('again');
  assert.equal((await readAll(second)).bytes.toString(), 'again');
  second.destroy();
  assert.deepEqual((await service.closedOne(2)).tls, { peer: 'web.internal', version: 'TLSv1.3', resumed: true });
});

test('server mode: a client without a certificate is refused before any dial', TIMEOUT, async (t) => {
  const { service, authority, candidate } = await serverMode(t);
  const socket = openTls(service.port, pemOf({ caPath: authority.caPath }));
  const { bytes } = await readAll(socket);
  assert.equal(bytes.length, 0);
  const closed = await service.closedOne();
  assert.equal(closed.reason, 'tls_peer_refused');
  assert.deepEqual(closed.attempts, []);
  assert.equal(candidate.sockets.length, 0);
});

test('server mode: a client that TLS_ALLOW does not name is refused before any dial', TIMEOUT, async (t) => {
  const { service, client, candidate } = await serverMode(t, ['dns:other.internal']);
  await readAll(openTls(service.port, client));
  const closed = await service.closedOne();
  assert.equal(closed.reason, 'tls_peer_refused');
  const event = service.events.find(({ type }) => type === 'tls-failed');
  assert.ok(event?.type === 'tls-failed');
  assert.deepEqual([event.side, event.code, event.peer], ['client', 'NOT_ALLOWED', 'web.internal']);
  assert.equal(candidate.sockets.length, 0);
});

test('client mode: a plain client is carried to a TLS candidate that sees our certificate', TIMEOUT, async (t) => {
  const { service, candidate } = await clientMode(t);
  const socket = await connectTo(service.port);
  socket.end('hello');
  const { bytes, end } = await readAll(socket);
  assert.deepEqual([bytes.toString(), end], ['hello', 'eof']);
  socket.destroy();
  assert.deepEqual(candidate.subjects, ['CN=web.internal']);
  const closed = await service.closedOne();
  assert.equal(closed.reason, 'finished');
  assert.deepEqual(closed.tls, { peer: 'localhost', version: 'TLSv1.3', resumed: false });
});

test('client mode: the second connection resumes the session of the first', TIMEOUT, async (t) => {
  const { service } = await clientMode(t);
  for (let n = 1; n <= 2; n += 1) {
    const socket = await connectTo(service.port);
    socket.end('hello');
    assert.equal((await readAll(socket)).bytes.toString(), 'hello');
    socket.destroy();
    assert.equal((await service.closedOne(n)).tls?.resumed, n === 2);
  }
});

test('client mode: a candidate with another name gets no byte, and the next one is used', TIMEOUT, async (t) => {
  const authority = await createAuthority(t);
  const wrong = await authority.issue('other', ['DNS:other.internal']);
  const right = await authority.issue('right', ['DNS:localhost']);
  const own = await authority.issue('web', ['DNS:web.internal']);
  const bad = await startTlsServer(t, pemOf({ caPath: authority.caPath, identity: wrong }));
  const good = await startTlsServer(t, pemOf({ caPath: authority.caPath, identity: right }));
  const service = await startService(t, {
    candidates: [bad.address, good.address],
    dialing: { tls: dialingTls({ caPath: authority.caPath, identity: own }) },
  });
  const socket = await connectTo(service.port);
  socket.end('hello');
  assert.equal((await readAll(socket)).bytes.toString(), 'hello');
  assert.equal(bad.received(), 0);
  socket.destroy();
  const closed = await service.closedOne();
  assert.deepEqual(
    closed.attempts.map(({ outcome }) => outcome),
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'ok'],
  );
});

for (const [from, host, serverName] of [
  ['DST', 'backend.test.', undefined],
  ['TLS_SERVER_NAME', '127.0.0.1', 'backend.test.'],
] as const) {
  test(
    `client mode: the final dot of a name in ${from} is in no SNI, and none is in the certificate`,
    TIMEOUT,
    async (t) => {
      const authority = await createAuthority(t);
      const theirs = await authority.issue('backend', ['DNS:backend.test']);
      const { caPath } = authority;
      const asked: string[] = [];
      const SNICallback: TlsOptions['SNICallback'] = (name, use) => {
        asked.push(name);
        use(null);
      };
      const { port } = await startTlsServer(t, { ...pemOf({ caPath, identity: theirs }), SNICallback });
      const service = await startService(t, {
        candidates: [{ kind: 'tcp', host, port }],
        dialing: {
          resolver: { resolve: () => Promise.resolve(['127.0.0.1']) },
          tls: dialingTls({ caPath, identity: theirs }, { serverName }),
        },
      });
      const socket = await connectTo(service.port);
      socket.end('hello');
      assert.equal((await readAll(socket)).bytes.toString(), 'hello');
      assert.deepEqual(asked, ['backend.test']);
    },
  );
}

test('32 MiB each way through client and server mode is whole, and half-closes pass', TIMEOUT, async (t) => {
  const { outer } = await pair(t);
  const socket = await connectTo(outer.port);
  const data = randomBytes(32 * 1024 * 1024);
  const hash = createHash('sha256');
  let length = 0;
  socket.on('data', (chunk: Buffer) => {
    hash.update(chunk);
    length += chunk.length;
  });
  feed(socket, data);
  await once(socket, 'end');
  assert.equal(length, data.length);
  assert.equal(hash.digest('hex'), createHash('sha256').update(data).digest('hex'));
  socket.destroy();
  assert.equal((await outer.closedOne()).reason, 'finished');
});

test('a reset of the plain client reaches the plain candidate through the pair as a reset', TIMEOUT, async (t) => {
  const candidate = await startServer(t);
  const { outer, inner } = await pair(t, candidate);
  const socket = await connectTo(outer.port);
  socket.write('x');
  const accepted = await candidate.accepted();
  const ending = readAll(accepted);
  await once(accepted, 'data');
  socket.resetAndDestroy();
  assert.equal((await ending).end, 'reset');
  assert.equal((await outer.closedOne()).reason, 'client_reset');
  assert.equal((await inner.closedOne()).reason, 'client_reset');
});

function feed(socket: Duplex, data: Buffer): void {
  socket.end(data);
}

async function serverMode(t: TestContext, allow: readonly string[] = []) {
  const authority = await createAuthority(t);
  const own = await authority.issue('localhost', ['DNS:localhost']);
  const web = await authority.issue('web.internal', ['DNS:web.internal']);
  const candidate = await startEcho(t);
  const service = await startService(t, {
    candidates: [candidate.address],
    accepting: accepting({ caPath: authority.caPath, identity: own, allow }),
  });
  return { authority, candidate, service, client: pemOf({ caPath: authority.caPath, identity: web }) };
}

async function clientMode(t: TestContext) {
  const authority = await createAuthority(t);
  const theirs = await authority.issue('localhost', ['DNS:localhost']);
  const own = await authority.issue('web.internal', ['DNS:web.internal']);
  const candidate = await startTlsServer(t, pemOf({ caPath: authority.caPath, identity: theirs }));
  const service = await startService(t, {
    candidates: [candidate.address],
    dialing: { tls: dialingTls({ caPath: authority.caPath, identity: own }) },
  });
  return { authority, candidate, service };
}

async function pair(
  t: TestContext,
  candidate?: Awaited<ReturnType<typeof startServer>>,
): Promise<{ outer: TestService; inner: TestService; authority: TestAuthority }> {
  const authority = await createAuthority(t);
  const theirs = await authority.issue('localhost', ['DNS:localhost']);
  const own = await authority.issue('web.internal', ['DNS:web.internal']);
  const inner = await startService(t, {
    candidates: [(candidate ?? (await startEcho(t))).address],
    accepting: accepting({ caPath: authority.caPath, identity: theirs }),
  });
  const outer = await startService(t, {
    candidates: [{ kind: 'tcp', host: 'localhost', port: inner.port }],
    dialing: { tls: dialingTls({ caPath: authority.caPath, identity: own }) },
  });
  return { outer, inner, authority };
}
