import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EtcdView } from '../../../src/discovery/etcd-view.ts';

/** `+name` puts, `-name` deletes; the types are spelt as etcd spells them. */
function message(revision: number, ...changes: string[]) {
  const events = changes.map((change) => ({
    type: (change.startsWith('+') ? 'PUT' : 'DELETE') as 'Put' | 'Delete',
    kv: { key: Buffer.from(`/srv/é/${change.slice(1)}`), mod_revision: String(revision) },
  }));
  return { events } as Parameters<EtcdView['apply']>[0];
}

function view(revision: number, ...names: string[]): EtcdView {
  return new EtcdView('/srv/é/', { revision, names });
}

test('a transaction is applied whole: its events share one revision', () => {
  const live = view(10, 'a:1', 'b:1');
  assert.equal(live.apply(message(11, '-a:1', '+c:1', '+d:1')), true);
  assert.deepEqual([...live.names], ['b:1', 'c:1', 'd:1']);
  assert.equal(live.revision, 11);
});

test('events at or below the revision listed are skipped', () => {
  const live = view(10, 'a:1');
  assert.equal(live.apply(message(10, '-a:1')), false);
  assert.equal(live.apply(message(9, '+b:1')), false);
  assert.deepEqual([...live.names], ['a:1']);
  assert.equal(live.revision, 10);
});

test('a value written again moves the revision and changes nothing', () => {
  const live = view(10, 'a:1');
  assert.equal(live.apply(message(12, '+a:1', '-gone:1')), false);
  assert.equal(live.revision, 12);
});

test('the revision in a header is not ours: events below it may still come', () => {
  const live = view(10);
  live.apply({ ...message(11, '+a:1'), header: { revision: '99' } } as Parameters<EtcdView['apply']>[0]);
  assert.equal(live.apply(message(12, '+b:1')), true);
  assert.deepEqual([...live.names], ['a:1', 'b:1']);
});

test('a progress notice without events changes nothing', () => {
  const live = view(10, 'a:1');
  assert.equal(live.apply({ events: [] }), false);
  assert.equal(live.revision, 10);
});

test('agreement is about names, in whatever order', () => {
  const live = view(10, 'a:1', 'b:1');
  assert.equal(live.agreesWith({ revision: 10, names: ['b:1', 'a:1'] }), true);
  assert.equal(live.agreesWith({ revision: 10, names: ['a:1'] }), false);
  assert.equal(live.agreesWith({ revision: 10, names: ['a:1', 'c:1'] }), false);
});
