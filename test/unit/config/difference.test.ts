import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ServiceConfig } from '../../../src/config/config.ts';
import { differenceOf } from '../../../src/config/difference.ts';
import { resolveServices, resolveOptions } from '../../../src/config/options.ts';

const base = resolveOptions({ services: [{ src: ':1', dst: 'a:1' }] });

const lists = fc
  .uniqueArray(fc.integer({ min: 0, max: 6 }), { maxLength: 7 })
  .chain((names) =>
    fc.tuple(
      ...names.map((name) =>
        fc.record({
          name: fc.constant(`s${name}`),
          src: fc.constant(`:${1000 + name}`),
          dst: fc.constantFrom('a:1', 'b:1', 'a:1,b:1'),
          retries: fc.integer({ min: 0, max: 1 }),
          idleTimeout: fc.constantFrom('0', '5s'),
        }),
      ),
    ),
  )
  .map((services) => resolveServices(services, base));

test('a difference names each service once, and leads from one list to the other', () => {
  fc.assert(
    fc.property(lists, lists, (before, after) => {
      const { added, changed, removed, unchanged } = differenceOf(before, after);
      const named = [...added, ...changed.map((change) => change.after), ...removed, ...unchanged].map(
        ({ name }) => name,
      );
      assert.equal(new Set(named).size, named.length);
      const kept = before.filter(({ name }) => !removed.some((gone) => gone.name === name));
      const led = [...kept.map((one) => changed.find((change) => change.before === one)?.after ?? one), ...added];
      assert.deepEqual(sorted(led), sorted(after));
      for (const change of changed) {
        assert.ok(change.fields.length > 0);
        for (const field of change.fields) assert.notDeepEqual(change.before[field], change.after[field]);
      }
    }),
  );
});

test('a list is no different from itself in another order, declared elsewhere', () => {
  fc.assert(
    fc.property(lists, (list) => {
      const again = [...list].reverse().map((service) => ({ ...structuredClone(service), origin: 'elsewhere' }));
      const { added, changed, removed } = differenceOf(list, again);
      assert.deepEqual([added, changed, removed], [[], [], []]);
    }),
  );
});

function sorted(list: readonly ServiceConfig[]): readonly unknown[] {
  return list.map((service) => ({ ...service, origin: '' })).sort((a, b) => (a.name < b.name ? -1 : 1));
}
