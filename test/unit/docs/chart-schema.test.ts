import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { samples } from '../../../scripts/reference/kind-samples.ts';
import { choicesOf, itemPattern, valuePattern } from '../../../scripts/reference/value-patterns.ts';
import { keyOf, settings } from '../../../src/config/table/settings.ts';
import { projectRoot } from '../../support/attache.ts';

const kinds = settings.map(({ kind }) => kind);
const schema = JSON.parse(
  readFileSync(join(projectRoot, 'deploy/helm/attache/values.schema.json'), 'utf8'),
) as Readonly<{
  properties: {
    services: { items: { properties: Record<string, unknown> } };
    env: { properties: Record<string, unknown> };
  };
}>;

suite("the patterns of the chart's schema", () => {
  for (const { label, accepted, refused } of samples(kinds)) {
    const kind = kinds.find((one) => one.label === label);
    assert.ok(kind !== undefined);
    const pattern = valuePattern(kind);
    if (pattern === undefined) continue;
    test(`${label}: take what attache takes, and refuse some of what it refuses`, () => {
      const regexp = new RegExp(pattern);
      for (const text of ['', ...accepted]) assert.match(text, regexp);
      assert.ok(
        [...refused.map(({ text }) => text), 'ten 0.0.0.0/8'].some((text) => !regexp.test(text)),
        `none of ${JSON.stringify(refused.map(({ text }) => text))} is refused by ${pattern}`,
      );
      if (kind.form !== 'list') return;
      const item = new RegExp(`^${itemPattern(kind) ?? ''}$`);
      for (const text of accepted.filter((one) => !/[,:;] ?[A-Za-z*]/.test(one) && kind.parse(one).ok)) {
        if (!text.includes(',')) assert.match(text, item);
      }
    });
  }

  test('a choice takes its names and nothing that is nearly one', () => {
    const choices = kinds.filter((kind) => choicesOf(kind) !== undefined);
    assert.ok(choices.length > 5);
    for (const kind of choices) {
      const regexp = new RegExp(valuePattern(kind) ?? assert.fail());
      for (const name of choicesOf(kind) ?? []) {
        assert.match(name, regexp);
        assert.doesNotMatch(`${name}x`, regexp);
      }
    }
  });
});

test('every setting of a service is a key of services in the chart, and every setting has its variable in env', () => {
  const own = ['SERVICES', 'HTTP_ADDR', 'ADMIN_ADDR', 'PROBE_ADDR', 'SHUTDOWN_TIMEOUT', 'DRAIN_DELAY', 'DSC'];
  for (const { name, scope } of settings) {
    if (scope === 'service') assert.ok(keyOf(name) in schema.properties.services.items.properties, name);
    if (![...own, 'TLS_CERTPATH', 'TLS_MODE'].includes(name)) assert.ok(name in schema.properties.env.properties, name);
  }
});
