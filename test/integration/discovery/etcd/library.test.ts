import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { etcdSource } from '../../../../src/discovery/etcd/source.ts';
import { permitAll } from '../../../../src/core/dial-policy.ts';
import { DIRECTORY, memberKey, startSource } from '../../../support/etcd-source.ts';
import { startEtcd } from '../../../support/etcd.ts';

function loadedPackages(): string[] {
  const { cache } = createRequire(import.meta.url);
  return ['etcd3', '@grpc/grpc-js', 'cockatiel'].filter((name) =>
    Object.keys(cache).some((path) => path.includes(`/node_modules/${name}/`)),
  );
}

test('promise 39: the etcd client is loaded when a source starts, not before, and nothing of it reaches stderr', async (t) => {
  const source = etcdSource({
    directory: DIRECTORY,
    endpoints: ['http://127.0.0.1:1'],
    policy: permitAll,
    onFailure: 'keep',
  });
  await source.stop();
  assert.deepEqual(loadedPackages(), []);

  const printed = t.mock.method(console, 'error', () => undefined);
  const etcd = await startEtcd(t);
  await etcd.api.put(memberKey('10.0.0.1:1'));
  // Pings this quick make etcd end the connection, of which grpc-js complains on stderr when it is let.
  const { recorder } = startSource(t, { endpoints: [etcd.url], timing: { keepAliveMs: 200 } });
  await recorder.untilSet(['10.0.0.1:1']);
  assert.deepEqual(loadedPackages(), ['etcd3', '@grpc/grpc-js', 'cockatiel']);
  await recorder.until('a second session', () => {
    const state = recorder.latest;
    return state?.status === 'synced' && (state.counters?.sessions ?? 0) > 1;
  });
  assert.deepEqual(
    printed.mock.calls.map((call) => call.arguments),
    [],
  );
  assert.equal(process.env['GRPC_NODE_VERBOSITY'], undefined, 'the environment is as it was');
});
