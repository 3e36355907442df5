import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import type { AttacheEvent, ConnectionClosedEvent } from '../../../src/core/observer.ts';
import { writeProxyHeader } from '../../../src/core/write-proxy-header.ts';
import { writeOneByOne } from '../../support/prefixed-socket.ts';
import { startService } from '../../support/service.ts';
import { connectTo, readAll, startBlackHole, startEcho, startServer } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

const TIMEOUT = { timeout: 60_000 };
const ENDS = { source: { ip: '203.0.113.7', port: 41_002 }, destination: { ip: '198.51.100.9', port: 443 } };
const ENDS6 = { source: { ip: '2001:db8::7', port: 41_002 }, destination: { ip: '2001:db8::9', port: 443 } };
const headers = {
  v1: writeProxyHeader({ version: 'v1', ends: ENDS }),
  v2: writeProxyHeader({ version: 'v2', ends: ENDS }),
} as const;
const UNKNOWN = Buffer.from('PROXY UNKNOWN\r\n');

/** The access record without its numbers. */
function told({ client, via, endedBy, reason, attempts }: ConnectionClosedEvent): object {
  return { client, ...(via !== undefined && { via }), endedBy, reason, tried: attempts.length };
}

function refusals(events: readonly AttacheEvent[]): readonly string[] {
  return events.flatMap((event) => (event.type === 'proxy-header-refused' ? [event.code] : []));
}

for (const version of ['v1', 'v2'] as const) {
  test(`${version} and what follows it in one segment: only what follows is relayed`, TIMEOUT, async (t) => {
    const echo = await startEcho(t);
    const service = await startService(t, { candidates: [echo.address], acceptProxyProtocol: true });
    const payload = randomBytes(300_000);
    const socket = await connectTo(service.port);
    const via = `127.0.0.1:${socket.localPort}`;
    const reading = readAll(socket);
    socket.end(Buffer.concat([headers[version], payload]));
    const { bytes, end } = await reading;
    assert.equal(end, 'eof');
    assert.ok(bytes.equals(payload), `${bytes.length} bytes`);
    const closed = await service.closedOne();
    const expected = { client: '203.0.113.7:41002', via, endedBy: 'client', reason: 'finished', tried: 1 };
    assert.deepEqual(told(closed), expected);
    assert.equal(closed.bytesToCandidate, payload.length);
  });

  test(`${version} byte by byte, then a payload byte by byte: it is relayed whole`, TIMEOUT, async (t) => {
    const echo = await startEcho(t);
    const service = await startService(t, { candidates: [echo.address], acceptProxyProtocol: true });
    const socket = await connectTo(service.port);
    socket.setNoDelay(true);
    const reading = readAll(socket);
    await writeOneByOne(socket, Buffer.concat([headers[version], Buffer.from('hello')]));
    socket.end();
    assert.equal((await reading).bytes.toString(), 'hello');
    assert.equal((await service.closedOne()).client, '203.0.113.7:41002');
  });

  test(`${version} split at every position: the payload is relayed whole`, TIMEOUT, async (t) => {
    const echo = await startEcho(t);
    const service = await startService(t, { candidates: [echo.address], acceptProxyProtocol: true });
    const bytes = Buffer.concat([headers[version], Buffer.from('hello')]);
    const answers = await Promise.all(
      Array.from({ length: bytes.length - 1 }, async (_, index) => {
        const socket = await connectTo(service.port);
        socket.setNoDelay(true);
        const reading = readAll(socket);
        socket.write(bytes.subarray(0, index + 1));
        // So that the two halves are read apart more often than not; both ways are right.
        await new Promise((resolve) => setTimeout(resolve, 20));
        socket.end(bytes.subarray(index + 1));
        return (await reading).bytes.toString();
      }),
    );
    assert.deepEqual(new Set(answers), new Set(['hello']));
  });
}

test('a server that speaks first is heard by a client that has sent a header alone', TIMEOUT, async (t) => {
  const server = await startServer(t, { onConnection: (socket) => socket.write('welcome') });
  const service = await startService(t, { candidates: [server.address], acceptProxyProtocol: true });
  const socket = await connectTo(service.port);
  socket.write(headers.v2);
  const [greeting] = (await once(socket, 'data')) as [Buffer];
  assert.equal(greeting.toString(), 'welcome');
  socket.end();
});

test('a header of IPv6 names the client in brackets', TIMEOUT, async (t) => {
  const echo = await startEcho(t);
  const service = await startService(t, { candidates: [echo.address], acceptProxyProtocol: true });
  const socket = await connectTo(service.port);
  socket.end(writeProxyHeader({ version: 'v2', ends: ENDS6 }));
  await readAll(socket);
  assert.equal((await service.closedOne()).client, '[2001:db8::7]:41002');
});

test('UNKNOWN and LOCAL leave the client who it is', TIMEOUT, async (t) => {
  const echo = await startEcho(t);
  const service = await startService(t, { candidates: [echo.address], acceptProxyProtocol: true });
  for (const [index, header] of [UNKNOWN, writeProxyHeader({ version: 'v2', ends: undefined })].entries()) {
    const socket = await connectTo(service.port);
    const client = `127.0.0.1:${socket.localPort}`;
    const reading = readAll(socket);
    socket.end(Buffer.concat([header, Buffer.from('hello')]));
    assert.equal((await reading).bytes.toString(), 'hello');
    const closed = await service.closedOne(index + 1);
    assert.deepEqual(told(closed), { client, endedBy: 'client', reason: 'finished', tried: 1 });
  }
});

const wrong: readonly (readonly [string, Buffer, string])[] = [
  ['no header', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'NO_HEADER'],
  ['a TLS handshake', Buffer.from('1603010200', 'hex'), 'NO_HEADER'],
  ['a malformed line', Buffer.from('PROXY TCP4 1.2.3.4 5.6.7.8 1 65536\r\nhello'), 'MALFORMED'],
  ['a line that goes on', Buffer.from(`PROXY UNKNOWN ${'x'.repeat(1_000)}`), 'TOO_LONG'],
  ['a header of 64 kB', Buffer.concat([headers.v2.subarray(0, 14), Buffer.alloc(40_000, 0xff)]), 'TOO_LONG'],
];
for (const [what, bytes, code] of wrong) {
  test(`a client that sends ${what} is reset before anything is dialed`, TIMEOUT, async (t) => {
    const echo = await startEcho(t);
    const service = await startService(t, { candidates: [echo.address], acceptProxyProtocol: true });
    const socket = await connectTo(service.port);
    const client = `127.0.0.1:${socket.localPort}`;
    const reading = readAll(socket);
    socket.write(bytes);
    assert.deepEqual(await reading, { bytes: Buffer.alloc(0), end: 'reset' });
    const expected = { client, endedBy: 'attache', reason: 'proxy_header_invalid', tried: 0 };
    assert.deepEqual(told(await service.closedOne()), expected);
    assert.deepEqual(refusals(service.events), [code]);
    assert.equal(echo.sockets.length, 0);
  });
}

for (const part of [0, 20]) {
  test(`a client that sends ${part} bytes of a header is reset at CONNECT_TIMEOUT`, TIMEOUT, async (t) => {
    const echo = await startEcho(t);
    const dialing = { connectTimeoutMs: 200 };
    const service = await startService(t, { candidates: [echo.address], acceptProxyProtocol: true, dialing });
    const socket = await connectTo(service.port);
    const reading = readAll(socket);
    socket.write(headers.v1.subarray(0, part));
    assert.equal((await reading).end, 'reset');
    const closed = await service.closedOne();
    assert.equal(closed.reason, 'proxy_header_timeout');
    assert.ok(closed.totalMs >= 190 && closed.totalMs < 5_000, `${closed.totalMs} ms`);
    assert.deepEqual(refusals(service.events), ['TIMEOUT']);
    assert.equal(echo.sockets.length, 0);
  });
}

test(
  'a client that connects and leaves, or leaves in its header, is gone and not worth a warning',
  TIMEOUT,
  async (t) => {
    const echo = await startEcho(t);
    const service = await startService(t, { candidates: [echo.address], acceptProxyProtocol: true });
    const leave = [
      (socket: Awaited<ReturnType<typeof connectTo>>) => socket.end(),
      (socket: Awaited<ReturnType<typeof connectTo>>) => socket.resetAndDestroy(),
      (socket: Awaited<ReturnType<typeof connectTo>>) => socket.end(headers.v1.subarray(0, 20)),
      (socket: Awaited<ReturnType<typeof connectTo>>) =>
        socket.write(headers.v2.subarray(0, 20), () => socket.resetAndDestroy()),
    ];
    for (const [index, go] of leave.entries()) {
      const socket = await connectTo(service.port);
      socket.resume();
      go(socket);
      const { reason, endedBy, attempts } = await service.closedOne(index + 1);
      assert.deepEqual({ reason, endedBy, attempts }, { reason: 'client_gone', endedBy: 'client', attempts: [] });
      await eventually(() => socket.destroyed || socket.readableEnded, 'the client is closed, too');
      socket.destroy();
    }
    assert.deepEqual(refusals(service.events), []);
    assert.equal(service.service.connections, 0);
  },
);

test(
  'a client that finishes behind its header is given up like one without, while its candidate is dialed',
  TIMEOUT,
  async (t) => {
    const hole = await startBlackHole(t);
    const service = await startService(t, { candidates: [hole], acceptProxyProtocol: true });
    const socket = await connectTo(service.port);
    socket.end(headers.v2);
    const { reason, totalMs } = await service.closedOne();
    assert.equal(reason, 'client_gone');
    assert.ok(totalMs < 4_000, `${totalMs} ms, long before CONNECT_TIMEOUT`);
    socket.destroy();
  },
);

test('a connection in its header is counted, and cut by a shutdown', TIMEOUT, async (t) => {
  const echo = await startEcho(t);
  const service = await startService(t, {
    candidates: [echo.address],
    acceptProxyProtocol: true,
    maxConnections: 1,
  });
  const first = await connectTo(service.port);
  first.write(headers.v1.subarray(0, 10));
  await eventually(() => service.service.connections === 1, 'the first is counted');
  const second = await connectTo(service.port);
  await readAll(second);
  assert.equal((await service.closedOne()).reason, 'max_connections');
  const reading = readAll(first);
  await service.service.close();
  await reading;
  assert.equal((await service.closedOne(2)).reason, 'shutdown');
  assert.equal(service.service.connections, 0);
});

test('clients of a Unix socket are named by their header', TIMEOUT, async (t) => {
  const echo = await startEcho(t);
  const path = `/tmp/attache-proxy-${process.pid}.sock`;
  const listeners = [{ kind: 'unix', path } as const];
  const service = await startService(t, { candidates: [echo.address], acceptProxyProtocol: true, listeners });
  const socket = connect({ path, allowHalfOpen: true });
  socket.on('error', () => undefined);
  const reading = readAll(socket);
  socket.end(Buffer.concat([headers.v1, Buffer.from('hello')]));
  assert.equal((await reading).bytes.toString(), 'hello');
  const { client, via } = await service.closedOne();
  assert.deepEqual({ client, via }, { client: '203.0.113.7:41002', via: 'unix' });
});

test('clients that leave, stay silent, send rubbish or are served leave nothing behind', TIMEOUT, async (t) => {
  const echo = await startEcho(t);
  const dialing = { connectTimeoutMs: 300 };
  const service = await startService(t, { candidates: [echo.address], acceptProxyProtocol: true, dialing });
  const kinds: readonly Buffer[] = [
    headers.v1,
    headers.v2.subarray(0, 13),
    Buffer.from('x'),
    Buffer.alloc(0),
    headers.v2,
  ];
  await Promise.all(
    Array.from({ length: 200 }, async (_, index) => {
      const socket = await connectTo(service.port);
      const reading = readAll(socket);
      const bytes = kinds[index % kinds.length] ?? '';
      if (index % 7 === 0) socket.write(bytes, () => socket.resetAndDestroy());
      else if (index % 3 === 0) socket.end(bytes);
      else socket.write(bytes);
      setTimeout(() => socket.destroy(), 400);
      await reading;
    }),
  );
  await eventually(() => service.service.connections === 0, 'no connection is left');
  assert.equal(service.closed().length, 200);
});
