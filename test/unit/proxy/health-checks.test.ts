import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { dialPolicy } from '../../../src/core/dial-policy.ts';
import { HealthChecks, type HealthChecked } from '../../../src/proxy/health-checks.ts';

const NEVER_MS = 20_000;

/** Checks of one candidate that is never heard of. */
function silentCandidate(t: TestContext): Promise<HealthChecked> {
  return new Promise((resolve) => {
    const checks = new HealthChecks({
      settings: {
        check: { kind: 'tcp', send: '', expect: undefined },
        intervalMs: NEVER_MS,
        timeoutMs: 100,
        fall: 1,
        rise: 1,
        onUnhealthy: 'keep',
      },
      engine: { dial: () => ({ start: () => undefined, abort: () => undefined }) },
      dialing: {
        connectTimeoutMs: NEVER_MS,
        keepAliveMs: 0,
        family: 0,
        policy: dialPolicy([]),
        resolver: { resolve: () => Promise.resolve([]) },
      },
      proxyProtocol: 'off',
      onChange: () => undefined,
      onChecked: resolve,
      onSplit: () => undefined,
      onFault: (error) => assert.fail(String(error)),
    });
    t.after(() => checks.stop());
    checks.put([{ key: '127.0.0.1:1', address: { kind: 'tcp', host: '127.0.0.1', port: 1 } }]);
  });
}

test('in a process in which nothing else happens a check ends when its time is over', async (t) => {
  const checked = silentCandidate(t);
  const isOver = await new Promise<boolean>((resolve) => {
    // The only other thing that the process waits for.
    const last = setTimeout(resolve, NEVER_MS / 4, false);
    void checked.then(() => {
      clearTimeout(last);
      resolve(true);
    });
  });
  assert.ok(isOver, 'the check waited for something else to happen');
  assert.equal((await checked).result, 'timeout');
});
