import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { tickInterval, Tracker, type Tracked } from '../../../src/proxy/tracker.ts';

class Fake implements Tracked {
  looks = 0;
  probes = 0;
  asked = 0;
  uneasy = false;
  due = Infinity;

  watched(_now: number, probe: boolean): boolean {
    this.looks += 1;
    this.probes += Number(probe);
    return this.uneasy;
  }

  faulted(error: unknown): void {
    throw error;
  }

  dueAt(): number {
    this.asked += 1;
    return this.due;
  }
}

/** Real clock readings that go with the mocked timers. */
function mockTime(t: TestContext): (ms: number) => Promise<void> {
  let now = 1_000_000;
  t.mock.timers.enable({ apis: ['setInterval'] });
  t.mock.method(performance, 'now', () => now);
  return async (ms) => {
    for (let gone = 0; gone < ms; gone += 10) {
      now += 10;
      t.mock.timers.tick(10);
      await turn();
    }
  };
}

test('a calm connection without a time-out is looked at once and then costs nothing', async (t) => {
  const pass = mockTime(t);
  const tracker = new Tracker<Fake>(50);
  const calm = new Fake();
  tracker.add(calm);
  await pass(10_000);
  assert.deepEqual([calm.looks, calm.asked], [1, 1]);
  tracker.remove(calm);
});

test('a calm connection is asked when its time-out may be over, not at every tick', async (t) => {
  const pass = mockTime(t);
  const tracker = new Tracker<Fake>(50);
  const idle = new Fake();
  tracker.add(idle);
  idle.due = performance.now() + 1_000;
  await pass(990);
  assert.equal(idle.asked, 1);
  idle.due = Infinity;
  await pass(70);
  assert.equal(idle.asked, 2);
  tracker.remove(idle);
});

test('an uneasy connection is looked at every tick until it is calm, and probed at most twice a second', async (t) => {
  const pass = mockTime(t);
  const tracker = new Tracker<Fake>(10);
  const fake = new Fake();
  fake.uneasy = true;
  tracker.add(fake);
  await pass(1_000);
  assert.equal(fake.looks, 100);
  assert.ok(fake.probes === 2 || fake.probes === 3, `${fake.probes} probes`);
  fake.uneasy = false;
  await pass(100);
  assert.equal(fake.looks, 101);
  tracker.remove(fake);
});

test('a connection that has been removed is not looked at again, even when it asks for it', async (t) => {
  const pass = mockTime(t);
  const tracker = new Tracker<Fake>(10);
  const [gone, other] = [new Fake(), new Fake()];
  tracker.add(gone);
  tracker.add(other);
  tracker.remove(gone);
  tracker.watch(gone);
  await pass(1_000);
  assert.deepEqual([gone.looks, gone.asked], [0, 0]);
  tracker.remove(other);
});

test('the ticks are a twentieth of the shortest time-out, between 10 and 500 ms', () => {
  assert.equal(tickInterval([0, 2_000, 60_000]), 100);
  assert.equal(tickInterval([50]), 10);
  assert.equal(tickInterval([3_600_000]), 500);
  assert.equal(tickInterval([0, 0]), 500);
});
