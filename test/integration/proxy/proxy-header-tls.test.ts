import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { createSecureContext, TLSSocket, type ConnectionOptions } from 'node:tls';
import { writeProxyHeader } from '../../../src/core/write-proxy-header.ts';
import { commonName } from '../../../src/identity/certificate-names.ts';
import { createAuthority } from '../../support/certificates.ts';
import { prefixedSocket } from '../../support/prefixed-socket.ts';
import { readEntries, startHeaderServer, type Told } from '../../support/proxy-entries.ts';
import { startService, type TestService } from '../../support/service.ts';
import { connectTo, readAll, startServer } from '../../support/tcp.ts';
import { accepting, connectTls, dialingTls, openTls, pemOf } from '../../support/tls-service.ts';
import { eventually } from '../../support/wait.ts';

const TIMEOUT = { timeout: 60_000 };
const ENDS = { source: { ip: '203.0.113.7', port: 41_002 }, destination: { ip: '198.51.100.9', port: 443 } };
const versions = ['v1', 'v2'] as const;

test('client mode: the header goes in front of the TLS handshake', TIMEOUT, async (t) => {
  const authority = await createAuthority(t);
  const identity = await authority.issue('localhost', ['DNS:localhost']);
  const secureContext = createSecureContext(pemOf({ caPath: authority.caPath, identity }));
  const lines: string[] = [];
  const server = await startServer(t, {
    pauseOnConnect: true,
    onConnection: (socket) => {
      socket.on('readable', function onReadable() {
        const bytes = socket.read() as Buffer | null;
        if (bytes === null) return;
        socket.off('readable', onReadable);
        const end = bytes.indexOf('\n') + 1;
        lines.push(bytes.toString('latin1', 0, end));
        socket.unshift(bytes.subarray(end));
        const secure = new TLSSocket(socket, { isServer: true, secureContext });
        secure.on('error', () => undefined).on('data', (chunk: Buffer) => secure.end(chunk));
      });
    },
  });
  const service = await startService(t, {
    candidates: [{ kind: 'tcp', host: 'localhost', port: server.port }],
    proxyProtocol: 'v1',
    dialing: { tls: dialingTls({ caPath: authority.caPath }) },
  });
  const socket = await connectTo(service.port);
  const reading = readAll(socket);
  socket.write('hello');
  assert.equal((await reading).bytes.toString(), 'hello');
  assert.deepEqual(lines, [`PROXY TCP4 127.0.0.1 127.0.0.1 ${socket.localPort} ${service.port}\r\n`]);
  socket.destroy();
});

test("server mode: version 2 tells of the client's certificate, anew and resumed", TIMEOUT, async (t) => {
  const { service, told, client } = await serverMode(t);
  const first = await connectTls(service.port, client);
  const [session] = (await once(first, 'session')) as [Buffer];
  await eventually(() => told.length === 1, 'the first header');
  first.destroy();
  const second = await connectTls(service.port, { ...client, session });
  assert.equal(second.isSessionReused(), true);
  await eventually(() => told.length === 2, 'the second header');
  second.destroy();
  const both = told.map(({ entries }) => tlsOf(entries));
  const same = { verify: 0, version: 'TLSv1.3', commonName: 'web.internal', serverName: 'localhost' };
  assert.deepEqual(both, [
    { client: 0x07, ...same },
    { client: 0x05, ...same },
  ]);
});

test('server mode: version 2 tells of a client that was asked for no certificate', TIMEOUT, async (t) => {
  const { service, told, client } = await serverMode(t, { clientAuth: 'none' });
  const { ca } = client;
  const socket = await connectTls(service.port, {
    ca,
    maxVersion: 'TLSv1.2',
    servername: '',
    checkServerIdentity: () => undefined,
  });
  await eventually(() => told.length === 1, 'the header');
  socket.destroy();
  const expected = { client: 0x01, verify: 1, version: 'TLSv1.2', commonName: undefined, serverName: undefined };
  assert.deepEqual(
    told.map(({ entries }) => tlsOf(entries)),
    [expected],
  );
});

for (const pieces of ['whole', 'bytes'] as const) {
  for (const version of versions) {
    test(
      `server mode: ${version} before TLS, ${pieces}: the handshake is done and bytes are whole`,
      TIMEOUT,
      async (t) => {
        const { service, told, client } = await serverMode(t, { acceptProxyProtocol: true });
        const header = writeProxyHeader({ version, ends: ENDS });
        const socket = openTls(service.port, { ...client, socket: prefixedSocket(service.port, header, pieces) });
        const payload = randomBytes(pieces === 'whole' ? 300_000 : 300);
        const reading = readAll(socket);
        socket.write(payload);
        await eventually(() => told.length === 1, 'the header');
        socket.end();
        const { bytes } = await reading;
        assert.ok(bytes.equals(payload), `${bytes.length} bytes`);
        socket.destroy();
        const { client: name, tls, reason } = await service.closedOne();
        assert.deepEqual([name, tls?.peer, reason], ['203.0.113.7:41002', 'web.internal', 'finished']);
        assert.equal(told[0]?.source, '203.0.113.7:41002');
      },
    );
  }
}

test('server mode: a client that is refused by TLS is named by its header', TIMEOUT, async (t) => {
  const { service, client } = await serverMode(t, { acceptProxyProtocol: true });
  const { ca } = client;
  const header = writeProxyHeader({ version: 'v2', ends: ENDS });
  const socket = openTls(service.port, { ca, socket: prefixedSocket(service.port, header, 'whole') });
  await readAll(socket);
  const { client: name, reason } = await service.closedOne();
  assert.deepEqual([name, reason], ['203.0.113.7:41002', 'tls_peer_refused']);
  const event = service.events.find(({ type }) => type === 'tls-failed');
  assert.equal(event?.type === 'tls-failed' && event.address, '203.0.113.7:41002');
});

test('server mode: TLS without a header in front is refused', TIMEOUT, async (t) => {
  const { service, client } = await serverMode(t, { acceptProxyProtocol: true });
  await readAll(openTls(service.port, client));
  assert.equal((await service.closedOne()).reason, 'proxy_header_invalid');
});

interface ServerModeOptions {
  readonly clientAuth?: 'require' | 'none';
  readonly acceptProxyProtocol?: boolean;
}

/** A service that ends TLS and tells its candidate by version 2, with what its clients need. */
async function serverMode(
  t: TestContext,
  options: ServerModeOptions = {},
): Promise<{ service: TestService; told: readonly Told[]; client: ConnectionOptions }> {
  const { clientAuth = 'require', acceptProxyProtocol = false } = options;
  const authority = await createAuthority(t);
  const [own, client] = await Promise.all([
    authority.issue('localhost', ['DNS:localhost']),
    authority.issue('web.internal', ['DNS:web.internal']),
  ]);
  const server = await startHeaderServer(t);
  const settings = accepting({ caPath: authority.caPath, identity: own, clientAuth });
  const service = await startService(t, {
    candidates: [server.address],
    acceptProxyProtocol,
    proxyProtocol: 'v2',
    accepting: { ...settings, peers: { ...settings.peers, commonNameOf: commonName } },
  });
  return { service, told: server.told, client: pemOf({ caPath: authority.caPath, identity: client }) };
}

function tlsOf(entries: Told['entries']): object {
  const ssl = entries.get(0x20) ?? Buffer.alloc(5);
  const inside = readEntries(ssl.subarray(5));
  return {
    client: ssl.readUInt8(0),
    verify: ssl.readUInt32BE(1),
    version: inside.get(0x21)?.toString(),
    commonName: inside.get(0x22)?.toString(),
    serverName: entries.get(0x02)?.toString(),
  };
}
