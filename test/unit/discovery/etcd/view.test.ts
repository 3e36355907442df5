import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDetails } from '../../../../src/core/endpoint.ts';
import { EtcdView } from '../../../../src/discovery/etcd/view.ts';

/** `+name` and `+name=value` put, `-name` deletes; the types are spelt as etcd spells them. */
function message(revision: number, ...changes: string[]) {
  const events = changes.map((change) => {
    const [name = '', value = ''] = change.slice(1).split('=');
    const type = (change.startsWith('+') ? 'PUT' : 'DELETE') as 'Put' | 'Delete';
    const key = Buffer.from(`/srv/é/${name}`);
    return { type, kv: { key, value: Buffer.from(value), mod_revision: String(revision) } };
  });
  return { events } as Parameters<EtcdView['apply']>[0];
}

function view(revision: number, ...names: string[]): EtcdView {
  return new EtcdView('/srv/é/', snapshot(revision, ...names));
}

/** Each `name` or `name=value`. */
function snapshot(revision: number, ...names: string[]) {
  const members = names
    .map((text) => text.split('='))
    .map(([name = '', value = '']) => [name, readDetails(value)] as const);
  return { revision, members: new Map(members) };
}

const namesOf = (live: EtcdView) => [...live.members.keys()];

test('a transaction is applied whole: its events share one revision', () => {
  const live = view(10, 'a:1', 'b:1');
  assert.equal(live.apply(message(11, '-a:1', '+c:1', '+d:1')), true);
  assert.deepEqual(namesOf(live), ['b:1', 'c:1', 'd:1']);
  assert.equal(live.revision, 11);
});

test('events at or below the revision listed are skipped', () => {
  const live = view(10, 'a:1');
  assert.equal(live.apply(message(10, '-a:1')), false);
  assert.equal(live.apply(message(9, '+b:1')), false);
  assert.deepEqual(namesOf(live), ['a:1']);
  assert.equal(live.revision, 10);
});

test('a value written again moves the revision and changes nothing', () => {
  const live = view(10, 'a:1');
  assert.equal(live.apply(message(12, '+a:1', '-gone:1')), false);
  assert.equal(live.revision, 12);
});

test('a value is a change only where it says something else of its member', () => {
  const live = view(10, 'a:1');
  const changes = [
    '',
    '{"weight":3}',
    '{ "weight": 3, "version": 7 }',
    '{"weight":3.5}',
    '{"weight":4}',
    'x'.repeat(5_000),
  ];
  const told = changes.map((value, place) => live.apply(message(11 + place, `+a:1=${value}`)));
  assert.deepEqual(told, [false, true, false, true, true, true]);
  assert.deepEqual([...live.members], [['a:1', { details: {} }]]);
});

test('the revision in a header is not ours: events below it may still come', () => {
  const live = view(10);
  live.apply({ ...message(11, '+a:1'), header: { revision: '99' } } as Parameters<EtcdView['apply']>[0]);
  assert.equal(live.apply(message(12, '+b:1')), true);
  assert.deepEqual(namesOf(live), ['a:1', 'b:1']);
});

test('a progress notice without events changes nothing', () => {
  const live = view(10, 'a:1');
  assert.equal(live.apply({ events: [] }), false);
  assert.equal(live.revision, 10);
});

test('agreement is about names, in whatever order', () => {
  const live = view(10, 'a:1', 'b:1');
  assert.equal(live.agreesWith(snapshot(10, 'b:1', 'a:1')), true);
  assert.equal(live.agreesWith(snapshot(10, 'a:1')), false);
  assert.equal(live.agreesWith(snapshot(10, 'a:1', 'c:1')), false);
});

test('agreement is about what values say, and not about their bytes', () => {
  const live = view(10, 'a:1={"weight":3}');
  assert.equal(live.agreesWith(snapshot(10, 'a:1={"weight":3,"version":2}')), true);
  assert.equal(live.agreesWith(snapshot(10, 'a:1={"weight":4}')), false);
  assert.equal(live.agreesWith(snapshot(10, 'a:1')), false);
});
