import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createAuthority, type CertificateFiles } from '../../support/certificates.ts';
import { startService } from '../../support/service.ts';
import { spoken } from '../../support/spoken.ts';
import { connectTo, freePort, readAll, startEcho } from '../../support/tcp.ts';
import { accepting, dialingTls } from '../../support/tls-service.ts';
import { eventually } from '../../support/wait.ts';

const TIMEOUT = { timeout: 60_000 };
const BYTES = 4 * 1024 * 1024;

test('client mode speaks to stunnel, which asks for our certificate', TIMEOUT, async (t) => {
  const authority = await createAuthority(t);
  const identity = await authority.issue('localhost', ['DNS:localhost']);
  const echo = await startEcho(t);
  const port = await startStunnel(t, { mode: 'server', connect: echo.port, caPath: authority.caPath, identity });
  const service = await startService(t, {
    candidates: [{ kind: 'tcp', host: 'localhost', port }],
    dialing: { tls: dialingTls({ caPath: authority.caPath, identity }) },
  });
  await carries(service.port);
  assert.equal((await service.closedOne()).reason, 'finished');
});

test('server mode lets stunnel in by its certificate', TIMEOUT, async (t) => {
  const authority = await createAuthority(t);
  const identity = await authority.issue('localhost', ['DNS:localhost']);
  const echo = await startEcho(t);
  const service = await startService(t, {
    candidates: [echo.address],
    accepting: accepting({ caPath: authority.caPath, identity, allow: ['dns:localhost'] }),
  });
  const port = await startStunnel(t, {
    mode: 'client',
    connect: service.port,
    caPath: authority.caPath,
    identity,
  });
  await carries(port);
  assert.equal((await service.closedOne()).reason, 'finished');
});

/** Sends, finishes, and gets the same back and an end. */
async function carries(port: number): Promise<void> {
  const socket = await connectTo(port);
  const data = randomBytes(BYTES);
  const reading = readAll(socket);
  socket.end(data);
  const { bytes, end } = await reading;
  socket.destroy();
  assert.equal(end, 'eof');
  assert.equal(hash(bytes), hash(data));
}

function hash(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

interface StunnelOptions {
  readonly mode: 'client' | 'server';
  readonly connect: number;
  readonly caPath: string;
  readonly identity: CertificateFiles;
}

/** A real stunnel on a free loopback port, ended with the test. */
async function startStunnel(t: TestContext, options: StunnelOptions): Promise<number> {
  const { mode, connect, caPath, identity } = options;
  const folder = await mkdtemp(join(tmpdir(), 'attache-stunnel-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const port = await freePort();
  const file = join(folder, 'stunnel.conf');
  const lines = [
    'foreground = yes',
    'pid =',
    '[test]',
    `client = ${mode === 'client' ? 'yes' : 'no'}`,
    `accept = 127.0.0.1:${port}`,
    `connect = 127.0.0.1:${connect}`,
    `cert = ${identity.certPath}`,
    `key = ${identity.keyPath}`,
    `CAfile = ${caPath}`,
    'verifyChain = yes',
    ...(mode === 'client' ? ['checkHost = localhost', 'sni = localhost'] : ['requireCert = yes']),
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  const child = spawn('stunnel4', [file], { stdio: ['ignore', 'ignore', 'pipe'] });
  const { output } = spoken(t, child);
  await eventually(() => output().includes('Configuration successful'), `stunnel has started: ${output()}`);
  return port;
}
