import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SharedSources } from '../../../src/discovery/shared.ts';
import type { CandidateSource, SourceSink } from '../../../src/discovery/source.ts';
import { SourceRecorder } from '../../support/source-recorder.ts';

class Fake implements CandidateSource {
  sink: SourceSink | undefined;
  stops = 0;

  start(sink: SourceSink): void {
    this.sink = sink;
  }

  say(port: number): void {
    this.sink?.candidates([{ kind: 'tcp', host: '10.0.0.1', port }]);
    this.sink?.state({ status: 'synced', lastOkAt: port });
  }

  survey() {
    return Promise.resolve({ directory: '/a', nearest: undefined });
  }

  stop(): Promise<void> {
    this.stops += 1;
    return Promise.resolve();
  }
}

function scene() {
  const made: Fake[] = [];
  const shared = new SharedSources();
  const make = () => {
    const fake = new Fake();
    made.push(fake);
    return fake;
  };
  const follow = (key = 'k') => {
    const source = shared.get(key, make);
    const recorder = new SourceRecorder();
    source.start(recorder);
    return { source, recorder };
  };
  return { made, follow };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('those of one key share a source, and hear the same; another key has its own', async () => {
  const { made, follow } = scene();
  const [one, two, other] = [follow(), follow(), follow('another')];
  assert.equal(made.length, 2);
  await turn();
  made[0]?.say(1);
  made[0]?.sink?.ignored('x', 'why');
  assert.deepEqual(
    [one, two, other].map(({ recorder }) => recorder.sets),
    [[['10.0.0.1:1']], [['10.0.0.1:1']], []],
  );
  assert.deepEqual(two.recorder.ignoredKeys, ['x']);
  assert.deepEqual(await two.source.survey?.(), { directory: '/a', nearest: undefined });
});

test('one that comes later is told what is known, not in the middle of its start, and nothing twice', async () => {
  const { made, follow } = scene();
  follow();
  made[0]?.say(1);
  made[0]?.sink?.ignored('x', 'why');
  const { recorder } = follow();
  assert.equal(recorder.sets.length, 0);
  made[0]?.say(2);
  assert.equal(recorder.sets.length, 0, 'what comes meanwhile is part of what is known');
  await turn();
  assert.deepEqual(recorder.sets, [['10.0.0.1:2']]);
  assert.deepEqual(recorder.states, [{ status: 'synced', lastOkAt: 2 }]);
  assert.deepEqual(recorder.ignoredKeys, ['x']);
});

test('one that stops hears no more; the last that stops ends the source, and the next begins anew', async () => {
  const { made, follow } = scene();
  const [one, two] = [follow(), follow()];
  await turn();
  await one.source.stop();
  await one.source.stop();
  made[0]?.say(1);
  assert.deepEqual([one.recorder.sets.length, two.recorder.sets.length, made[0]?.stops], [0, 1, 0]);
  await two.source.stop();
  assert.equal(made[0]?.stops, 1);
  follow();
  assert.equal(made.length, 2);
});

test('one that stops before its turn is told nothing, and one that was stopped cannot be started', async () => {
  const { made, follow } = scene();
  follow();
  made[0]?.say(1);
  const { source, recorder } = follow();
  await source.stop();
  await turn();
  source.start(recorder);
  made[0]?.say(2);
  assert.deepEqual(recorder.sets, []);
});

test('a consumer that fails is told that it does not know; the others hear all', async () => {
  const errors: unknown[] = [];
  const fake = new Fake();
  const shared = new SharedSources((error) => errors.push(error));
  const follow = () => {
    const recorder = new SourceRecorder();
    shared.get('k', () => fake).start(recorder);
    return recorder;
  };
  const [bad, good] = [follow(), follow()];
  await turn();
  const take = bad.candidates.bind(bad);
  bad.candidates = () => {
    throw new Error('full');
  };
  fake.say(1);
  assert.deepEqual(good.sets, [['10.0.0.1:1']]);
  assert.equal(good.latest?.status, 'synced');
  assert.equal(bad.latest?.status, 'stale');
  assert.ok(errors.length > 0 && errors.every((error) => String(error) === 'Error: full'));
  bad.candidates = take;
  fake.sink?.state({ status: 'synced', lastOkAt: 2 });
  assert.deepEqual([bad.sets, bad.latest.status], [[['10.0.0.1:1']], 'synced'], 'it has another chance');
});
