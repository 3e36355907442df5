import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { createAuthority } from '../../../support/certificates.ts';
import { nativeEngine } from '../../../support/engine.ts';
import { startService, type TestService } from '../../../support/service.ts';
import { readAll, startEcho } from '../../../support/tcp.ts';
import { accepting, connectTls, materialOf, openTls, pemOf } from '../../../support/tls-service.ts';

const LIMIT = { timeout: 60_000 };

test('native: new material ends the sessions of the old, and connections go on', LIMIT, async (t) => {
  const { service, use, serials, client } = await serverMode(t);
  const first = await connectTls(service.port, client);
  const session = await sessionOf(first);
  const again = await connectTls(service.port, { ...client, session });
  assert.equal(again.isSessionReused(), true);
  use('second');
  const renewed = await connectTls(service.port, { ...client, session });
  assert.equal(renewed.isSessionReused(), false);
  assert.equal(renewed.getPeerCertificate().serialNumber, serials.second);
  for (const socket of [first, again, renewed]) {
    socket.end('still');
    assert.match((await readAll(socket)).bytes.toString(), /still$/);
  }
});

test('native: who is believed no longer is refused, with a session of before as well', LIMIT, async (t) => {
  const { service, use, client } = await serverMode(t);
  const first = await connectTls(service.port, client);
  const session = await sessionOf(first);
  first.destroy();
  await service.closedOne();
  use('other authority');
  assert.equal((await readAll(openTls(service.port, { ...client, session }))).bytes.length, 0);
  assert.equal((await service.closedOne(2)).reason, 'tls_peer_refused');
});

async function sessionOf(socket: TLSSocket): Promise<Buffer> {
  const session = once(socket, 'session');
  socket.write('hello');
  return ((await session) as [Buffer])[0];
}

type Name = 'first' | 'second' | 'other authority';

interface World {
  readonly service: TestService;
  readonly client: ReturnType<typeof pemOf>;
  /** What new connections are let in by. */
  readonly use: (name: Name) => void;
  readonly serials: { readonly second: string | undefined };
}

async function serverMode(t: TestContext): Promise<World> {
  const [authority, other] = [await createAuthority(t), await createAuthority(t)];
  const { caPath } = authority;
  const issue = () => authority.issue('localhost', ['DNS:localhost']);
  const [first, second] = [await issue(), await issue()];
  const materials = {
    first: materialOf({ caPath, identity: first }, 'server'),
    second: materialOf({ caPath, identity: second }, 'server'),
    'other authority': materialOf({ caPath: other.caPath, identity: first }, 'server'),
  };
  let current: Name = 'first';
  const echo = await startEcho(t);
  const service = await startService(t, {
    candidates: [echo.address],
    engine: nativeEngine(),
    accepting: accepting({ caPath, identity: first }, { material: () => materials[current] }),
  });
  return {
    service,
    client: pemOf({ caPath, identity: await authority.issue('web', ['DNS:web.internal']) }),
    use: (name) => {
      current = name;
    },
    serials: { second: materials.second.leaf?.serial },
  };
}
