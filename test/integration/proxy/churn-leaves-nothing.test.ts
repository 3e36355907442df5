import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Server } from 'node:net';
import { test } from 'node:test';
import { watchTimers } from '../../support/live-timers.ts';
import { startService } from '../../support/service.ts';
import { connectTo, startEcho } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

test('promise 9: a service that is empty again and again leaves no timer and no listener, not even one that nobody waits for', async (t) => {
  const server = await startEcho(t);
  const timers = watchTimers(t);
  const { port, service } = await startService(t, {
    candidates: [server.address],
    idleTimeoutMs: 60_000,
    holdTimeoutMs: 60_000,
  });
  const one = async (n: number) => {
    const client = await connectTo(port);
    client.write('ping');
    await once(client, 'data');
    if (n % 2 === 0) client.resetAndDestroy();
    else client.destroy();
    await eventually(() => service.connections === 0, 'it is empty');
    await eventually(() => server.sockets.every((socket) => socket.closed), 'so is the candidate');
  };
  await one(0);
  const before = { timers: timers(), listeners: listenersOf(server.server) };
  for (let n = 0; n < 60; n += 1) await one(n);
  await eventually(() => timers() <= before.timers, `back to ${before.timers} timers, now ${timers()}`);
  assert.deepEqual(listenersOf(server.server), before.listeners);
});

/** Listeners on what all connections share. */
function listenersOf(server: Server): readonly number[] {
  const count = (emitter: NodeJS.EventEmitter) =>
    emitter.eventNames().reduce((sum, name) => sum + emitter.listenerCount(name), 0);
  return [count(process), count(server)];
}
