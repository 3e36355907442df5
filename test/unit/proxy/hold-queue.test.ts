import assert from 'node:assert/strict';
import { mock, suite, test, type TestContext } from 'node:test';
import { HoldQueue, type Held, type HoldChange } from '../../../src/proxy/hold-queue.ts';

const MOST_BETWEEN_TRIALS_MS = 1_000;

/** A queue under a clock that stands still, whose clients note when they are sent to try. */
function queueOf(t: TestContext, options: { places?: number; hasCandidates?: () => boolean } = {}) {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => mock.timers.reset());
  const changes: HoldChange['phase'][] = [];
  const tried: number[] = [];
  const queue = new HoldQueue({
    places: options.places ?? 10,
    hasCandidates: options.hasCandidates ?? (() => true),
    onChange: ({ phase }) => changes.push(phase),
  });
  const client = (id: number, onRetry: (self: Held) => void = () => undefined): Held => ({
    id,
    retry() {
      tried.push(id);
      onRetry(this);
    },
  });
  const hold = (held: Held) => {
    assert.ok(queue.join());
    queue.wait(held);
    return held;
  };
  return { queue, changes, tried, client, hold, tick: (ms: number) => mock.timers.tick(ms) };
}

suite('the queue of held clients', () => {
  test('the first tries after a while, and again when it finds nobody', (t) => {
    const { queue, hold, client, tried, tick } = queueOf(t);
    hold(client(1, (self) => queue.wait(self)));
    hold(client(2));
    assert.deepEqual(tried, []);
    tick(50);
    assert.deepEqual(tried, [1]);
    for (let i = 0; i < 5; i += 1) tick(MOST_BETWEEN_TRIALS_MS);
    assert.deepEqual(new Set(tried), new Set([1]), 'the others wait behind it');
    assert.ok(tried.length >= 6);
  });

  test('while the trial of the first goes on, the next ones try too', (t) => {
    const { hold, client, tried, tick } = queueOf(t);
    for (const id of [1, 2, 3]) hold(client(id));
    for (let i = 0; i < 3; i += 1) tick(MOST_BETWEEN_TRIALS_MS);
    assert.deepEqual(tried, [1, 2, 3]);
  });

  test('an answer sends all in the order in which they came, whatever the order in which they joined', (t) => {
    const { queue, hold, client, tried } = queueOf(t);
    for (const id of [7, 3, 9, 1]) hold(client(id));
    queue.answered();
    assert.deepEqual(tried, [1, 3, 7, 9]);
    assert.equal(queue.hasLine, false);
    queue.answered();
    assert.equal(tried.length, 4);
  });

  test('one that finds nobody after all is in front of those who came later', (t) => {
    const { queue, hold, client, tried } = queueOf(t);
    const first = hold(client(1));
    queue.answered();
    hold(client(2));
    queue.wait(first);
    tried.length = 0;
    queue.answered();
    assert.deepEqual(tried, [1, 2]);
  });

  test('a changed set is tried at once, by the first alone', (t) => {
    const { queue, hold, client, tried } = queueOf(t);
    for (const id of [1, 2]) hold(client(id));
    queue.changed();
    assert.deepEqual(tried, [1]);
  });

  test('with an empty set nothing is tried, however long it lasts', (t) => {
    let candidates = false;
    const { queue, hold, client, tried, tick } = queueOf(t, { hasCandidates: () => candidates });
    hold(client(1));
    for (let i = 0; i < 10; i += 1) tick(MOST_BETWEEN_TRIALS_MS);
    queue.changed();
    assert.deepEqual(tried, []);
    candidates = true;
    queue.changed();
    assert.deepEqual(tried, [1]);
  });

  test('its places are bounded, whether clients wait or try, and one that leaves frees its own', (t) => {
    const { queue, hold, client } = queueOf(t, { places: 2 });
    const [first] = [hold(client(1)), hold(client(2))];
    assert.equal(queue.join(), false);
    queue.answered();
    assert.equal(queue.join(), false, 'who tries keeps its place');
    queue.leave(first);
    assert.equal(queue.join(), true);
    assert.equal(queue.size, 2);
  });

  test('one that leaves is not sent to try', (t) => {
    const { queue, hold, client, tried, tick } = queueOf(t);
    const [, second] = [hold(client(1)), hold(client(2)), hold(client(3))];
    queue.leave(second);
    queue.answered();
    assert.deepEqual(tried, [1, 3]);
    tick(10 * MOST_BETWEEN_TRIALS_MS);
    assert.deepEqual(tried, [1, 3]);
  });

  test('it is told that holding began and ended, once each', (t) => {
    const { queue, hold, client, changes } = queueOf(t);
    const held = [1, 2, 3].map((id) => hold(client(id)));
    queue.answered();
    for (const one of held) queue.leave(one);
    assert.deepEqual(changes, ['began', 'ended']);
    assert.equal(queue.size, 0);
  });
});
