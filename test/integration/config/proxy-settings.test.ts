import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAttache } from '../../support/attache.ts';
import { createAuthority } from '../../support/certificates.ts';
import { readEntries, startHeaderServer } from '../../support/proxy-entries.ts';
import { connectTo, freePort, readAll } from '../../support/tcp.ts';
import { connectTls, pemOf } from '../../support/tls-service.ts';
import { eventually } from '../../support/wait.ts';

const TIMEOUT = { timeout: 60_000 };

test(
  'the settings of two services pass a client on, and the access line has it and who carried it',
  TIMEOUT,
  async (t) => {
    const server = await startHeaderServer(t);
    const between = await freePort();
    const attache = startAttache(t, {
      env: {
        SRC_FRONT: '127.0.0.1:0',
        DST_FRONT: `127.0.0.1:${between}`,
        PROXY_PROTOCOL_FRONT: 'v2',
        SRC_BACK: `127.0.0.1:${between}`,
        DST_BACK: `127.0.0.1:${server.port}`,
        ACCEPT_PROXY_PROTOCOL_BACK: 'true',
        PROXY_PROTOCOL_BACK: 'v1',
      },
    });
    await attache.port('back');
    const port = await attache.port('front');
    const socket = await connectTo(port);
    const from = socket.localPort;
    const client = `127.0.0.1:${from}`;
    const reading = readAll(socket);
    socket.end('hello');
    assert.equal((await reading).bytes.toString(), 'hello');
    assert.equal(server.told[0]?.header.toString(), `PROXY TCP4 127.0.0.1 127.0.0.1 ${from} ${port}\r\n`);
    const line = await attache.line(({ msg, service }) => msg === 'connection closed' && service === 'back');
    assert.equal(line['client'], client);
    assert.match(String(line['via']), /^127\.0\.0\.1:\d+$/);
    assert.equal(line['bytesToCandidate'], 5);

    const plain = await connectTo(between);
    const refused = readAll(plain);
    plain.write('PING\r\n');
    assert.equal((await refused).end, 'reset');
    const warning = await attache.line(({ msg }) => msg === 'proxy header refused');
    assert.deepEqual([warning['level'], warning['service'], warning['code']], ['warn', 'back', 'NO_HEADER']);
  },
);

test(
  "the settings of TLS and version 2 tell the candidate the common name of the client's certificate",
  TIMEOUT,
  async (t) => {
    const authority = await createAuthority(t);
    const [own, identity] = await Promise.all([
      authority.issue('localhost', ['DNS:localhost']),
      authority.issue('web.internal', ['DNS:web.internal']),
    ]);
    const server = await startHeaderServer(t);
    const attache = startAttache(t, {
      env: {
        SRC: '127.0.0.1:0',
        DST: `127.0.0.1:${server.port}`,
        PROXY_PROTOCOL: 'v2',
        TLS_MODE: 'server',
        TLS_CACERT: authority.caPath,
        TLS_CERT: own.chainPath,
        TLS_KEY: own.keyPath,
      },
    });
    const socket = await connectTls(await attache.port(), pemOf({ caPath: authority.caPath, identity }));
    await eventually(() => server.told.length === 1, 'the header');
    socket.destroy();
    const ssl = server.told[0]?.entries.get(0x20) ?? Buffer.alloc(5);
    assert.equal(readEntries(ssl.subarray(5)).get(0x22)?.toString(), 'web.internal');
  },
);
