import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAttache } from '../../support/attache.ts';
import { ask, freePort, startNamed } from '../../support/tcp.ts';

const TIMEOUT = { timeout: 60_000 };
const isOfState = ({ msg }: { readonly msg?: string }) => /^service (?:serving|degraded|failing)$/.test(msg ?? '');

test('a service that gets worse is a warning with the reason, one that serves again is news', TIMEOUT, async (t) => {
  const [first, second] = [await startNamed(t, 'first'), await freePort()];
  const attache = startAttache(t, {
    env: {
      SRC: '127.0.0.1:0',
      DST: `127.0.0.1:${first.port},127.0.0.1:${second}`,
      BALANCE: 'round-robin',
      RETRIES: '1',
      MAX_FAILS: '1',
      FAIL_TIMEOUT: '1s',
    },
  });
  const port = await attache.port();
  const asks = async () => {
    for (let n = 0; n < 4; n++) await ask(port).catch(() => undefined);
  };
  await asks();
  const told = async (nth: number) => {
    const { level, before, state, reason, service } = await attache.line(isOfState, nth);
    return { level, before, state, reason, service };
  };
  const of = { service: 'default' };
  assert.deepEqual(await told(1), {
    ...of,
    level: 'warn',
    before: 'serving',
    state: 'degraded',
    reason: '1 of 2 available',
  });

  await first.stop();
  await asks();
  assert.deepEqual(await told(2), {
    ...of,
    level: 'warn',
    before: 'degraded',
    state: 'failing',
    reason: 'no candidate answers',
  });

  await startNamed(t, 'second', second);
  await startNamed(t, 'first', first.port);
  // Both are probed when their time is over.
  const { msg, level, reason } = await attache.line((line) => line.msg === 'service serving');
  assert.deepEqual([msg, level, reason], ['service serving', 'info', undefined]);
});

test('a service that serves from its start on, and is stopped, says nothing of its state', TIMEOUT, async (t) => {
  const backend = await startNamed(t, 'only');
  const attache = startAttache(t, { env: { SRC: '127.0.0.1:0', DST: `127.0.0.1:${backend.port}`, DRAIN_DELAY: '1s' } });
  assert.equal(await ask(await attache.port()), 'only');
  attache.child.kill('SIGTERM');
  assert.equal(await attache.exited, 0);
  assert.deepEqual(attache.lines.filter(isOfState), []);
});
