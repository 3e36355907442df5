import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { writeProxyHeader } from '../../../src/core/write-proxy-header.ts';
import { startHeaderServer } from '../../support/proxy-entries.ts';
import { startService } from '../../support/service.ts';
import { connectTo, freePort, readAll, startEcho, startServer } from '../../support/tcp.ts';

const TIMEOUT = { timeout: 60_000 };
const ENDS = { source: { ip: '203.0.113.7', port: 41_002 }, destination: { ip: '198.51.100.9', port: 443 } };
const versions = ['v1', 'v2'] as const;

for (const version of versions) {
  test(`${version}: a candidate is told of the client first, and it counts for nothing`, TIMEOUT, async (t) => {
    const server = await startHeaderServer(t);
    const service = await startService(t, { candidates: [server.address], proxyProtocol: version });
    const payload = randomBytes(300_000);
    const socket = await connectTo(service.port);
    const [source, destination] = [`127.0.0.1:${socket.localPort}`, `127.0.0.1:${service.port}`];
    const reading = readAll(socket);
    socket.end(payload);
    assert.ok((await reading).bytes.equals(payload));
    const [told] = server.told;
    assert.deepEqual([told?.source, told?.destination], [source, destination]);
    const closed = await service.closedOne();
    assert.deepEqual([closed.client, closed.via], [source, undefined]);
    assert.equal(closed.bytesToCandidate, payload.length);
    assert.equal(closed.bytesToClient, payload.length);
  });

  test(`${version}: a server that speaks first is told of a client that is silent`, TIMEOUT, async (t) => {
    const server = await startServer(t, { onConnection: (socket) => socket.write('welcome') });
    const service = await startService(t, { candidates: [server.address], proxyProtocol: version });
    const socket = await connectTo(service.port);
    const [greeting] = (await once(socket, 'data')) as [Buffer];
    assert.equal(greeting.toString(), 'welcome');
    const candidate = await server.accepted();
    const [header] = (await once(candidate, 'data')) as [Buffer];
    const ends = {
      source: { ip: '127.0.0.1', port: socket.localPort ?? 0 },
      destination: { ip: '127.0.0.1', port: service.port },
    };
    assert.deepEqual(header, writeProxyHeader({ version, ends }));
    socket.destroy();
  });

  test(`${version}: the header that a client was carried with goes on to the candidate`, TIMEOUT, async (t) => {
    const server = await startHeaderServer(t);
    const own = { acceptProxyProtocol: true, proxyProtocol: version };
    const service = await startService(t, { candidates: [server.address], ...own });
    for (const incoming of versions) {
      const socket = await connectTo(service.port);
      const reading = readAll(socket);
      socket.end(Buffer.concat([writeProxyHeader({ version: incoming, ends: ENDS }), Buffer.from('hello')]));
      assert.equal((await reading).bytes.toString(), 'hello');
    }
    const expected = writeProxyHeader({ version, ends: ENDS });
    assert.deepEqual(
      server.told.map(({ header }) => header),
      [expected, expected],
    );
  });

  test(`${version}: UNKNOWN and LOCAL are followed by the addresses of who sent them`, TIMEOUT, async (t) => {
    const server = await startHeaderServer(t);
    const own = { acceptProxyProtocol: true, proxyProtocol: version };
    const service = await startService(t, { candidates: [server.address], ...own });
    for (const incoming of versions) {
      const socket = await connectTo(service.port);
      const source = `127.0.0.1:${socket.localPort}`;
      const reading = readAll(socket);
      socket.end(writeProxyHeader({ version: incoming, ends: undefined }));
      await reading;
      assert.equal(server.told.at(-1)?.source, source);
    }
  });

  test(`${version}: the candidate that is tried next is told as well`, TIMEOUT, async (t) => {
    const server = await startHeaderServer(t);
    const dead = { kind: 'tcp', host: '127.0.0.1', port: await freePort() } as const;
    const service = await startService(t, { candidates: [dead, server.address], proxyProtocol: version });
    const socket = await connectTo(service.port);
    const reading = readAll(socket);
    socket.end('hello');
    assert.equal((await reading).bytes.toString(), 'hello');
    assert.equal(server.told.length, 1);
    assert.equal((await service.closedOne()).attempts.length, 2);
  });

  test(`${version}: clients of a Unix socket have no address to tell`, TIMEOUT, async (t) => {
    const server = await startHeaderServer(t);
    const path = `/tmp/attache-preface-${version}-${process.pid}.sock`;
    const listeners = [{ kind: 'unix', path } as const];
    const service = await startService(t, { candidates: [server.address], proxyProtocol: version, listeners });
    const socket = connect({ path, allowHalfOpen: true });
    const reading = readAll(socket);
    socket.end('hello');
    assert.equal((await reading).bytes.toString(), 'hello');
    const text = version === 'v1' ? 'PROXY UNKNOWN\r\n' : '\r\n\r\n\0\r\nQUIT\n\x20\0\0\0';
    assert.equal(server.told[0]?.header.toString('latin1'), text);
    assert.equal((await service.closedOne()).client, 'unix');
  });
}

test('both families at one listener: a client is told of in its own', TIMEOUT, async (t) => {
  const server = await startHeaderServer(t);
  const listeners = [{ kind: 'tcp', host: '', port: 0 } as const];
  const dialing = { family: 0 } as const;
  const service = await startService(t, { candidates: [server.address], proxyProtocol: 'v1', listeners, dialing });
  const hosts = ['127.0.0.1', '::1'] as const;
  for (const [index, host] of hosts.entries()) {
    const socket = connect({ port: service.port, host, allowHalfOpen: true });
    try {
      await once(socket, 'connect');
    } catch {
      t.diagnostic(`this machine has no ${host}: not shown for it`);
      continue;
    }
    const client = socket.localPort;
    const reading = readAll(socket);
    socket.end();
    await reading;
    const family = host === '::1' ? 'TCP6' : 'TCP4';
    const line = `PROXY ${family} ${host} ${host} ${client} ${service.port}\r\n`;
    assert.equal(server.told[index]?.header.toString(), line);
  }
});

test('a candidate that resets at the header ends the connection as any reset does', TIMEOUT, async (t) => {
  const server = await startServer(t, {
    onConnection: (socket) => socket.once('data', () => socket.resetAndDestroy()),
  });
  const service = await startService(t, { candidates: [server.address], proxyProtocol: 'v2' });
  const socket = await connectTo(service.port);
  assert.equal((await readAll(socket)).end, 'reset');
  const { reason, endedBy, bytesToCandidate } = await service.closedOne();
  assert.deepEqual([reason, endedBy, bytesToCandidate], ['candidate_reset', 'candidate', 0]);
});

test('without PROXY_PROTOCOL nothing goes in front', TIMEOUT, async (t) => {
  const echo = await startEcho(t);
  const service = await startService(t, { candidates: [echo.address], proxyProtocol: 'off' });
  const socket = await connectTo(service.port);
  const reading = readAll(socket);
  socket.end('hello');
  assert.equal((await reading).bytes.toString(), 'hello');
});
