import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { connect as tlsOver, TLSSocket } from 'node:tls';
import { createAuthority, type CertificateFiles } from '../../support/certificates.ts';
import { startPythonClient, startPythonServer } from '../../support/python-peers.ts';
import { startService } from '../../support/service.ts';
import { connectTo, readAll, startServer, type TestServer } from '../../support/tcp.ts';
import { accepting, connectTls, dialingTls, pemOf } from '../../support/tls-service.ts';
import { eventually } from '../../support/wait.ts';

const TIMEOUT = { timeout: 60_000 };
const MEGABYTES = 5_000_000;
const REPLY = Buffer.alloc(1024 * 1024, 'r');
const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;

test(
  'server mode: an upload by Python, which sends no close_notify, arrives whole and ends by FIN',
  TIMEOUT,
  async (t) => {
    const candidate = await startServer(t, { onConnection: (socket) => socket.write('hello') });
    const { service, tls } = await serverMode(t, candidate);
    startPythonClient(t, {
      port: service.port,
      tls,
      body: `assert s.recv(5) == b"hello"\ns.sendall(b"u" * ${MEGABYTES})\ns.close()`,
    });
    const { bytes, end } = await readSlowly(await candidate.accepted());
    assert.deepEqual([bytes.length, end], [MEGABYTES, 'eof']);
    candidate.sockets[0]?.end();
    const { reason, endedBy, unclean, bytesToCandidate } = await service.closedOne();
    assert.deepEqual([reason, endedBy, unclean, bytesToCandidate], ['finished', 'client', true, MEGABYTES]);
  },
);

test('server mode: an upload cut by a reset is no finished one, 10 times of 10', TIMEOUT, async (t) => {
  const candidate = await startServer(t, { onConnection: (socket) => socket.write('hello') });
  const { service, tls } = await serverMode(t, candidate);
  for (let n = 1; n <= 10; n += 1) {
    const reset = 's.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\\1\\0\\0\\0\\0\\0\\0\\0")';
    const body = `assert s.recv(5) == b"hello"\ns.sendall(b"u" * ${MEGABYTES})\n${reset}\ns.close()`;
    startPythonClient(t, { port: service.port, tls, body });
    const accepted = await candidate.accepted();
    const { end } = await readSlowly(accepted);
    accepted.destroy();
    const { reason, endedBy, bytesToCandidate } = await service.closedOne(n);
    assert.ok(bytesToCandidate < MEGABYTES, 'a slow candidate has not got all of it by then');
    assert.deepEqual([end, reason, endedBy], ['reset', 'client_reset', 'client'], `upload ${n}`);
  }
});

test('client mode: a slow client gets all that a Python server sent before its bare FIN', TIMEOUT, async (t) => {
  const { service } = await pythonServer(t, `s.recv(1)\ns.sendall(b"d" * ${MEGABYTES})\ns.close()`);
  const client = await connectTo(service.port);
  client.pause();
  client.write('?');
  const { bytes, end } = await readSlowly(client);
  assert.deepEqual([bytes.length, end], [MEGABYTES, 'eof']);
  client.end();
  const { reason, endedBy, unclean, bytesToClient } = await service.closedOne();
  assert.deepEqual([reason, endedBy, unclean, bytesToClient], ['finished', 'candidate', true, MEGABYTES]);
});

test('client mode: a late reply to a half-close arrives whole when it ends by a bare FIN', TIMEOUT, async (t) => {
  const body = `
assert s.recv(100) == b"ask" and s.recv(100) == b""
time.sleep(0.3)
s.sendall(b"r" * ${REPLY.length})
s.close()`;
  const { service } = await pythonServer(t, body);
  const client = await connectTo(service.port);
  client.end('ask');
  const { bytes, end } = await readAll(client);
  assert.deepEqual([digest(bytes), end], [digest(REPLY), 'eof']);
  const { reason, unclean } = await service.closedOne();
  assert.deepEqual([reason, unclean], ['finished', true]);
});

for (const maxVersion of VERSIONS) {
  test(`${maxVersion}: a client that ends by a bare FIN still gets a late reply, whole`, TIMEOUT, async (t) => {
    const candidate = await startServer(t);
    const { service, client } = await serverMode(t, candidate);
    const { raw, socket } = await bareClient(service.port, { ...client, maxVersion });
    socket.write('ask', () => raw.end());
    const accepted = await candidate.accepted();
    const asked = await readAll(accepted);
    assert.deepEqual([asked.bytes.toString(), asked.end], ['ask', 'eof']);
    accepted.end(REPLY);
    const { bytes, end } = await readAll(socket);
    assert.deepEqual([digest(bytes), end], [digest(REPLY), 'eof']);
    const { reason, endedBy, unclean } = await service.closedOne();
    assert.deepEqual([reason, endedBy, unclean], ['finished', 'client', true]);
  });

  test(
    `${maxVersion}: a candidate that ends by a bare FIN still gets what the client sends late`,
    TIMEOUT,
    async (t) => {
      const authority = await createAuthority(t);
      const theirs = await authority.issue('localhost', ['DNS:localhost']);
      const pem = { ...pemOf({ caPath: authority.caPath, identity: theirs }), maxVersion };
      let got: ReturnType<typeof readAll> | undefined;
      const candidate = await startServer(t, {
        onConnection: (raw) => {
          const socket = new TLSSocket(raw, { isServer: true, ...pem });
          socket.on('error', () => undefined);
          got = readAll(socket);
          socket.write('bye', () => raw.end());
        },
      });
      const service = await startService(t, {
        candidates: [{ ...candidate.address, host: 'localhost' }],
        dialing: { tls: dialingTls({ caPath: authority.caPath, identity: theirs }) },
      });
      const client = await connectTo(service.port);
      const { bytes, end } = await readAll(client);
      assert.deepEqual([bytes.toString(), end], ['bye', 'eof']);
      client.end(REPLY);
      const { reason, endedBy, unclean } = await service.closedOne();
      assert.deepEqual([reason, endedBy, unclean], ['finished', 'candidate', true]);
      assert.equal(digest((await got)?.bytes ?? Buffer.alloc(0)), digest(REPLY));
    },
  );

  test(`${maxVersion}: with TLS_STRICT_CLOSE a bare FIN is a reset, behind the bytes before it`, TIMEOUT, async (t) => {
    const candidate = await startServer(t);
    const { service, client } = await serverMode(t, candidate, { strictClose: true });
    const { raw, socket } = await bareClient(service.port, { ...client, maxVersion });
    socket.write(REPLY, () => raw.end());
    const { bytes, end } = await readAll(await candidate.accepted());
    assert.deepEqual([digest(bytes), end], [digest(REPLY), 'reset']);
    const { reason, endedBy, unclean } = await service.closedOne();
    assert.deepEqual([reason, endedBy, unclean], ['client_truncated', 'client', true]);
  });

  test(`${maxVersion}: a bare FIN in one segment with the last bytes is told, 30 times of 30`, TIMEOUT, async (t) => {
    const candidate = await startServer(t, { onConnection: (socket) => socket.pipe(socket) });
    const { service, client } = await serverMode(t, candidate);
    for (let n = 1; n <= 30; n += 1) {
      const { raw, socket } = await bareClient(service.port, { ...client, maxVersion });
      socket.write('first');
      await once(socket, 'data');
      socket.write('last');
      raw.end();
      await readAll(socket);
      const { reason, unclean, bytesToCandidate } = await service.closedOne(n);
      assert.deepEqual([reason, unclean, bytesToCandidate], ['finished', true, 9]);
    }
  });

  test(
    `${maxVersion}: records and their close_notify that come at once are clean, 30 times of 30`,
    TIMEOUT,
    async (t) => {
      const candidate = await startServer(t, { onConnection: (socket) => socket.pipe(socket) });
      const { service, client } = await serverMode(t, candidate, { strictClose: true });
      for (let n = 1; n <= 30; n += 1) {
        const socket = await connectTls(service.port, { ...client, maxVersion });
        socket.write('first');
        await once(socket, 'data');
        socket.cork();
        for (let record = 0; record < n; record += 1) socket.write(Buffer.alloc(record + 1));
        socket.end();
        await readAll(socket);
        const { reason, unclean } = await service.closedOne(n);
        assert.deepEqual([reason, unclean], ['finished', undefined]);
      }
    },
  );
}

test(
  'client mode: with TLS_STRICT_CLOSE a bare FIN of a Python server resets the client, behind its bytes',
  TIMEOUT,
  async (t) => {
    const { service } = await pythonServer(t, `s.recv(1)\ns.sendall(b"d" * ${MEGABYTES})\ns.close()`, true);
    const client = await connectTo(service.port);
    client.write('?');
    const { bytes, end } = await readAll(client);
    assert.deepEqual([bytes.length, end], [MEGABYTES, 'reset']);
    const { reason, unclean, bytesToClient } = await service.closedOne();
    assert.deepEqual([reason, unclean, bytesToClient], ['candidate_truncated', true, MEGABYTES]);
  },
);

test(
  'a client that does not read and is cut has the bytes counted that the kernel took, no more',
  TIMEOUT,
  async (t) => {
    const candidate = await startServer(t, { onConnection: (socket) => socket.end(Buffer.alloc(32 * 1024 * 1024)) });
    const service = await startService(t, { candidates: [candidate.address] });
    const client = await connectTo(service.port);
    client.pause();
    await eventually(() => service.service.traffic.bytesToClient > 0, 'bytes are on their way');
    await service.service.close();
    const { bytesToClient } = await service.closedOne();
    assert.ok(bytesToClient < 32 * 1024 * 1024, `${bytesToClient} bytes`);
  },
);

async function serverMode(t: TestContext, candidate: TestServer, more: { readonly strictClose?: boolean } = {}) {
  const authority = await createAuthority(t);
  const own = await authority.issue('localhost', ['DNS:localhost']);
  const web = await authority.issue('web.internal', ['DNS:web.internal']);
  const { caPath } = authority;
  const service = await startService(t, {
    candidates: [candidate.address],
    accepting: accepting({ caPath, identity: own }, more),
  });
  return { service, client: pemOf({ caPath, identity: web }), tls: pythonTls(caPath, web) };
}

async function pythonServer(t: TestContext, body: string, strictClose = false) {
  const authority = await createAuthority(t);
  const { caPath } = authority;
  const identity = await authority.issue('localhost', ['DNS:localhost']);
  const server = await startPythonServer(t, { tls: pythonTls(caPath, identity), body });
  const service = await startService(t, {
    candidates: [server.address],
    dialing: { tls: dialingTls({ caPath, identity }, { strictClose }) },
  });
  return { server, service };
}

function pythonTls(caPath: string, { chainPath, keyPath }: CertificateFiles) {
  return { caPath, chainPath, keyPath };
}

/** A TLS client whose TCP can be finished without its TLS. */
async function bareClient(
  port: number,
  options: object,
): Promise<{ readonly raw: Socket; readonly socket: TLSSocket }> {
  const raw = await connectTo(port);
  const socket = tlsOver({ socket: raw, servername: 'localhost', ...options });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  return { raw, socket };
}

/** A reader that has fallen behind: what was sent to it has filled the kernel. */
async function readSlowly(socket: Socket): ReturnType<typeof readAll> {
  socket.pause();
  await new Promise((resolve) => setTimeout(resolve, 500));
  socket.on('data', () => {
    socket.pause();
    setTimeout(() => socket.resume(), 2);
  });
  const reading = readAll(socket);
  socket.resume();
  return reading;
}

function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
