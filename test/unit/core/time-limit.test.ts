import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Contained } from '../../../src/core/contained.ts';
import { TimeLimit } from '../../../src/core/time-limit.ts';
import { block } from '../../support/block.ts';
import { eventually } from '../../support/wait.ts';

class Subject implements Contained {
  readonly overAt: number[] = [];
  readonly began = performance.now();

  faulted(error: unknown): void {
    throw error;
  }

  over(): void {
    this.overAt.push(performance.now() - this.began);
  }
}

const over = (subject: Subject): void => subject.over();

function limit(ms: number): { readonly subject: Subject; readonly limit: TimeLimit<Subject> } {
  const subject = new Subject();
  return { subject, limit: new TimeLimit(ms, over, subject) };
}

test('a time limit is over when its time is, once', async () => {
  const { subject } = limit(50);
  await eventually(() => subject.overAt.length > 0, 'it is over');
  assert.ok((subject.overAt[0] ?? 0) >= 49);
  await eventually(() => performance.now() - subject.began > 300, 'later');
  assert.equal(subject.overAt.length, 1);
});

test('a time limit that is cleared is never over, also between its timer and its turn', async () => {
  const [early, late] = [limit(50), limit(50)];
  early.limit.clear();
  // As its timer does.
  late.limit.onTime();
  late.limit.clear();
  await eventually(() => performance.now() - early.subject.began > 300, 'later');
  assert.deepEqual([early.subject.overAt, late.subject.overAt], [[], []]);
});

test('a pause of the process takes nothing of a time limit, and gives it no more than its own time again', async () => {
  const [short, long] = [limit(100), limit(1_000)];
  block(400);
  await eventually(() => short.subject.overAt.length > 0, 'the short one is over');
  assert.ok((short.subject.overAt[0] ?? 0) >= 499, `over after ${short.subject.overAt.join()} ms`);
  // 300 ms late, and 100 ms granted.
  assert.ok(Math.abs(short.limit.grantedMs() - 400) < 100, `${short.limit.grantedMs()} ms`);
  assert.equal(long.limit.grantedMs(), 0);
  await eventually(() => long.subject.overAt.length > 0, 'the long one is over');
  // Its timer was in time.
  assert.ok((long.subject.overAt[0] ?? 0) >= 999);
});

test('a time limit is extended once, however often the process pauses', async () => {
  const { subject, limit: one } = limit(100);
  block(200);
  await eventually(() => one.grantedMs() > 0, 'it is extended');
  const grantedMs = one.grantedMs();
  block(400);
  await eventually(() => subject.overAt.length > 0, 'it is over');
  assert.equal(one.grantedMs(), grantedMs);
});

test('a pause is granted before the timer has fired, when somebody asks, and once', async () => {
  const { subject, limit: one } = limit(100);
  assert.equal(one.grantedMs(), 0);
  block(300);
  const grantedMs = one.grantedMs();
  assert.ok(grantedMs >= 299, `${grantedMs} ms: 200 late and 100 granted`);
  await eventually(() => subject.overAt.length > 0, 'it is over');
  assert.ok((subject.overAt[0] ?? 0) >= 399, `over after ${subject.overAt.join()} ms`);
  assert.equal(one.grantedMs(), grantedMs);
});

test('a limit whose timer has fired is granted nothing more, and is over once', async () => {
  const { subject, limit: one } = limit(50);
  one.onTime();
  block(150);
  assert.equal(one.grantedMs(), 0, 'before its turn');
  await eventually(() => subject.overAt.length > 0, 'it is over');
  block(150);
  assert.equal(one.grantedMs(), 0, 'when it is over');
  await eventually(() => performance.now() - subject.began > 600, 'later');
  assert.equal(subject.overAt.length, 1);
});

test('what waits to be read when a time limit ends is read first', async () => {
  const order: string[] = [];
  const subject = { faulted: () => undefined };
  const first = new TimeLimit(0, () => order.push('over'), subject);
  setTimeout(() => order.push('a timer of the same moment'), 0);
  await eventually(() => order.length === 2, 'both');
  assert.deepEqual(order, ['a timer of the same moment', 'over']);
  first.clear();
});
