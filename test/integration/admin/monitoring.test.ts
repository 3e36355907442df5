import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Metrics } from '../../../src/admin/metrics.ts';
import { metricTable } from '../../../src/admin/metric-table.ts';
import { projectRoot } from '../../support/attache.ts';
import { promtool } from '../../support/prometheus.ts';

const rules = join(projectRoot, 'deploy', 'prometheus');
const alerts = readFileSync(join(rules, 'alerts.yml'), 'utf8');
const alertTests = readFileSync(join(rules, 'alerts.test.yml'), 'utf8');
const dashboard = readFileSync(join(projectRoot, 'deploy', 'grafana', 'attache.json'), 'utf8');

/** Every time series that a scrape of a process without services can have, by name. */
async function exportedNames(): Promise<ReadonlySet<string>> {
  const metrics = new Metrics('1');
  const text = await metrics.render({ status: { phase: 'serving', services: [] }, traffic: () => [] });
  metrics.close();
  const names = [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].flatMap(([, name = '', type]) =>
    type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
  );
  return new Set(names);
}

function namesIn(text: string): ReadonlySet<string> {
  return new Set([...text.matchAll(/\b(?:attache|process|nodejs)_[a-z_]+\b/g)].map(([name]) => name));
}

test('promtool accepts the alert rules, and each fires when it is meant to and not before', () => {
  assert.equal(promtool(['check', 'rules', 'alerts.yml'], { cwd: rules }).status, 0);
  const { status, output } = promtool(['test', 'rules', 'alerts.test.yml'], { cwd: rules });
  assert.equal(status, 0, output);
});

test('every alert has a test of its own', () => {
  const declared = [...alerts.matchAll(/- alert: (\w+)/g)].map(([, name]) => name);
  const tested = new Set([...alertTests.matchAll(/alertname: (\w+)/g)].map(([, name]) => name));
  assert.ok(declared.length > 0);
  assert.deepEqual(new Set(declared), tested);
});

for (const [what, text] of [
  ['dashboard', dashboard],
  ['alert rules', alerts],
  ['tests of the alert rules', alertTests],
] as const) {
  test(`the ${what} use names that are exported, and no other`, async () => {
    const exported = await exportedNames();
    const used = namesIn(text);
    assert.ok(used.size > 5);
    assert.deepEqual(
      [...used].filter((name) => !exported.has(name)),
      [],
    );
  });
}

test('the dashboard shows every metric there is', () => {
  const used = [...namesIn(dashboard)].map((name) => name.replace(/_bucket$/, ''));
  assert.deepEqual(
    Object.keys(metricTable).filter((name) => !used.includes(name)),
    [],
  );
});

test('labels in the dashboard and the rules are those of the metrics', () => {
  const known = new Set(['job', 'instance', 'le', ...Object.values(metricTable).flatMap(({ labels }) => labels)]);
  for (const text of [dashboard, alerts]) {
    const grouped = [...text.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, names = '']) => names.split(/,\s*/));
    const matched = [...text.matchAll(/[{,](\w+)=~?\\?"/g)].map(([, name = '']) => name);
    assert.deepEqual(
      [...grouped, ...matched].filter((name) => !known.has(name)),
      [],
    );
  }
});

test('every query of the dashboard is PromQL', (t) => {
  const { panels } = JSON.parse(dashboard) as { panels: readonly { targets?: readonly { expr: string }[] }[] };
  const queries = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  assert.ok(queries.length > 10);
  const recorded = queries.map((expr, n) => ({
    record: `query:${n}`,
    expr: expr.replaceAll('$__rate_interval', '1m'),
  }));
  const folder = mkdtempSync(join(tmpdir(), 'attache-promql-'));
  t.after(() => rmSync(folder, { recursive: true }));
  // JSON is YAML, too.
  writeFileSync(join(folder, 'rules.yml'), JSON.stringify({ groups: [{ name: 'dashboard', rules: recorded }] }));
  const { status, output } = promtool(['check', 'rules', 'rules.yml'], { cwd: folder });
  assert.equal(status, 0, output);
});
