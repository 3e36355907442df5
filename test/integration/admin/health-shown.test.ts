import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StatusReport } from '../../../src/admin/status-report.ts';
import { runAttache, startAttache } from '../../support/attache.ts';
import { httpAsk, httpPort } from '../../support/http.ts';
import { startRedis } from '../../support/redis.ts';
import { promtool, samplesOf } from '../../support/prometheus.ts';
import { freePort } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

const TIMEOUT = { timeout: 60_000 };

test('health is shown in /status, by attache status, in metrics, in the log and by /readyz', TIMEOUT, async (t) => {
  const redis = await startRedis(t, 'first');
  const [well, dead] = [`127.0.0.1:${redis.port}`, `127.0.0.1:${await freePort()}`];
  const attache = startAttache(t, {
    env: {
      SRC: '127.0.0.1:0',
      DST: `${dead},${well}`,
      HTTP_ADDR: '127.0.0.1:0',
      HEALTH_CHECK: 'redis-primary',
      HEALTH_INTERVAL: '200ms',
      READY_MIN_CANDIDATES: '2',
    },
  });
  const http = await httpPort(attache, 'health');
  const told = await attache.line(({ msg, candidate }) => msg === 'candidate unhealthy' && candidate === dead);
  assert.deepEqual([told['before'], told['error']], ['unknown', 'ECONNREFUSED']);
  await attache.line(({ msg, candidate }) => msg === 'candidate healthy' && candidate === well);

  const report = (await httpAsk(http, '/status')).json() as StatusReport;
  const [service] = report.services;
  assert.deepEqual(service?.checks, { check: 'redis-primary', isStrict: true, split: [] });
  const shown = service.candidates.map(({ address, health }) => [address, health?.state, health?.error]);
  assert.deepEqual(shown, [
    [dead, 'unhealthy', 'ECONNREFUSED'],
    [well, 'healthy', undefined],
  ]);
  assert.match(service.candidates[1]?.health?.since ?? '', /^\d{4}-.*Z$/);
  assert.ok((service.candidates[1]?.health?.lastMs ?? -1) >= 0);

  const { stdout } = await runAttache(t, { args: ['status'], env: { HTTP_ADDR: `127.0.0.1:${http}` } });
  assert.match(stdout, /health check redis-primary/);
  assert.match(stdout, /CANDIDATE +STATE +HEALTH +OPEN/);
  assert.match(stdout, new RegExp(`${well} +available +healthy, `));
  assert.match(stdout, new RegExp(`${dead}: ECONNREFUSED`));

  const ready = await httpAsk(http, '/readyz');
  assert.equal(ready.status, 503);
  assert.match(ready.body, /too few healthy candidates: 1 of 2/);

  const metrics = async () => (await httpAsk(http, '/metrics')).body;
  const text = await metrics();
  assert.equal(promtool(['check', 'metrics'], { input: text }).status, 0);
  const named = (name: string, all = text) => samplesOf(all).filter((sample) => sample.name === name);
  const health = named('attache_candidate_health').map(({ labels, value }) => [labels['candidate'], value]);
  assert.deepEqual(
    new Map(health as [string, number][]),
    new Map([
      [dead, 0],
      [well, 1],
    ]),
  );
  await eventually(async () => {
    const counts = named('attache_health_checks_total', await metrics());
    const of = (result: string) => counts.find(({ labels }) => labels['result'] === result)?.value ?? 0;
    return of('ok') >= 2 && of('refused') >= 2;
  }, 'checks are counted by what came of them');
  assert.match(await metrics(), /attache_health_check_duration_seconds_count\{service="default"\} [1-9]/);
  assert.match(await metrics(), /attache_role_split\{service="default"\} 0/);
});

test('without checks nothing is shown of them', TIMEOUT, async (t) => {
  const attache = startAttache(t, { env: { SRC: '127.0.0.1:0', DST: '127.0.0.1:1', HTTP_ADDR: '127.0.0.1:0' } });
  const http = await httpPort(attache, 'health');
  const report = (await httpAsk(http, '/status')).json() as StatusReport;
  assert.equal(report.services[0]?.checks, undefined);
  assert.equal(report.services[0]?.candidates[0]?.health, undefined);
  const { body } = await httpAsk(http, '/metrics');
  assert.doesNotMatch(body, /^attache_(?:candidate_health|health_checks_total|role_split)\{/m);
});
