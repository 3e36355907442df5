import assert from 'node:assert/strict';
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatAddress } from '../../../src/core/address.ts';
import { parseLastGood } from '../../../src/discovery/last-good/text.ts';
import { startAttache } from '../../support/attache.ts';
import { startEtcd } from '../../support/etcd.ts';
import { httpAsk } from '../../support/http.ts';
import { samplesOf, valueOf } from '../../support/prometheus.ts';
import { readyzThat } from '../../support/readyz.ts';
import { RegistryDirectory, SERVICE } from '../../support/registry-directory.ts';
import { ask, freePort, startNamed } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

test('two services with the same SRV and a registry of their own each: members, readiness, log, status, metrics and STATE_FILE stay apart', async (t) => {
  const [a, b, http] = [await startNamed(t, 'a'), await startNamed(t, 'b'), await freePort()];
  const [etcd, registry] = [await startEtcd(t), await RegistryDirectory.create(t)];
  await etcd.api.put(`${SERVICE}/${formatAddress(a.address)}`);
  await registry.add(formatAddress(b.address));
  const stateFile = join(registry.base, 'sets');
  const away = join(registry.base, 'away');
  const env = {
    ...{ SRC_A: '127.0.0.1:0', SRV_A: SERVICE },
    ...{ SRC_B: '127.0.0.1:0', SRV_B: SERVICE, DSC_B: `file://${registry.root}` },
    ...{ DSC: etcd.url, STATE_FILE: stateFile, HTTP_ADDR: `127.0.0.1:${http}` },
  };
  const first = startAttache(t, { env });
  for (const service of ['a', 'b']) {
    await first.line((line) => line.msg === 'discovery synced' && line['service'] === service);
    assert.equal(await ask(await first.port(service)), service);
  }
  const status = JSON.parse((await httpAsk(http, '/status')).body) as {
    readonly services: readonly { readonly settings: Readonly<Record<string, unknown>> }[];
  };
  assert.deepEqual(
    status.services.map(({ settings }) => settings['dsc']),
    [undefined, [`file://${registry.root}`]],
  );
  await etcd.kill();
  await first.line((line) => line.msg === 'discovery stale' && line['service'] === 'a');
  const { services } = await readyzThat(http, ({ status: code }) => code === 200, 'ready with etcd gone');
  assert.deepEqual(
    services.map(({ discovery }) => discovery.status),
    ['stale', 'synced'],
  );
  await eventually(async () => {
    const samples = samplesOf((await httpAsk(http, '/metrics')).body);
    const lastOk = (service: string) =>
      valueOf(samples, 'attache_discovery_last_success_timestamp_seconds', { service }) ?? 0;
    return lastOk('a') > 0 && lastOk('b') > lastOk('a') + 1;
  }, 'only the registry of b still confirms its set');
  first.child.kill('SIGTERM');
  assert.equal(await first.exited, 0);

  const kept = parseLastGood(await readFile(stateFile, 'utf8'));
  assert.ok(kept.ok);
  assert.deepEqual(Object.fromEntries([...kept.sets].map(([key, { members }]) => [key, members])), {
    [`etcd:${SERVICE}`]: [formatAddress(a.address)],
    [`directory@b:${SERVICE}`]: [formatAddress(b.address)],
  });
  await rename(registry.root, away);
  const second = startAttache(t, { env });
  for (const service of ['a', 'b']) {
    await second.line((line) => line.msg === 'discovery stale' && line['service'] === service);
    assert.equal(await ask(await second.port(service)), service);
  }
});
