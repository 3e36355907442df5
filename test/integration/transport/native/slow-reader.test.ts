import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nativeEngine } from '../../../support/engine.ts';
import { startService } from '../../../support/service.ts';
import { connectTo, readAll, startServer } from '../../../support/tcp.ts';
import { eventually } from '../../../support/wait.ts';

const KEEPALIVE_MS = 1_000;
/** A host that acknowledges nothing is given up by then: KEEPALIVE, 5 s of grace, and two looks. */
const DEAD_MS = KEEPALIVE_MS + 3 * 5_000;
const BYTES = 48 * 1024 * 1024;

test('native: a reader that takes nothing for long is alive: it is not cut, and gets every byte', async (t) => {
  const server = await startServer(t);
  const engine = nativeEngine();
  const { port, closed } = await startService(t, {
    candidates: [server.address],
    engine,
    dialing: { keepAliveMs: KEEPALIVE_MS },
  });
  const client = await connectTo(port);
  client.pause();
  (await server.accepted()).end(Buffer.alloc(BYTES));
  const since = performance.now();
  await eventually(() => performance.now() - since > DEAD_MS, 'a dead host would have been given up', 2 * DEAD_MS);
  assert.deepEqual(closed(), []);
  const whole = readAll(client);
  client.resume().end();
  assert.deepEqual([(await whole).bytes.length, (await whole).end], [BYTES, 'eof']);
});
