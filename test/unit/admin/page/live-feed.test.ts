import assert from 'node:assert/strict';
import { PassThrough, Writable } from 'node:stream';
import { test, type TestContext } from 'node:test';
import { LiveFeed, MAX_STREAMS, type LiveFeedOptions } from '../../../../src/admin/page/live-feed.ts';
import type { LiveState, PastMessage, StateMessage } from '../../../../src/admin/page/wire.ts';
import { watchTimers } from '../../../support/live-timers.ts';
import { eventually } from '../../../support/wait.ts';

interface Scene {
  readonly feed: LiveFeed;
  /** What is to be seen. */
  state: LiveState;
  /** What was before. */
  past: PastMessage;
  /** How often somebody looked. */
  looks: number;
  readonly errors: unknown[];
}

function scene(t: TestContext, options: Partial<LiveFeedOptions> = {}): Scene {
  const made: Scene = {
    feed: new LiveFeed({
      look: () => {
        made.looks += 1;
        return made.state;
      },
      past: () => made.past,
      onError: (error) => made.errors.push(error),
      everyMs: 10,
      ...options,
    }),
    state: stateOf('serving'),
    past: [],
    looks: 0,
    errors: [],
  };
  t.after(() => made.feed.close());
  return made;
}

function stateOf(phase: string): LiveState {
  return {
    version: '1',
    phase,
    ready: true,
    health: 'serving',
    startedAtMs: 0,
    reasons: [],
    configuration: undefined,
    services: [],
    connections: [],
    failures: [],
  };
}

interface Listener {
  readonly channel: Writable;
  /** Data of the events of this name so far. */
  data(name: string): readonly unknown[];
  text(): string;
}

function listen(feed: LiveFeed): Listener {
  const channel = new PassThrough();
  let text = '';
  channel.on('data', (chunk: Buffer) => (text += chunk.toString()));
  openOn(feed, channel);
  const data = (name: string) =>
    text
      .split('\n\n')
      .filter((event) => event.startsWith(`event: ${name}\n`) || event.includes(`\nevent: ${name}\n`))
      .map((event) => JSON.parse(/^data: (.*)$/m.exec(event)?.[1] ?? '') as unknown);
  return { channel, data, text: () => text };
}

function openOn(feed: LiveFeed, channel: Writable): void {
  const answer = feed.answer();
  assert.ok('stream' in answer);
  assert.equal(answer.type, 'text/event-stream');
  answer.stream(channel);
}

/** Takes nothing, as a peer whose window is closed. */
function stuck(): Writable {
  return new Writable({ highWaterMark: 1, write: () => undefined });
}

test('a reader gets the past and the whole state at once, then a state only when something has changed', async (t) => {
  const run = scene(t);
  assert.equal(run.looks, 0);
  const reader = listen(run.feed);
  await eventually(() => reader.data('state').length === 1, 'the first state');
  assert.deepEqual(reader.data('past'), [[]]);
  const sent = JSON.parse(JSON.stringify(run.state)) as LiveState;
  assert.deepEqual((reader.data('state')[0] as StateMessage).state, sent);
  const before = run.looks;
  await eventually(() => run.looks > before + 5, 'looked at again');
  assert.equal(reader.data('state').length, 1);
  run.state = stateOf('draining');
  await eventually(() => reader.data('state').length === 2, 'the change');
  assert.equal((reader.data('state')[1] as StateMessage).state.phase, 'draining');
});

test('all readers share one look, and one who comes later gets the past as it is then', async (t) => {
  const run = scene(t);
  const readers = [listen(run.feed), listen(run.feed), listen(run.feed)];
  await eventually(() => run.looks > 30, 'looked at');
  run.past = [{ atMs: 1, bytes: [[2, 3]] }];
  const later = listen(run.feed);
  await eventually(() => later.data('past').length === 1, 'the past');
  assert.deepEqual(later.data('past'), [run.past]);
  assert.equal(readers[0]?.data('past').length, 1);
});

test('a reader that takes nothing has one message waiting, however much happens, and is dropped after a while', async (t) => {
  const run = scene(t, { stallMs: 300 });
  const slow = stuck();
  openOn(run.feed, slow);
  const waiting = slow.writableLength;
  assert.ok(waiting > 0);
  const happens = setInterval(() => (run.state = stateOf(`phase ${run.looks}`)), 1);
  t.after(() => clearInterval(happens));
  await eventually(() => run.looks > 15, 'looked at');
  assert.equal(slow.writableLength, waiting);
  assert.equal(run.feed.readers, 1);
  await eventually(() => slow.destroyed && run.feed.readers === 0, 'dropped');
});

test('a reader that was slow goes on with the newest state', async (t) => {
  const run = scene(t);
  let release: (() => void) | undefined;
  const texts: string[] = [];
  const channel = new Writable({
    highWaterMark: 1,
    write: (chunk: Buffer, _encoding, done) => {
      texts.push(chunk.toString());
      release = done;
    },
  });
  openOn(run.feed, channel);
  run.state = stateOf('missed');
  await eventually(() => run.looks > 5, 'looked at');
  run.state = stateOf('newest');
  await eventually(() => {
    // Each write is done once.
    const done = release;
    release = undefined;
    done?.();
    return texts.some((text) => text.includes('newest'));
  }, 'the newest');
  assert.ok(!texts.some((text) => text.includes('missed')));
});

test('no more readers are taken than there are places; one that leaves makes room', async (t) => {
  const { feed } = scene(t);
  const readers = Array.from({ length: MAX_STREAMS }, () => listen(feed));
  const refused = feed.answer();
  assert.ok('status' in refused);
  assert.deepEqual([refused.status, refused.headers], [503, { 'retry-after': '5' }]);
  readers[3]?.channel.destroy();
  await eventually(() => feed.readers === MAX_STREAMS - 1, 'a place');
  listen(feed);
  assert.equal(feed.readers, MAX_STREAMS);
});

test('a place that was taken while the answer was under way, and a reader that has left by then, cost nothing', (t) => {
  const { feed } = scene(t);
  const answer = feed.answer();
  assert.ok('stream' in answer);
  for (let n = 0; n < MAX_STREAMS; n += 1) listen(feed);
  const late = new PassThrough();
  answer.stream(late);
  assert.equal(late.writableEnded, true);
  assert.equal(feed.readers, MAX_STREAMS);
  feed.close();
  const gone = new PassThrough().on('error', () => undefined);
  gone.destroy();
  answer.stream(gone);
  assert.equal(feed.readers, 0);
});

test('a stream ends after its time, so that nobody keeps a place for ever', async (t) => {
  const run = scene(t, { lifetimeMs: 100 });
  const reader = listen(run.feed);
  await eventually(() => reader.channel.writableEnded, 'ended');
  assert.equal(run.feed.readers, 0);
});

test('when the last reader has left, nobody looks any more; one who comes is told again', async (t) => {
  const timers = watchTimers(t);
  const run = scene(t);
  const before = timers();
  const reader = listen(run.feed);
  assert.equal(timers(), before + 1);
  reader.channel.destroy();
  let seen = -1;
  await eventually(async () => {
    const same = seen === run.looks;
    seen = run.looks;
    await new Promise((resolve) => setTimeout(resolve, 100));
    return same && run.looks === seen;
  }, 'nobody looks any more');
  const again = listen(run.feed);
  await eventually(() => again.data('state').length === 1, 'opened again');
});

test('close ends every stream and the looking, and nothing can be opened any more', async (t) => {
  const run = scene(t);
  const answer = run.feed.answer();
  const readers = [listen(run.feed), listen(run.feed)];
  run.feed.close();
  run.feed.close();
  assert.ok(readers.every(({ channel }) => channel.writableEnded));
  assert.equal(run.feed.readers, 0);
  const looks = run.looks;
  const refused = run.feed.answer();
  assert.ok('status' in refused && refused.status === 503);
  assert.ok('stream' in answer);
  const late = new PassThrough();
  answer.stream(late);
  assert.equal(late.writableEnded, true);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(run.looks, looks);
});

test('trouble with looking ends the streams and is told, and does nothing else: who comes again is served', async (t) => {
  let isBroken = true;
  const good = stateOf('serving');
  const errors: unknown[] = [];
  const fault = new Error('no look');
  const feed = new LiveFeed({
    look: () => {
      if (isBroken) throw fault;
      return good;
    },
    past: () => [],
    onError: (error) => errors.push(error),
    everyMs: 10,
  });
  t.after(() => feed.close());
  const channel = new PassThrough();
  openOn(feed, channel);
  assert.equal(channel.destroyed, true);
  assert.deepEqual(errors, [fault]);
  isBroken = false;
  const reader = listen(feed);
  await eventually(() => reader.data('state').length === 1, 'served');
  isBroken = true;
  await eventually(() => reader.channel.destroyed, 'ended');
  assert.equal(feed.readers, 0);
});

test('text with line breaks, separators and marks of direction stays within its event', async (t) => {
  const run = scene(t);
  run.state = stateOf('a\n\nevent: state\ndata: {}\r\u2028\u202e');
  const reader = listen(run.feed);
  await eventually(() => reader.data('state').length === 1, 'the state');
  const state = reader
    .text()
    .split('\n')
    .filter((line) => line.startsWith('data: {'));
  assert.equal(state.length, 1);
  assert.doesNotMatch(state[0] ?? '', /[\r\u2028\u202e]/);
  assert.equal((reader.data('state')[0] as StateMessage).state.phase, run.state.phase);
});
