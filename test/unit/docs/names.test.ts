import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type {
  AttacheEvent,
  Endpoint,
  EventCallback,
  Extension,
  Listener,
  ListenerState,
  SlotStatus,
} from '../../../src/index.ts';
import { projectRoot } from '../../support/attache.ts';

const DECLARED = /^export (?:abstract )?(?:class|interface|type|function|const) (\w+)/gm;
/** The one file that may repeat a name: what users of the library call by its old name. */
const OLD_NAMES = 'src/app/old-names.ts';

/** Which files of `src` export something under a name; overloads of a function are one. */
function exporters(): ReadonlyMap<string, ReadonlySet<string>> {
  const files = readdirSync(join(projectRoot, 'src'), { recursive: true, encoding: 'utf8' })
    .map((name) => join('src', name))
    .filter((name) => name.endsWith('.ts') && name !== OLD_NAMES);
  const byName = new Map<string, Set<string>>();
  for (const file of files) {
    for (const [, name = ''] of readFileSync(join(projectRoot, file), 'utf8').matchAll(DECLARED)) {
      byName.set(name, (byName.get(name) ?? new Set()).add(file));
    }
  }
  return byName;
}

test('every name that src exports: one meaning, in one file', () => {
  const all = exporters();
  const twice = [...all].filter(([, files]) => files.size > 1).map(([name, files]) => [name, ...files].join(' '));
  assert.ok(all.size > 500, `read ${all.size} names`);
  assert.deepEqual(twice, []);
});

/** Compiles only where both types accept each other's values. */
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never;

test('an old name of the library means the same type as the new one', () => {
  const same: [
    Same<Endpoint, Extension>,
    Same<SlotStatus, ListenerState>,
    Same<Listener<AttacheEvent['type']>, EventCallback<AttacheEvent['type']>>,
  ] = [true, true, true];
  assert.equal(same.length, 3);
  const page = readFileSync(join(projectRoot, 'docs/library.md'), 'utf8');
  for (const [old, now] of Object.entries({
    Endpoint: 'Extension',
    SlotStatus: 'ListenerState',
    Listener: 'EventCallback',
  })) {
    const [, entry = ''] = new RegExp(`^#### \`${old}\`$(.*?)^#### `, 'ms').exec(page) ?? [];
    assert.ok(entry.includes(`Old name of \`${now}\`.`), `the page says so at ${old}`);
  }
});
