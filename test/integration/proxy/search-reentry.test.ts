import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startService } from '../../support/service.ts';
import { connectTo, freePort, readAll, startEcho } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

const loopback = (port: number) => ({ kind: 'tcp', host: '127.0.0.1', port }) as const;

test('who hears of a failed dial may change the set at once: one dial goes on, to a member of the new set', async (t) => {
  const [dead, gone] = [loopback(await freePort()), loopback(await freePort())];
  const echo = await startEcho(t);
  const proxy = await startService(t, {
    candidates: [dead, gone],
    observe: (event) => {
      if (event.type === 'dial-failed' && event.errno !== 'REMOVED') proxy.source.put([echo.address]);
    },
  });
  const client = await connectTo(proxy.port);
  t.after(() => client.destroy());
  client.write('hello');
  await eventually(() => client.readableLength > 0, 'the echo');
  assert.equal(String(client.read()), 'hello');
  assert.equal(echo.sockets.length, 1);
});

test('who hears of a failed dial may close the service at once: no other candidate is dialed', async (t) => {
  const dead = loopback(await freePort());
  const echo = await startEcho(t);
  const proxy = await startService(t, {
    candidates: [dead, echo.address],
    observe: (event) => {
      if (event.type === 'dial-failed') proxy.service.cut('shutdown');
    },
  });
  const client = await connectTo(proxy.port);
  await readAll(client);
  client.destroy();
  assert.equal((await proxy.closedOne()).reason, 'shutdown');
  await proxy.service.close();
  assert.equal(echo.sockets.length, 0);
});

for (const left of ['an empty set', 'another candidate'] as const) {
  test(`who hears of a connection may take its candidate out of the set at once, for ${left}`, async (t) => {
    const [first, second] = [await startEcho(t), await startEcho(t)];
    const proxy = await startService(t, {
      candidates: [first.address],
      observe: (event) => {
        if (event.type !== 'connection-established' || event.candidate !== `127.0.0.1:${first.port}`) return;
        proxy.source.put(left === 'an empty set' ? [] : [second.address]);
      },
    });
    const client = await connectTo(proxy.port);
    t.after(() => client.destroy());
    client.end('hello');
    const { bytes } = await readAll(client);
    assert.equal(String(bytes), left === 'an empty set' ? '' : 'hello');
    const { reason, candidate, attempts } = await proxy.closedOne();
    if (left === 'an empty set') assert.deepEqual([reason, candidate], ['no_candidate_answered', undefined]);
    else assert.deepEqual([reason, candidate], ['finished', `127.0.0.1:${second.port}`]);
    assert.ok(attempts.length > 0);
  });
}

for (const heard of ['connection-opened', 'connection-established'] as const) {
  test(`who hears of ${heard} may end everything at once`, async (t) => {
    const echo = await startEcho(t);
    const proxy = await startService(t, {
      candidates: [echo.address],
      observe: (event) => {
        if (event.type === heard) proxy.service.cut('shutdown');
      },
    });
    const client = await connectTo(proxy.port);
    await readAll(client);
    client.destroy();
    assert.equal((await proxy.closedOne()).reason, 'shutdown');
    await eventually(() => echo.sockets.every((socket) => socket.destroyed), 'nobody is left at the candidate');
  });
}
