import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { absencesOf, overstays, type Evidence } from '../../soak/absences.ts';

const GRACE_MS = 2_000;
const A = '127.0.0.1:1';
const look = (askedAt: number, members: readonly string[]): Evidence => ({
  kind: 'members',
  members,
  askedAt,
  at: askedAt + 10,
});
const removed = (at: number): Evidence => ({ kind: 'removed', member: A, at });
const put = (at: number): Evidence => ({ kind: 'put', member: A, at });

suite('when a member was surely none', () => {
  test('from the confirmed removal until the next put is sent', () => {
    const [absence, ...more] = absencesOf([removed(1_000), put(9_000)], [], GRACE_MS);
    assert.deepEqual(absence, { member: A, from: 1_000, to: 9_000, dueAt: 3_000 });
    assert.deepEqual(more, []);
  });

  test('a lease that expired: from the first look without it', () => {
    const [absence] = absencesOf([look(0, [A]), look(1_000, []), look(2_000, []), put(5_000)], [], GRACE_MS);
    assert.deepEqual(absence, { member: A, from: 1_010, to: 5_000, dueAt: 3_010 });
  });

  test('a put that was given up and is carried out later: it may have been back since the last look without it', () => {
    const [absence] = absencesOf(
      [removed(0), put(0), look(1_000, []), look(7_000, []), look(8_000, [A])],
      [],
      GRACE_MS,
    );
    assert.deepEqual(absence, { member: A, from: 0, to: 0, dueAt: 2_000 });
    const [, second] = absencesOf(
      [removed(0), put(0), look(1_000, []), look(7_000, []), look(8_000, [A])],
      [],
      GRACE_MS,
    );
    assert.deepEqual(second, { member: A, from: 1_010, to: 7_000, dueAt: 3_010 });
  });

  test('for ever, when it never comes back', () => {
    assert.equal(absencesOf([removed(5)], [], GRACE_MS)[0]?.to, Infinity);
  });

  test('while the registry cannot be asked nobody can know: the time begins when it answers again', () => {
    const outages = [
      { from: 2_900, to: 6_000 },
      { from: 7_000, to: 8_000 },
      { from: 11_000, to: 12_000 },
    ];
    assert.equal(absencesOf([removed(1_000)], outages, GRACE_MS)[0]?.dueAt, 10_000);
  });

  test('an outage that was over before, or that begins when the time was over, puts nothing off', () => {
    const outages = [
      { from: 0, to: 900 },
      { from: 3_100, to: 6_000 },
    ];
    assert.equal(absencesOf([removed(1_000)], outages, GRACE_MS)[0]?.dueAt, 3_000);
  });
});

suite('who stayed too long', () => {
  const absences = absencesOf([removed(1_000), put(9_000)], [], GRACE_MS);
  const kinds = (from: number, to: number, member = A) =>
    overstays([{ member, from, to, who: '' }], absences).map(({ kind }) => kind);

  test('an established connection that outlives the grace', () => assert.deepEqual(kinds(500, 3_001), ['established']));
  test('not one that is over by then', () => assert.deepEqual(kinds(500, 3_000), []));
  test('a new connection after it', () => assert.deepEqual(kinds(4_000, 4_100), ['new']));
  test('not a new one within it, nor one after the return', () => {
    assert.deepEqual(kinds(1_500, 2_900), []);
    assert.deepEqual(kinds(9_000, 20_000), []);
  });
  test('one that lasts into the return', () => assert.deepEqual(kinds(8_000, 20_000), ['new']));
  test('not one to another member', () => assert.deepEqual(kinds(4_000, 4_100, '127.0.0.1:2'), []));
  test('one question asked after it and answered before the return', () =>
    assert.deepEqual(kinds(5_000, 4_500), ['new']));
  test('nobody, when the member was back within the grace', () => {
    const short = absencesOf([removed(1_000), put(2_500)], [], GRACE_MS);
    assert.deepEqual(overstays([{ member: A, from: 0, to: 20_000, who: '' }], short), []);
  });
});
