import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import type { ConnectionClosedEvent } from '../../../src/core/observer.ts';
import { createAuthority, type CertificateFiles } from '../../support/certificates.ts';
import { startHaproxy } from '../../support/haproxy.ts';
import { startService, type TestService } from '../../support/service.ts';
import { freePort, readAll, startEcho } from '../../support/tcp.ts';
import { accepting, dialingTls, openTls, pemOf } from '../../support/tls-service.ts';
import { eventually } from '../../support/wait.ts';

const TIMEOUT = { timeout: 60_000 };
const versions = [
  { version: 'v1', flag: 'send-proxy' },
  { version: 'v2', flag: 'send-proxy-v2' },
] as const;
const hosts = ['127.0.0.1', '::1'] as const;

for (const host of hosts) {
  for (const { version, flag } of versions) {
    test(`HAProxy in front with ${flag}: its client at ${host} is the client`, TIMEOUT, async (t) => {
      if (!(await hasAddress(host))) {
        t.skip(`this machine has no ${host}`);
        return;
      }
      const echo = await startEcho(t);
      const service = await startService(t, { candidates: [echo.address], acceptProxyProtocol: true });
      const port = await freePort();
      const sections = `listen front
  bind 127.0.0.1:${port}
  bind [::1]:${port}
  server attache 127.0.0.1:${service.port} ${flag}`;
      await startHaproxy(t, { sections: host === '::1' ? sections : without(sections, '[::1]'), port });
      const socket = await connectAt(host, port);
      const client = addressOf(host, socket.localPort);
      const reading = readAll(socket);
      socket.end('hello');
      assert.equal((await reading).bytes.toString(), 'hello');
      const known = await recordOf(service, client);
      assert.match(known.via ?? '', /^127\.0\.0\.1:\d+$/);
      assert.equal(known.reason, 'finished');
    });

    test(`HAProxy behind: ${version} tells it of a client at ${host}`, TIMEOUT, async (t) => {
      if (!(await hasAddress(host))) {
        t.skip(`this machine has no ${host}`);
        return;
      }
      const port = await freePort();
      await startHaproxy(t, { sections: answering(port), port });
      const service = await startService(t, {
        candidates: [{ kind: 'tcp', host: '127.0.0.1', port }],
        listeners: [{ kind: 'tcp', host, port: 0 }],
        dialing: { family: 0 },
        proxyProtocol: version,
      });
      const socket = await connectAt(host, service.port);
      const expected = `${host} ${socket.localPort} ${host} ${service.port}`;
      assert.equal(await askHttp(socket), expected);
    });
  }
}

test('HAProxy on both ends: who came to the first is told to the last', TIMEOUT, async (t) => {
  const [front, behind] = [await freePort(), await freePort()];
  await startHaproxy(t, { sections: answering(behind), port: behind });
  const service = await startService(t, {
    candidates: [{ kind: 'tcp', host: '127.0.0.1', port: behind }],
    acceptProxyProtocol: true,
    proxyProtocol: 'v2',
  });
  const sections = `listen front
  bind 127.0.0.1:${front}
  server attache 127.0.0.1:${service.port} send-proxy`;
  await startHaproxy(t, { sections, port: front });
  const socket = await connectAt('127.0.0.1', front);
  const expected = `127.0.0.1 ${socket.localPort} 127.0.0.1 ${front}`;
  assert.equal(await askHttp(socket), expected);
});

test('clients of a Unix socket: HAProxy behind takes UNKNOWN and LOCAL for its own connection', TIMEOUT, async (t) => {
  const port = await freePort();
  await startHaproxy(t, { sections: answering(port), port });
  for (const { version } of versions) {
    const path = `/tmp/attache-haproxy-${version}-${process.pid}.sock`;
    const service = await startService(t, {
      candidates: [{ kind: 'tcp', host: '127.0.0.1', port }],
      listeners: [{ kind: 'unix', path }],
      proxyProtocol: version,
    });
    const socket = connect({ path, allowHalfOpen: true });
    await once(socket, 'connect');
    assert.match(await askHttp(socket), new RegExp(`^127\\.0\\.0\\.1 \\d+ 127\\.0\\.0\\.1 ${port}$`));
    assert.equal((await service.closedOne()).reason, 'finished');
  }
});

test(
  'server mode between two: what HAProxy put in front of TLS, and the name asked for, reach the last',
  TIMEOUT,
  async (t) => {
    const authority = await createAuthority(t);
    const [own, identity] = await Promise.all([
      authority.issue('localhost', ['DNS:localhost']),
      authority.issue('web.internal', ['DNS:web.internal']),
    ]);
    const [front, behind] = [await freePort(), await freePort()];
    await startHaproxy(t, { sections: answering(behind), port: behind });
    const service = await startService(t, {
      candidates: [{ kind: 'tcp', host: '127.0.0.1', port: behind }],
      acceptProxyProtocol: true,
      proxyProtocol: 'v2',
      accepting: accepting({ caPath: authority.caPath, identity: own }),
    });
    const sections = `listen front
  bind 127.0.0.1:${front}
  server attache 127.0.0.1:${service.port} send-proxy-v2`;
    await startHaproxy(t, { sections, port: front });
    const socket = openTls(front, pemOf({ caPath: authority.caPath, identity }));
    await once(socket, 'secureConnect');
    const client = socket.localPort;
    assert.equal(await askHttp(socket), `127.0.0.1 ${client} 127.0.0.1 ${front} localhost`);
    assert.equal((await recordOf(service, `127.0.0.1:${client}`)).tls?.peer, 'web.internal');
  },
);

test('HAProxy that ends TLS in front: its entries on the client are passed over', TIMEOUT, async (t) => {
  const authority = await createAuthority(t);
  const [own, identity] = await Promise.all([
    authority.issue('localhost', ['DNS:localhost']),
    authority.issue('web.internal', ['DNS:web.internal']),
  ]);
  const echo = await startEcho(t);
  const service = await startService(t, { candidates: [echo.address], acceptProxyProtocol: true });
  const port = await freePort();
  const sections = `listen front
  bind 127.0.0.1:${port} ssl crt ${await pemFile(own)} ca-file ${authority.caPath} verify required
  server attache 127.0.0.1:${service.port} send-proxy-v2-ssl-cn proxy-v2-options crc32c,authority,unique-id,ssl,cert-cn
  unique-id-format %rt`;
  await startHaproxy(t, { sections, port });
  const socket = openTls(port, pemOf({ caPath: authority.caPath, identity }));
  await once(socket, 'secureConnect');
  const client = `127.0.0.1:${socket.localPort}`;
  const reading = readAll(socket);
  socket.end('hello');
  assert.equal((await reading).bytes.toString(), 'hello');
  socket.destroy();
  await recordOf(service, client);
  assert.deepEqual(
    service.events.filter(({ type }) => type === 'proxy-header-refused'),
    [],
  );
});

test('client mode: HAProxy behind reads the header in front of the TLS it ends', TIMEOUT, async (t) => {
  const authority = await createAuthority(t);
  const own = await authority.issue('localhost', ['DNS:localhost']);
  const port = await freePort();
  const bind = `ssl crt ${await pemFile(own)}`;
  await startHaproxy(t, { sections: answering(port, bind), port });
  for (const { version } of versions) {
    const service = await startService(t, {
      candidates: [{ kind: 'tcp', host: 'localhost', port }],
      proxyProtocol: version,
      dialing: { tls: dialingTls({ caPath: authority.caPath }) },
    });
    const socket = await connectAt('127.0.0.1', service.port);
    const expected = `127.0.0.1 ${socket.localPort} 127.0.0.1 ${service.port}`;
    assert.equal(await askHttp(socket), expected);
  }
});

/** The access record of one client; HAProxy's start is seen by connections of which there are others. */
async function recordOf(service: TestService, client: string): Promise<ConnectionClosedEvent> {
  const found = () => service.closed().find((event) => event.client === client);
  await eventually(() => found() !== undefined, `the record of ${client}`);
  const record = found();
  assert.ok(record);
  return record;
}

/** A frontend that answers with whom it was told of. */
function answering(port: number, bind = ''): string {
  return `frontend answering
  mode http
  bind 127.0.0.1:${port} accept-proxy ${bind}
  http-request return status 200 content-type text/plain lf-string "%[src] %[src_port] %[dst] %[dst_port] %[fc_pp_authority]"`;
}

async function askHttp(socket: Socket): Promise<string> {
  const reading = readAll(socket);
  socket.write('GET / HTTP/1.0\r\n\r\n');
  const { bytes } = await reading;
  socket.destroy();
  return bytes.toString().split('\r\n\r\n')[1]?.trimEnd() ?? '';
}

async function connectAt(host: string, port: number): Promise<Socket> {
  const socket = connect({ host, port, allowHalfOpen: true });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

function addressOf(host: string, port: number | undefined): string {
  return host === '::1' ? `[::1]:${port}` : `${host}:${port}`;
}

function without(sections: string, text: string): string {
  return sections
    .split('\n')
    .filter((line) => !line.includes(text))
    .join('\n');
}

async function hasAddress(host: string): Promise<boolean> {
  const server = createServer().listen(0, host);
  try {
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

/** Key and certificate in one file, as HAProxy wants them; it lies, and goes, with the others. */
async function pemFile(identity: CertificateFiles): Promise<string> {
  const path = `${identity.keyPath}.both.pem`;
  await writeFile(path, Buffer.concat([await readFile(identity.chainPath), await readFile(identity.keyPath)]));
  return path;
}
