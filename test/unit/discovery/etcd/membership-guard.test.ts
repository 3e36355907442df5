import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { permitAll } from '../../../../src/core/dial-policy.ts';
import { readDetails } from '../../../../src/core/endpoint.ts';
import { MembershipGuard } from '../../../../src/discovery/etcd/membership-guard.ts';
import { EtcdView } from '../../../../src/discovery/etcd/view.ts';
import { MemberReader } from '../../../../src/discovery/members.ts';

const GRACE_MS = 30_000;
const COALESCE_MS = 5;
const COALESCE_MAX_MS = 25;

function setUp(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const sets: string[][] = [];
  const doubts: boolean[] = [];
  const excesses: string[] = [];
  const belief = new MembershipGuard({
    reader: new MemberReader(permitAll, () => undefined),
    maxMembers: 100,
    excessive: (excess) => excesses.push(excess),
    graceMs: GRACE_MS,
    coalesceMs: COALESCE_MS,
    coalesceMaxMs: COALESCE_MAX_MS,
    deliver: (set) => sets.push(set.map(({ key, weight }) => (weight === 1 ? key : `${key} weight ${weight}`))),
    doubtChanged: (doubted) => doubts.push(doubted),
  });
  return { belief, sets, doubts, excesses, tick: (ms: number) => t.mock.timers.tick(ms) };
}

function view(revision: number, ...names: string[]): EtcdView {
  return new EtcdView('/srv/', { revision, members: new Map(names.map((name) => [name, readDetails('')])) });
}

/** @param text `name` or `name=value` */
function event(type: 'Put' | 'Delete', text: string, revision: number) {
  const [name = '', value = ''] = text.split('=');
  const kv = { create_revision: '1', version: '1', value: Buffer.from(value), lease: '0' };
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

test('another weight of the same members is delivered, and the same weight again is not', (t) => {
  const { belief, sets, tick } = setUp(t);
  const live = view(5, 'a:1', 'b:1');
  belief.listed(live);
  for (const [place, value] of ['{"weight":3}', '{"weight":3,"version":"2"}', 'anything', ''].entries()) {
    live.apply({ events: [event('Put', `b:1=${value}`, 6 + place)] });
    belief.changed();
    tick(COALESCE_MS);
  }
  assert.deepEqual(sets, [
    ['a:1', 'b:1'],
    ['a:1', 'b:1 weight 3'],
    ['a:1', 'b:1'],
  ]);
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

test('more members than MAX_MEMBERS: the last set stays, and why is said, until there are fewer again', (t) => {
  const { belief, sets, doubts, excesses } = setUp(t);
  belief.listed(view(1, 'a:1', 'b:1'));
  belief.listed(view(2, ...Array.from({ length: 101 }, (_, i) => `h${i}:1`)));
  assert.deepEqual(sets, [['a:1', 'b:1']]);
  assert.ok(belief.doubted);
  assert.match(excesses.join(), /^101 members, more than MAX_MEMBERS=100/);
  belief.listed(view(3, 'a:1', 'c:1', 'd:1'));
  assert.deepEqual(sets.at(-1), ['a:1', 'c:1', 'd:1']);
  assert.deepEqual([belief.doubted, doubts], [false, [false]]);
});
