import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startService } from '../support/service.ts';
import { connectTo, freePort, readAll, startEcho } from '../support/tcp.ts';
import { eventually } from '../support/wait.ts';

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
