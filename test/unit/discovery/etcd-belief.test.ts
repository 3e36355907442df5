import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { formatAddress } from '../../../src/core/address.ts';
import { permitAll } from '../../../src/core/dial-policy.ts';
import { Belief } from '../../../src/discovery/etcd-belief.ts';
import { EtcdView } from '../../../src/discovery/etcd-view.ts';
import { MemberReader } from '../../../src/discovery/members.ts';

const GRACE_MS = 30_000;
const COALESCE_MS = 5;
const COALESCE_MAX_MS = 25;

function setUp(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const sets: string[][] = [];
  const doubts: boolean[] = [];
  const belief = new Belief({
    reader: new MemberReader(permitAll, () => undefined),
    graceMs: GRACE_MS,
    coalesceMs: COALESCE_MS,
    coalesceMaxMs: COALESCE_MAX_MS,
    deliver: (set) => sets.push(set.map(formatAddress)),
    doubtChanged: (doubted) => doubts.push(doubted),
  });
  return { belief, sets, doubts, tick: (ms: number) => t.mock.timers.tick(ms) };
}

function view(revision: number, ...names: string[]): EtcdView {
  return new EtcdView('/srv/', { revision, names });
}

function event(type: 'Put' | 'Delete', name: string, revision: number) {
  const empty = Buffer.alloc(0);
  const kv = { create_revision: '1', version: '1', value: empty, lease: '0' };
  return {
    type,
    kv: { ...kv, key: Buffer.from(`/srv/${name}`), mod_revision: String(revision) },
    prev_kv: kv as never,
  };
}

test('an empty first answer is delivered', (t) => {
  const { belief, sets } = setUp(t);
  belief.listed(view(1));
  assert.deepEqual(sets, [[]]);
});

test('a new view with the same members is not delivered again', (t) => {
  const { belief, sets } = setUp(t);
  belief.listed(view(5, 'a:1', 'b:1'));
  belief.listed(view(9, 'b:1', 'a:1', 'garbage'));
  assert.deepEqual(sets, [['a:1', 'b:1']]);
});

test('a stream of changes does not put the set off for ever', (t) => {
  const { belief, sets, tick } = setUp(t);
  const live = view(5);
  belief.listed(live);
  for (let ms = 0; ms < 2 * COALESCE_MAX_MS; ms += 1) {
    live.apply({ events: [event('Put', `a:${ms + 1}`, 6 + ms)] });
    belief.changed();
    tick(1);
  }
  assert.deepEqual(
    sets.map((set) => set.length),
    [0, COALESCE_MAX_MS, 2 * COALESCE_MAX_MS],
  );
});

test('changes within the coalescing time are one set', (t) => {
  const { belief, sets, tick } = setUp(t);
  const live = view(5, 'a:1');
  belief.listed(live);
  for (const [revision, name] of [
    [6, 'b:1'],
    [7, 'c:1'],
  ] as const) {
    live.apply({ events: [event('Put', name, revision)] });
    belief.changed();
    tick(COALESCE_MS - 3);
  }
  assert.equal(sets.length, 1);
  tick(COALESCE_MS);
  assert.deepEqual(sets.slice(1), [['a:1', 'b:1', 'c:1']]);
});

test('a lower revision with nothing in it: kept for the grace, counted, then believed', (t) => {
  const { belief, sets, doubts, tick } = setUp(t);
  belief.listed(view(50, 'a:1'));
  belief.listed(view(1));
  assert.equal(belief.doubted, true);
  assert.equal(belief.regressions, 1);
  tick(GRACE_MS - 1);
  assert.deepEqual(sets, [['a:1']]);
  tick(1);
  assert.deepEqual(sets, [['a:1'], []]);
  assert.deepEqual(doubts, [true, false]);
});

test('the grace goes on over sessions, from when it began', (t) => {
  const { belief, sets, tick } = setUp(t);
  belief.listed(view(50, 'a:1'));
  belief.listed(view(1));
  tick(GRACE_MS - 10);
  belief.disconnected();
  belief.listed(view(2));
  assert.equal(belief.regressions, 1);
  assert.deepEqual(sets, [['a:1']]);
  tick(10);
  assert.deepEqual(sets, [['a:1'], []]);
});

test('a grace that ends while nobody can be asked: the next answer is believed', (t) => {
  const { belief, sets, tick } = setUp(t);
  belief.listed(view(50, 'a:1'));
  belief.listed(view(1));
  belief.disconnected();
  tick(GRACE_MS);
  assert.deepEqual(sets, [['a:1']]);
  belief.listed(view(2));
  assert.deepEqual(sets, [['a:1'], []]);
});

test('members that come back during the grace end it at once', (t) => {
  const { belief, sets, doubts, tick } = setUp(t);
  belief.listed(view(50, 'a:1'));
  const live = view(1);
  belief.listed(live);
  live.apply({ events: [event('Put', 'b:1', 2)] });
  belief.changed();
  tick(COALESCE_MS);
  assert.deepEqual(sets, [['a:1'], ['b:1']]);
  live.apply({ events: [event('Delete', 'b:1', 3)] });
  belief.changed();
  tick(COALESCE_MS);
  assert.deepEqual(sets.at(-1), []);
  assert.deepEqual(doubts, [true, false]);
});

test('an empty list at our revision or a later one is believed at once', (t) => {
  const { belief, sets } = setUp(t);
  belief.listed(view(50, 'a:1'));
  belief.listed(view(50));
  assert.deepEqual(sets, [['a:1'], []]);
  assert.equal(belief.regressions, 0);
});

test('a lower revision where no set was held is believed at once, and counted', (t) => {
  const { belief, sets } = setUp(t);
  belief.listed(view(50));
  belief.listed(view(1));
  assert.deepEqual(sets, [[]]);
  assert.equal(belief.regressions, 1);
  assert.equal(belief.doubted, false);
});

test('the revision to compare with is that of the last event, not of the list', (t) => {
  const { belief } = setUp(t);
  const live = view(5, 'a:1');
  belief.listed(live);
  live.apply({ events: [event('Put', 'a:1', 90)] });
  belief.listed(view(89));
  assert.equal(belief.doubted, true);
});

test('cleared, then back with the same members: both are delivered', (t) => {
  const { belief, sets } = setUp(t);
  belief.clear();
  assert.deepEqual(sets, [], 'nothing to clear before the first answer');
  belief.listed(view(5, 'a:1'));
  belief.clear();
  belief.clear();
  belief.listed(view(6, 'a:1'));
  assert.deepEqual(sets, [['a:1'], [], ['a:1']]);
});

test('cleared, then back rebuilt and empty: still doubted, and stays cleared', (t) => {
  const { belief, sets } = setUp(t);
  belief.listed(view(50, 'a:1'));
  belief.clear();
  belief.listed(view(1));
  assert.equal(belief.doubted, true);
  assert.deepEqual(sets, [['a:1'], []]);
});

test('nothing is delivered after stop', (t) => {
  const { belief, sets, tick } = setUp(t);
  const live = view(50, 'a:1');
  belief.listed(live);
  live.apply({ events: [event('Put', 'b:1', 51)] });
  belief.changed();
  belief.stop();
  tick(GRACE_MS);
  assert.deepEqual(sets, [['a:1']]);
});
