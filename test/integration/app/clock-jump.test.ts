import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Address } from '../../../src/core/address.ts';
import { startService } from '../../support/service.ts';
import { Stopwatch } from '../../support/stopwatch.ts';
import { ask, connectTo, freePort, startBlackHole, startEcho, startNamed } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

const DAY_MS = 86_400_000;
const local = (port: number): Address => ({ kind: 'tcp', host: '127.0.0.1', port });

/** Sets the wall clock of this process; the monotonic one goes on. */
function setClock(t: TestContext, byMs: number): void {
  const now = Date.now.bind(Date);
  t.mock.method(Date, 'now', () => now() + byMs);
}

async function talk(socket: Socket): Promise<void> {
  socket.write('x');
  await once(socket, 'data');
}

for (const [name, jumpMs] of [
  ['a day ahead', DAY_MS],
  ['a day back', -DAY_MS],
] as const) {
  test(`promise 36: the clock jumps ${name}: IDLE_TIMEOUT and HALF_CLOSE_TIMEOUT end nothing early, and nothing late`, async (t) => {
    const echo = await startEcho(t);
    const timeouts = { idleTimeoutMs: 2_000, halfCloseTimeoutMs: 2_000 };
    const { port, closedOne, closed } = await startService(t, { candidates: [echo.address], ...timeouts });
    const began = new Stopwatch();
    const client = await connectTo(port);
    await talk(client);
    setClock(t, jumpMs);
    // Several sweeps, a tenth of the time-out apart.
    await pause(800);
    assert.equal(closed().length, 0, 'ended by the jump');
    await talk(client);
    assert.equal((await closedOne()).reason, 'idle_timeout');
    const tookMs = began.ms();
    assert.ok(began.wallMs() > 2_500 && tookMs < 8_000, `ended after ${tookMs} ms`);
    client.destroy();
  });

  test(`promise 36: the clock jumps ${name}: CONNECT_TIMEOUT and HOLD_TIMEOUT are as long as before`, async (t) => {
    const [hole, second] = [await startBlackHole(t), await startNamed(t, 'second')];
    const dialed = await startService(t, {
      candidates: [hole, second.address],
      dialing: { connectTimeoutMs: 1_000 },
    });
    const held = await startService(t, { candidates: [local(await freePort())], holdTimeoutMs: 1_000 });
    const watch = new Stopwatch();
    const [waiting, holding] = [ask(dialed.port), ask(held.port)];
    await eventually(() => held.service.status.held === 1, 'held');
    setClock(t, jumpMs);
    assert.deepEqual([await waiting, await holding], ['second', '']);
    const [first] = (await dialed.closedOne()).attempts;
    assert.ok(first !== undefined && first.ms > 900 && first.ms - watch.lostMs() < 4_000, `dialed for ${first?.ms} ms`);
    const { reason, totalMs } = await held.closedOne();
    assert.equal(reason, 'hold_timeout');
    assert.ok(totalMs > 900 && totalMs - watch.lostMs() < 4_000, `held for ${totalMs} ms`);
  });

  test(`promise 36: the clock jumps ${name}: a candidate that is ejected is tried again after FAIL_TIMEOUT, and not before`, async (t) => {
    const [first, second] = [await freePort(), await startNamed(t, 'second')];
    const { port, closedOne } = await startService(t, {
      candidates: [local(first), second.address],
      maxFails: 1,
      failTimeoutMs: 1_500,
    });
    const tried = async (n: number) => (await closedOne(n)).attempts.map(({ candidate }) => candidate);
    const [dead, alive] = [`127.0.0.1:${first}`, `127.0.0.1:${second.port}`];
    await ask(port);
    assert.deepEqual(await tried(1), [dead, alive]);
    setClock(t, jumpMs);
    await ask(port);
    assert.deepEqual(await tried(2), [alive]);
    await pause(1_600);
    await ask(port);
    assert.deepEqual(await tried(3), [dead, alive]);
  });
}
