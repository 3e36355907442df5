import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { test } from 'node:test';
import { eventually } from '../../support/wait.ts';
import { Handshakes, type QueuedHandshake } from '../../../src/transport/handshakes.ts';

/** Ends when it is told to; takes `ms` of CPU to begin. */
class Trial implements QueuedHandshake {
  gaveWay = false;
  readonly #begun: string[];
  readonly #name: string;
  readonly #ms: number;

  constructor(begun: string[], name: string, ms = 0) {
    this.#begun = begun;
    this.#name = name;
    this.#ms = ms;
  }

  faulted(error: unknown): never {
    throw error;
  }

  begin(): void {
    const until = performance.now() + this.#ms;
    while (performance.now() < until);
    this.#begun.push(this.#name);
  }

  giveWay(): void {
    this.gaveWay = true;
  }
}

test('handshakes that take long begin one in a turn of the event loop', async () => {
  const begun: string[] = [];
  const handshakes = new Handshakes();
  const all = ['a', 'b', 'c'].map((name) => new Trial(begun, name, 5));
  for (const one of all) handshakes.come(one);
  assert.deepEqual(begun, []);
  for (const expected of [['a'], ['a', 'b'], ['a', 'b', 'c']]) {
    await nextTurn();
    assert.deepEqual(begun, expected);
  }
  for (const one of all) handshakes.leave(one);
});

test('services take turns, however many handshakes one of them has', async () => {
  const begun: string[] = [];
  const [many, few] = [new Handshakes(), new Handshakes()];
  const crowd = Array.from({ length: 100 }, (_, n) => new Trial(begun, `many ${n}`, 3));
  for (const one of crowd) many.come(one);
  const single = new Trial(begun, 'few');
  few.come(single);
  await nextTurn();
  await nextTurn();
  assert.ok(begun.length <= 4 && begun.includes('few'), begun.join(', '));
  for (const one of crowd) many.leave(one);
  few.leave(single);
  await nextTurn();
});

test('of 9 at once the last waits until another has ended, or has kept us waiting', async (t) => {
  const now = performance.now();
  const clock = t.mock.method(performance, 'now', () => now);
  const begun: string[] = [];
  const handshakes = new Handshakes();
  const all = Array.from({ length: 10 }, (_, n) => new Trial(begun, `${n}`));
  for (const one of all) handshakes.come(one);
  await nextTurn();
  await nextTurn();
  assert.equal(begun.length, 8);
  const [first] = all;
  assert.ok(first);
  handshakes.leave(first);
  await nextTurn();
  await nextTurn();
  assert.equal(begun.length, 9);
  clock.mock.restore();
  await eventually(() => begun.length === 10, 'the last begins');
  for (const one of all) handshakes.leave(one);
});

test('one that has left before its turn does not begin', async () => {
  const begun: string[] = [];
  const handshakes = new Handshakes();
  const [gone, stays] = [new Trial(begun, 'gone'), new Trial(begun, 'stays')];
  handshakes.come(gone);
  handshakes.come(stays);
  handshakes.leave(gone);
  await nextTurn();
  assert.deepEqual(begun, ['stays']);
  handshakes.leave(stays);
});

test('of 1,025 that have begun and do not end the oldest gives way, and of fewer none', async () => {
  const handshakes = new Handshakes();
  const all = Array.from({ length: 1_025 }, () => new Trial([], ''));
  const last = all.at(-1);
  for (const one of all.slice(0, -1)) handshakes.come(one);
  while (handshakes.beginNext());
  assert.equal(all.filter(({ gaveWay }) => gaveWay).length, 0);
  assert.ok(last);
  handshakes.come(last);
  await eventually(() => all.some(({ gaveWay }) => gaveWay), 'one gives way');
  assert.deepEqual(
    all.flatMap(({ gaveWay }, at) => (gaveWay ? [at] : [])),
    [0],
  );
});
