import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { suite, test, type TestContext } from 'node:test';
import { startAttache } from '../../support/attache.ts';
import { createAuthority, type TestAuthority } from '../../support/certificates.ts';
import { preload } from '../../support/preload.ts';
import { connectTo, readAll, startEcho, startServer } from '../../support/tcp.ts';
import { openTls, pemOf, startTlsServer } from '../../support/tls-service.ts';

/** Node's own methods, made to throw where the service `bad` uses them: as after a change in Node, or by a fault of ours. */
const PRELUDE = `
import net from 'node:net';
import tls from 'node:tls';
const fault = () => { throw new TypeError('a fault of one connection'); };
const candidate = Number(process.env.ATTACHE_TEST_PORT);
const isBad = (socket) => socket.remotePort === candidate;
const change = (of, name, throws) => {
  const own = of[name];
  of[name] = function (...args) { return throws(this, ...args) ? fault() : own.apply(this, args); };
};
const socket = net.Socket.prototype;
const says = (chunk, text) => chunk?.length < 64 && String(chunk).includes(text);
`;

interface Fault {
  readonly where: string;
  /** Of {@link PRELUDE}'s kind. */
  readonly statements: string;
  /** Settings of the service, in the form `SETTING_BAD`. */
  readonly env?: Readonly<Record<string, string>>;
  /** What its client sends. */
  readonly sent?: string;
  readonly tls?: 'client' | 'server';
}

const faults: readonly Fault[] = [
  {
    where: 'where bytes of the client are written on',
    statements: "change(socket, 'write', (self, chunk) => says(chunk, 'boom') && isBad(self));",
    sent: 'boom',
  },
  {
    where: 'where bytes of the candidate are written on',
    statements: "change(socket, 'write', (self, chunk) => says(chunk, 'boom') && !isBad(self));",
    sent: 'boom',
  },
  {
    where: 'where the end of the client is passed on',
    statements: "for (const name of ['end', 'destroySoon']) change(socket, name, isBad);",
  },
  {
    where: 'where a candidate has just been connected to',
    statements: "change(socket, 'setNoDelay', isBad);",
  },
  {
    where: 'where a connection is looked at from time to time',
    statements: "change(socket, 'setKeepAlive', isBad);",
  },
  {
    where: 'where what follows a PROXY header is put back',
    statements: "change(socket, 'unshift', (self, chunk) => says(chunk, 'boom'));",
    env: { ACCEPT_PROXY_PROTOCOL_BAD: 'true' },
    sent: 'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nboom',
  },
  {
    where: 'where the handshake of a client is done',
    statements: "change(tls.TLSSocket.prototype, 'getProtocol', () => true);",
    tls: 'server',
  },
  {
    where: 'where the handshake with a candidate is done',
    statements: "change(tls.TLSSocket.prototype, 'getProtocol', () => true);",
    tls: 'client',
  },
];

suite('an error that Node calls out of the way of one connection', { timeout: 120_000 }, () => {
  for (const { where, statements, env = {}, sent = 'x', tls } of faults) {
    test(`${where} ends that connection, not the process`, { timeout: 30_000 }, async (t) => {
      const good = await startEcho(t);
      const authority = tls && (await createAuthority(t));
      const port = await candidateOf(t, tls === 'client' ? authority : undefined);
      const attache = startAttache(t, {
        // The native engine calls none of these methods.
        env: {
          ENGINE: 'typescript',
          SRC_GOOD: '127.0.0.1:0',
          DST_GOOD: `127.0.0.1:${good.port}`,
          SRC_BAD: '127.0.0.1:0',
          DST_BAD: `127.0.0.1:${port}`,
          ...(await tlsEnv(tls, authority)),
          ...env,
          ATTACHE_TEST_PORT: `${port}`,
        },
        nodeArgs: preload(t, `${PRELUDE}\n${statements}`),
      });
      const bystander = await connectTo(await attache.port('good'));
      t.after(() => bystander.destroy());
      await echoed(bystander, 'before');
      const badPort = await attache.port('bad');
      const client =
        tls === 'server'
          ? openTls(badPort, { ...pemOf({ caPath: authority?.caPath ?? '' }) })
          : await connectTo(badPort);
      t.after(() => client.destroy());
      const over = readAll(client);
      client.end(sent);
      await over;

      const fault = await attache.line(({ msg }) => msg === 'internal error');
      assert.match(String(fault['where']), /^connection \d+ of service bad$/);
      assert.match(JSON.stringify(fault['err']), /a fault of one connection/);
      const line = await attache.line(({ msg, service }) => msg === 'connection closed' && service === 'bad');
      assert.deepEqual([line['reason'], line['endedBy']], ['internal_error', 'attache']);
      assert.equal(attache.lines.filter(({ msg }) => msg === 'candidate ejected').length, 0);
      await echoed(bystander, 'behind');
      bystander.end();
      attache.child.kill('SIGTERM');
      assert.equal(await attache.exited, 0, 'nothing of it is left open');
    });
  }
});

async function candidateOf(t: TestContext, authority: TestAuthority | undefined): Promise<number> {
  if (authority === undefined) {
    // Says nothing by itself, so that a connection is open for as long as nothing ends it.
    return (await startServer(t, { onConnection: (socket) => socket.on('data', (chunk) => socket.write(chunk)) })).port;
  }
  const identity = await authority.issue('candidate', ['IP:127.0.0.1']);
  return (await startTlsServer(t, { ...pemOf({ caPath: authority.caPath, identity }), requestCert: false })).port;
}

async function tlsEnv(
  tls: Fault['tls'],
  authority: TestAuthority | undefined,
): Promise<Readonly<Record<string, string>>> {
  if (tls === undefined || authority === undefined) return {};
  if (tls === 'client') return { TLS_MODE_BAD: 'client', TLS_CACERT_BAD: authority.caPath };
  const { chainPath, keyPath } = await authority.issue('attache', ['DNS:localhost']);
  return { TLS_MODE_BAD: 'server', TLS_CLIENT_AUTH_BAD: 'none', TLS_CERT_BAD: chainPath, TLS_KEY_BAD: keyPath };
}

async function echoed(socket: Socket, text: string): Promise<void> {
  const came = once(socket, 'data');
  socket.write(text);
  const [chunk] = (await came) as [Buffer];
  assert.equal(chunk.toString(), text);
}
