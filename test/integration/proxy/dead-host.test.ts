import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startAttache, type Attache } from '../../support/attache.ts';
import { createAuthority } from '../../support/certificates.ts';
import { openDescriptors } from '../../support/kernel.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { Stopwatch } from '../../support/stopwatch.ts';
import { readAll } from '../../support/tcp.ts';
import { HERE, startTwoHosts, THERE, type TwoHosts } from '../../support/two-hosts.ts';
import { eventually } from '../../support/wait.ts';

const PORT = 7_000;
const IDLE_MS = 2_000;
/** Time-outs are looked at twenty times in their length; what ends is closed within a second more. */
const SLACK_MS = 2_000;
/** Answers whatever it is sent, in a word. */
const ANSWERING = `socket.on('error', () => undefined).on('data', () => socket.write('pong'))`;
const LISTEN = `.listen(${PORT}, '${THERE}', () => console.log('listening'))`;
const PLAIN_SERVER = `require('node:net').createServer((socket) => ${ANSWERING})${LISTEN}`;
const TLS_SERVER = `const { readFileSync: read } = require('node:fs');
  const options = { cert: read(process.env.CERT), key: read(process.env.KEY) };
  require('node:tls').createServer(options, (socket) => ${ANSWERING})${LISTEN}`;

if (process.getuid?.() === 0) {
  suite('a host that dies with bytes under way to it', { timeout: 120_000 }, () => {
    for (const [what, send] of [
      ['a request', (client: Socket) => client.write('ping')],
      ['more than all buffers hold', (client: Socket) => client.write(Buffer.alloc(32 * 1024 * 1024))],
    ] as const) {
      test(`the candidate's, with ${what}: IDLE_TIMEOUT ends both sides in time`, async (t) => {
        const { hosts, attache, client } = await talkToCandidate(t, { IDLE_TIMEOUT: `${IDLE_MS}ms` });
        await hosts.kill();
        send(client);
        await endsInTime(attache, client);
      });
    }

    test("the candidate's, which speaks TLS: IDLE_TIMEOUT ends both sides in time", async (t) => {
      const authority = await createAuthority(t);
      const [server, own] = [await authority.issue('server', [`IP:${THERE}`]), await authority.issue('own')];
      const { hosts, attache, client } = await talkToCandidate(
        t,
        {
          IDLE_TIMEOUT: `${IDLE_MS}ms`,
          TLS_MODE: 'client',
          TLS_CACERT: authority.caPath,
          TLS_CERT: own.certPath,
          TLS_KEY: own.keyPath,
        },
        { script: TLS_SERVER, env: { CERT: server.certPath, KEY: server.keyPath } },
      );
      await hosts.kill();
      client.write(Buffer.alloc(32 * 1024 * 1024));
      await endsInTime(attache, client);
    });

    test("the client's, with an answer under way: IDLE_TIMEOUT ends both sides in time", async (t) => {
      const hosts = await startTwoHosts(t);
      const path = join(await scratchFolder(t), 'candidate.sock');
      const carried: Socket[] = [];
      const candidate = createServer((socket) => carried.push(socket.on('error', () => undefined)));
      candidate.listen(path);
      t.after(() => candidate.close());
      const attache = startAttache(t, {
        besides: hosts.here,
        env: { SRC: `${HERE}:${PORT}`, DST: `unix:${path}`, IDLE_TIMEOUT: `${IDLE_MS}ms` },
      });
      await attache.port();
      await hosts.runThere(`require('node:net').connect(${PORT}, '${HERE}', () => console.log('connected'))`);
      await eventually(() => carried.length === 1, 'it is carried');
      const [server = assert.fail()] = carried;
      await hosts.kill();
      server.write('an answer');
      await endsInTime(attache, server);
    });

    test('net.ipv4.tcp_retries2 of the namespace ends one whose client goes on sending', async (t) => {
      const { hosts, attache, client } = await talkToCandidate(t, {}, { script: PLAIN_SERVER, retries: '3' });
      await hosts.kill();
      const began = new Stopwatch();
      const sending = setInterval(() => client.write('ping'), 200);
      t.after(() => clearInterval(sending));
      const end = readAll(client);
      const { reason, errno } = await closed(attache);
      await end;
      assert.deepEqual([reason, errno], ['candidate_error', undefined]);
      assert.ok(began.ms() < 15_000, `${began.ms()} ms`);
    });

    for (const [what, send] of [
      ['a request', (client: Socket) => client.write('ping')],
      ['more than all buffers hold', (client: Socket) => client.write(Buffer.alloc(32 * 1024 * 1024))],
    ] as const) {
      test(`the native engine ends one with ${what} under way: KEEPALIVE, and what it grants`, async (t) => {
        const { hosts, attache, client } = await talkToCandidate(t, { KEEPALIVE: '1s', ENGINE: 'native' });
        const end = readAll(client);
        await hosts.kill();
        const since = new Stopwatch();
        send(client);
        const { reason } = await closed(attache);
        await end;
        assert.equal(reason, 'candidate_error');
        const ms = since.ms();
        assert.ok(since.wallMs() > 5_000 && ms < 20_000, `${ms} ms`);
      });
    }

    test('KEEPALIVE ends one without a byte under way', async (t) => {
      const { hosts, attache, client } = await talkToCandidate(t, { KEEPALIVE: '1s' });
      const end = readAll(client);
      await hosts.kill();
      const { reason } = await closed(attache);
      await end;
      assert.equal(reason, 'candidate_error');
    });
  });
} else {
  test('as root of a user namespace: a host that dies', { timeout: 300_000 }, async () => {
    const file = fileURLToPath(import.meta.url);
    const inside = spawn('unshare', ['--user', '--map-root-user', '--net', process.execPath, '--test', file], {
      stdio: 'inherit',
    });
    const [code] = (await once(inside, 'close')) as [number | null];
    assert.equal(code, 0, 'network namespaces cannot be made here: allow user namespaces, or run this as root');
  });
}

interface Candidate {
  readonly script: string;
  readonly env?: Readonly<Record<string, string>>;
  /** `tcp_retries2` of the host that attache is on. */
  readonly retries?: string;
}

/** A client, here, that has been answered by a candidate there. The client comes by a Unix socket, which no network has. */
async function talkToCandidate(
  t: TestContext,
  env: Readonly<Record<string, string>>,
  { script, env: theirs, retries }: Candidate = { script: PLAIN_SERVER },
): Promise<{ readonly hosts: TwoHosts; readonly attache: Attache; readonly client: Socket }> {
  const hosts = await startTwoHosts(t);
  if (retries !== undefined) await hosts.setHere('net/ipv4/tcp_retries2', retries);
  await hosts.runThere(script, theirs);
  const path = join(await scratchFolder(t), 'app.sock');
  const attache = startAttache(t, {
    besides: hosts.here,
    env: { SRC: `unix:${path}`, DST: `${THERE}:${PORT}`, ...env },
  });
  await attache.line(({ msg }) => msg === 'listening');
  const client = connect(path).on('error', () => undefined);
  t.after(() => client.destroy());
  client.write('ping');
  await once(client, 'data');
  return { hosts, attache, client };
}

async function closed(attache: Attache) {
  return attache.line(({ msg }) => msg === 'connection closed');
}

/** `socket`'s connection ends by IDLE_TIMEOUT, for the peer that is alive, and attache keeps no descriptor for the other. */
async function endsInTime(attache: Attache, socket: Socket): Promise<void> {
  const { pid = 0 } = attache.child;
  const began = new Stopwatch();
  const held = openDescriptors(pid);
  await readAll(socket);
  const [tookMs, wallMs] = [began.ms(), began.wallMs()];
  assert.equal((await closed(attache))['reason'], 'idle_timeout');
  assert.ok(wallMs > IDLE_MS / 2 && tookMs < IDLE_MS + SLACK_MS, `it ended after ${tookMs} ms`);
  await eventually(() => openDescriptors(pid) <= held - 2, 'both sockets are closed');
}
