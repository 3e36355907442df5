import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createAuthority } from '../../support/certificates.ts';
import { startService } from '../../support/service.ts';
import { connectTo, startServer } from '../../support/tcp.ts';
import { accepting, dialingTls, openTls, pemOf } from '../../support/tls-service.ts';
import { eventually } from '../../support/wait.ts';

const CONNECTIONS = 600;
const AT_ONCE = 30;
const CHUNK = randomBytes(64 * 1024);

test(
  '600 connections through a pair, cut anywhere by anyone: nothing crashes and nothing is left',
  { timeout: 90_000 },
  async (t) => {
    const authority = await createAuthority(t);
    const identity = await authority.issue('localhost', ['DNS:localhost']);
    const candidate = await startServer(t, {
      onConnection: (socket) => {
        socket.pipe(socket);
        cutLater(socket);
      },
    });
    const files = { caPath: authority.caPath, identity };
    const inner = await startService(t, { candidates: [candidate.address], accepting: accepting(files) });
    const outer = await startService(t, {
      candidates: [{ kind: 'tcp', host: 'localhost', port: inner.port }],
      dialing: { tls: dialingTls(files) },
    });
    const client = pemOf(files);
    const run = async (n: number) => {
      // Every third comes by TLS straight to the inner one, and may leave in the middle of its handshake.
      const socket = n % 3 === 0 ? openTls(inner.port, client) : await connectTo(outer.port);
      socket.on('data', () => undefined);
      socket.write(CHUNK);
      socket.write(CHUNK);
      cutLater(socket);
      await new Promise((resolve) => socket.once('close', resolve));
    };
    for (let done = 0; done < CONNECTIONS; done += AT_ONCE) {
      await Promise.all(Array.from({ length: AT_ONCE }, (_, n) => run(n)));
      // A cut by us, in whatever state each is.
      if (done % (AT_ONCE * 5) === 0) inner.service.cut('shutdown');
    }
    const left = () => [...inner.service.open, ...outer.service.open].map(({ facts }) => JSON.stringify(facts));
    await eventually(() => left().length === 0, 'none is left').catch(() => assert.deepEqual(left(), []));
    assert.equal(inner.events.filter(({ type }) => type === 'internal-error').length, 0);
  },
);

/** Ends a socket within 30 ms, in one of four ways. */
function cutLater(socket: Socket): void {
  const how = Math.floor(Math.random() * 4);
  void delay(Math.random() * 30).then(() => {
    if (how === 0) socket.end(() => socket.destroySoon());
    else if (how === 1 && !('encrypted' in socket)) socket.resetAndDestroy();
    else if (how === 2) socket.destroySoon();
    else socket.destroy();
    // A half-closed peer may wait for us.
    return delay(200).then(() => socket.destroy());
  });
}
