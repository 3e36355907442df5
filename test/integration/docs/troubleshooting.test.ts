import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { suite, test, type TestContext } from 'node:test';
import { formatAddress } from '../../../src/core/address.ts';
import { runAttache, startAttache, type Attache } from '../../support/attache.ts';
import { document } from '../../support/documents.ts';
import { quotedUnder } from '../../support/quoted-lines.ts';
import { readyzThat, type Readyz } from '../../support/readyz.ts';
import { RegistryDirectory, SERVICE } from '../../support/registry-directory.ts';
import { ACCOUNT } from '../../support/s3.ts';
import { ask, connectTo, freePort, readAll, startBlackHole, startEcho, startServer } from '../../support/tcp.ts';

const TIMEOUT = { timeout: 60_000 };

/** The program with one service on a free port. */
function start(t: TestContext, env: Readonly<Record<string, string>>, ulimit?: string): Attache {
  return startAttache(t, { env: { SRC: '127.0.0.1:0', ...env }, ...(ulimit === undefined ? {} : { ulimit }) });
}

async function client(t: TestContext, attache: Attache) {
  const socket = await connectTo(await attache.port());
  t.after(() => socket.destroy());
  return socket;
}

// They mostly wait, each for processes of its own.
suite('troubleshooting', { concurrency: 4 }, () => {
  test('it exits at once', TIMEOUT, async (t) => {
    const quoted = quotedUnder('It exits at once');
    const env = {
      SRC_REDIS: ':0',
      DST_REDIS: 'redis:6379',
      LB_REDSI: 'true',
      IDLE_TIMEOUT: '30',
      CONECT_TIMEOUT: '2s',
    };
    const { code, stderr } = await runAttache(t, { env });
    assert.equal(code, 78);
    assert.ok(document('docs/troubleshooting.md').text.includes(`\`\`\`text\n${stderr}\`\`\``), stderr);

    const taken = await startEcho(t);
    const nowhere = start(t, { SRC: formatAddress(taken.address), DST: 'localhost:1' });
    await quoted.said(nowhere, { level: 'fatal' });
    assert.equal(await nowhere.exited, 69);

    const cut = start(t, { DST: formatAddress(taken.address), SHUTDOWN_TIMEOUT: '100ms' });
    await client(t, cut);
    await taken.accepted();
    cut.child.kill('SIGTERM');
    await quoted.said(cut, { phase: 'cutting' });
    assert.equal(await cut.exited, 1);
    quoted.allWereSaid();
  });

  test('connection refused', TIMEOUT, async (t) => {
    const quoted = quotedUnder('Connection refused');
    const taken = await startEcho(t);
    const attache = startAttache(t, {
      env: { SRC_A: formatAddress(taken.address), SRC_B: '127.0.0.1:0', DST_A: 'localhost:1', DST_B: 'localhost:1' },
    });
    await quoted.said(attache, { msg: 'listen failed' });
    quoted.allWereSaid();
    attache.child.kill('SIGTERM');
    await attache.line(({ msg, reason }) => msg === 'listener closed' && reason === 'shutdown');

    const cluster = [await freePort(), await freePort()].map((port) => `127.0.0.1:${port}`).join();
    const fewer = start(t, { SRC: cluster, DST: 'localhost:1', HTTP_ADDR: formatAddress(taken.address) });
    await fewer.line(({ msg }) => msg === 'HTTP server not listening');
    await fewer.port();
    assert.equal(fewer.lines.filter(({ msg }) => msg === 'listening').length, 1);
  });

  test('/readyz answers 503', TIMEOUT, async (t) => {
    const [registry, taken] = [await RegistryDirectory.create(t), await startEcho(t)];
    await mkdir(registry.at(SERVICE), { recursive: true });
    const empty = { SRV: SERVICE, DSC: `file://${registry.root}` };
    const reasons = async (
      env: Readonly<Record<string, string>>,
      has: string,
      prepare?: (attache: Attache) => unknown,
    ) => {
      const http = await freePort();
      const attache = start(t, { HTTP_ADDR: `127.0.0.1:${http}`, ...env });
      await prepare?.(attache);
      const fits = ({ services }: Readyz) => services.some((service) => service.reasons.join().includes(has));
      const { status, services } = await readyzThat(http, fits, has);
      assert.equal(status, 503);
      return services.flatMap((service) => service.reasons);
    };
    const unreachable = { TLS_MODE: 'client', TLS_CACERT: 's3://bucket/ca.pem', ...ACCOUNT, AWS_REGION: 'us-east-1' };
    const [a, b] = [await freePort(), await freePort()];
    const seen = await Promise.all([
      reasons({ SRC_B: formatAddress(taken.address), DST: 'localhost:1', DST_B: 'localhost:1' }, 'EADDRINUSE'),
      reasons({ ...empty, DSC: `file://${registry.at('nowhere')}` }, 'discovery has not answered yet'),
      reasons({ ...empty, READY_MIN_CANDIDATES: '1' }, 'too few'),
      reasons({ ...empty, SRC: `127.0.0.1:${a},127.0.0.1:${b}` }, 'no listener'),
      reasons({ DST: 'localhost:1', ...unreachable, AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:1' }, 'material yet: s3'),
      reasons({ DST: 'localhost:1', DRAIN_DELAY: '20s' }, 'draining', async (attache) => {
        await attache.line(({ msg }) => msg === 'HTTP server listening');
        attache.child.kill('SIGTERM');
      }),
    ]);
    const told = quotedUnder('/readyz answers 503').rows.map(([[reason = ''] = []]) => reason);
    assert.equal(told.length, 7);
    for (const reason of told)
      assert.ok(
        seen.flat().some((text) => likeOf(reason).test(text)),
        reason,
      );
    for (const text of seen.flat())
      assert.ok(
        told.some((reason) => likeOf(reason).test(text)),
        text,
      );
  });

  test('connections are closed at once', TIMEOUT, async (t) => {
    const quoted = quotedUnder('Connections are closed at once');
    const registry = await RegistryDirectory.create(t);
    await mkdir(registry.at(SERVICE), { recursive: true });
    const empty = start(t, { SRV: SERVICE, DSC: `file://${registry.root}` });
    await ask(await empty.port());
    await quoted.said(empty, { reason: 'no_candidates' });

    const dead = start(t, { DST: '127.0.0.1:1,localhost:2,nosuch.invalid:3' });
    await ask(await dead.port());
    await quoted.said(dead, { reason: 'no_candidate_answered' });

    const echo = await startEcho(t);
    const full = start(t, { DST: formatAddress(echo.address), MAX_CONNECTIONS: '1' });
    await client(t, full);
    await echo.accepted();
    await ask(await full.port());
    await quoted.said(full, { reason: 'max_connections' });
    quoted.allWereSaid();
  });

  test('connects are slow', TIMEOUT, async (t) => {
    const quoted = quotedUnder('Connects are slow');
    const [hole, pong] = [
      await startBlackHole(t),
      await startServer(t, {
        allowHalfOpen: false,
        onConnection: (socket) => socket.once('data', () => socket.write('+PONG\r\n')),
      }),
    ];
    const attache = start(t, { DST: `${formatAddress(hole)},${formatAddress(pong.address)}`, CONNECT_TIMEOUT: '1s' });
    const clients = await Promise.all([client(t, attache), client(t, attache), client(t, attache)]);
    for (const socket of clients) {
      socket.write('PING\r\n');
      socket.once('data', () => socket.end());
    }
    await quoted.said(attache, { msg: 'connection closed' });
    await quoted.said(attache, { msg: 'candidate ejected' });
    quoted.allWereSaid();
  });

  test('connections are cut', TIMEOUT, async (t) => {
    const quoted = quotedUnder('Connections are cut');
    const [registry, echo] = [await RegistryDirectory.create(t), await startEcho(t)];
    await registry.add(formatAddress(echo.address));
    const moved = start(t, { SRV: SERVICE, DSC: `file://${registry.root}` });
    await moved.line(({ msg }) => msg === 'candidates changed');
    await client(t, moved);
    await echo.accepted();
    await registry.add('127.0.0.1:1');
    await quoted.said(moved, { msg: 'connections reset' });
    await quoted.said(moved, { reason: 'membership_changed' });

    const idle = start(t, { DST: formatAddress(echo.address), IDLE_TIMEOUT: '100ms' });
    await client(t, idle);
    await quoted.said(idle, { reason: 'idle_timeout' });

    const stopped = start(t, { DST: formatAddress(echo.address), SHUTDOWN_TIMEOUT: '100ms' });
    await echo.accepted();
    await client(t, stopped);
    await echo.accepted();
    stopped.child.kill('SIGTERM');
    await quoted.said(stopped, { reason: 'shutdown' });
    quoted.allWereSaid();
  });

  test('a member is missing', TIMEOUT, async (t) => {
    const quoted = quotedUnder('A member is missing');
    const registry = await RegistryDirectory.create(t);
    for (const name of ['169.254.169.254:80', 'not an address']) await registry.add(name);
    const attache = start(t, { SRV: SERVICE, DSC: `file://${registry.root}` });
    for (const key of ['169.254.169.254:80', 'not an address']) await quoted.said(attache, { key });
    quoted.allWereSaid();
  });

  test('PROXY headers', TIMEOUT, async (t) => {
    const quoted = quotedUnder('PROXY headers');
    const attache = start(t, { DST: '127.0.0.1:1', ACCEPT_PROXY_PROTOCOL: 'true', CONNECT_TIMEOUT: '200ms' });
    const [wrong, silent] = [await client(t, attache), await client(t, attache)];
    wrong.write('PING\r\n');
    await Promise.all([readAll(wrong), readAll(silent)]);
    for (const code of ['NO_HEADER', 'TIMEOUT']) await quoted.said(attache, { code });
    quoted.allWereSaid();
  });

  test('out of file descriptors', TIMEOUT, async (t) => {
    const quoted = quotedUnder('Out of file descriptors');
    const echo = await startEcho(t);
    const attache = start(t, { DST: formatAddress(echo.address), MAX_CONNECTIONS: '100' }, '-n 96');
    await quoted.said(attache, { maxConnections: 100 });
    const clients = await Promise.all(Array.from({ length: 30 }, () => client(t, attache)));
    await quoted.said(attache, { level: 'error' });
    for (const socket of clients) socket.destroy();
    await quoted.said(attache, { msg: 'file descriptors available again' });
    quoted.allWereSaid();
  });

  test('out of memory', TIMEOUT, async (t) => {
    const quoted = quotedUnder('Out of memory');
    const echo = await startEcho(t);
    // Less than the process needs for itself: eight are let in all the same.
    const attache = start(t, { DST: formatAddress(echo.address), MAX_MEMORY: '2Mi' });
    const clients = [];
    for (let i = 0; i < 8; i += 1) clients.push(await client(t, attache));
    for (const socket of clients) socket.write('?');
    await Promise.all(clients.map((socket) => once(socket, 'data')));
    const refused = await Promise.all(Array.from({ length: 6 }, () => client(t, attache)));
    await quoted.said(attache, { level: 'error' });
    for (const socket of [...clients, ...refused]) socket.destroy();
    await quoted.said(attache, { msg: 'memory available again' });
    quoted.allWereSaid();
  });

  test(
    'troubleshooting: a candidate that does not expect a PROXY header takes it for the first line',
    TIMEOUT,
    async (t) => {
      const backend = await startServer(t);
      const attache = start(t, { DST: formatAddress(backend.address), PROXY_PROTOCOL: 'v1' });
      await client(t, attache);
      const [first] = (await once(await backend.accepted(), 'data')) as [Buffer];
      assert.match(first.toString(), /^PROXY TCP4 /);
    },
  );
});

/** A reason as it is shown: `...` is anything, and so is a port. */
function likeOf(reason: string): RegExp {
  const parts = reason.split(/\.\.\.|\d{5}/).map((part) => part.replaceAll(/[.()]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}`);
}
