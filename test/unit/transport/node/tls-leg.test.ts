import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { test, type TestContext } from 'node:test';
import { Leg, type LegOwner } from '../../../../src/transport/node/leg.ts';
import { TlsLeg } from '../../../../src/transport/node/tls-leg.ts';

const nobody: LegOwner = { legEnded: () => undefined, legFailed: () => undefined, legClosed: () => undefined };

/** Empty writes that reach the socket below when the leg is probed. */
function probesOf(t: TestContext, { isEnded, isWaiting }: { isEnded: boolean; isWaiting: boolean }): number {
  const raw = new Socket();
  const probes = t.mock.method(raw, 'write', () => true);
  // Takes what it is given and never has done with it.
  const secure = new Duplex({ read: () => undefined, write: () => undefined });
  t.after(() => [raw, secure].forEach((socket) => socket.destroy()));
  const plain = new Leg(raw, nobody, true);
  const leg = new TlsLeg({ socket: secure as unknown as TLSSocket, plain, canReset: true, owner: nobody });
  if (isEnded) {
    leg.streamEnd = 'notified';
    leg.endSeen();
  }
  if (isWaiting) secure.write('x');
  leg.probe();
  return probes.mock.callCount();
}

for (const { isEnded, isWaiting, asked } of [
  { isEnded: false, isWaiting: false, asked: 1 },
  { isEnded: true, isWaiting: false, asked: 0 },
  // Node does not tell that such a peer has gone, and what waits for it would wait on.
  { isEnded: true, isWaiting: true, asked: 1 },
]) {
  const peer = `a TLS peer that ${isEnded ? 'has ended' : 'goes on'}${isWaiting ? ' and does not take what is sent' : ''}`;
  test(`${peer} is asked after ${asked} times`, (t) => {
    assert.equal(probesOf(t, { isEnded, isWaiting }), asked);
  });
}
