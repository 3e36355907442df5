import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { parseAddress, type Address } from '../../../../src/core/address.ts';
import { dialPolicy } from '../../../../src/core/dial-policy.ts';
import { endpointOf } from '../../../../src/core/endpoint.ts';
import { LastGoodFile } from '../../../../src/discovery/last-good/file.ts';
import { formatLastGood, type LastGoodMember } from '../../../../src/discovery/last-good/text.ts';
import { lastGoodSource } from '../../../../src/discovery/last-good/source.ts';
import type { CandidateSource, SourceSink } from '../../../../src/discovery/source.ts';
import { LookRecorder } from '../../../support/look-recorder.ts';
import { scratchFolder } from '../../../support/scratch.ts';

const since = Date.UTC(2026, 0, 2, 3, 4, 5);
const assumed = 'set of 2026-01-02T03:04:05.000Z from STATE_FILE, not confirmed: ';

/** A backend whose reports a test makes by hand. */
class Backend implements CandidateSource {
  sink: SourceSink | undefined;
  stopped = false;

  start(sink: SourceSink): void {
    this.sink = sink;
  }

  stop(): Promise<void> {
    this.stopped = true;
    return Promise.resolve();
  }

  fails(error: string): void {
    this.sink?.state({ status: 'starting', error });
  }

  answers(...members: readonly string[]): void {
    this.sink?.candidates(members.map(address));
    this.sink?.state({ status: 'synced', lastOkAt: 5 });
  }
}

function address(text: string): Address {
  const parsed = parseAddress(text, 'discovered');
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.address;
}

interface SourceOptions {
  /** What the file holds; default: no file. */
  readonly held?: readonly LastGoodMember[];
  readonly allow?: readonly string[];
  readonly patienceMs?: number;
}

async function start(t: TestContext, options: SourceOptions) {
  const { held, allow = [], patienceMs = 60_000 } = options;
  const path = join(await scratchFolder(t), 'sets');
  if (held !== undefined) await writeFile(path, formatLastGood(new Map([['a', { since, members: held }]])));
  const timing = { gatherMs: 60_000, restMs: 0, flushMs: 5_000 };
  const file = new LastGoodFile({ path, keys: ['a'], observer: () => undefined, timing });
  const [backend, recorder] = [new Backend(), new LookRecorder()];
  const source = lastGoodSource(backend, { file, key: 'a', policy: dialPolicy(allow), patienceMs });
  t.after(() => source.stop());
  source.start(recorder);
  return { source, file, backend, recorder, path };
}

test("a backend that fails at a start: the file's set is in force and stale, with its time and the fault", async (t) => {
  const { backend, recorder } = await start(t, { held: ['10.0.0.2:1', '10.0.0.1:1'] });
  backend.fails('refused');
  await recorder.untilSet(['10.0.0.1:1', '10.0.0.2:1']);
  assert.deepEqual(recorder.latest, { status: 'stale', lastOkAt: since, error: `${assumed}refused` });
  backend.fails('timed out');
  assert.deepEqual(recorder.latest, { status: 'stale', lastOkAt: since, error: `${assumed}timed out` });
  assert.equal(recorder.sets.length, 1);
});

test("the file's set is in force with its weights, and one that was written by hand and is wrong is told", async (t) => {
  const held = ['10.0.0.1:1', { address: '10.0.0.2:1', weight: 0, zone: 'a' }, { address: '10.0.0.3:1', weight: -1 }];
  const { backend, recorder } = await start(t, { held });
  backend.fails('refused');
  await recorder.untilStatus('stale');
  assert.deepEqual(
    recorder.endpoints.map(({ key, weight, zone }) => [key, weight, zone]),
    [
      ['10.0.0.1:1', 1, undefined],
      ['10.0.0.2:1', 0, 'a'],
      ['10.0.0.3:1', 1, undefined],
    ],
  );
  assert.deepEqual(recorder.ignoredDetails, [
    '10.0.0.3:1: in STATE_FILE: expected "weight" to be a whole number from 0 to 65535, got -1',
  ]);
});

test('weights that the backend says are kept, and a wrong one it tells of is passed on until the stop', async (t) => {
  const { source, backend, recorder, path } = await start(t, {});
  backend.sink?.candidates([endpointOf(address('10.0.0.1:1'), { weight: 3 }), address('10.0.0.2:1')]);
  backend.sink?.detailIgnored?.('10.0.0.2:1', 'no');
  await source.stop();
  backend.sink?.detailIgnored?.('10.0.0.2:1', 'late');
  assert.deepEqual(recorder.ignoredDetails, ['10.0.0.2:1: no']);
  const file = new LastGoodFile({ path, keys: ['a'], observer: () => undefined });
  assert.deepEqual((await file.find('a'))?.members, [{ address: '10.0.0.1:1', weight: 3 }, '10.0.0.2:1']);
});

test('a backend that says nothing at all is waited for, then the file is used', async (t) => {
  const { recorder } = await start(t, { held: ['10.0.0.1:1'], patienceMs: 20 });
  await recorder.untilStatus('stale');
  assert.deepEqual(recorder.states, [
    { status: 'stale', lastOkAt: since, error: `${assumed}no answer from the registry yet` },
  ]);
});

test('a backend that answers first: the file is not used', async (t) => {
  const { backend, recorder, file } = await start(t, { held: ['10.0.0.1:1'], patienceMs: 20 });
  backend.answers('10.0.0.9:1');
  await file.find('a');
  backend.sink?.state({ status: 'stale', lastOkAt: 5, error: 'gone' });
  assert.deepEqual(recorder.sets, [['10.0.0.9:1']]);
  assert.deepEqual(recorder.latest, { status: 'stale', lastOkAt: 5, error: 'gone' });
});

test('the backend confirms the set, or brings another: one report each, synced, and later faults are its own', async (t) => {
  const { backend, recorder } = await start(t, { held: ['10.0.0.1:1'] });
  backend.fails('refused');
  await recorder.untilStatus('stale');
  backend.answers('10.0.0.2:1');
  assert.deepEqual(recorder.sets, [['10.0.0.1:1'], ['10.0.0.2:1']]);
  assert.equal(recorder.latest?.status, 'synced');
  backend.sink?.state({ status: 'stale', lastOkAt: 5, error: 'gone' });
  assert.deepEqual(recorder.latest, { status: 'stale', lastOkAt: 5, error: 'gone' });
});

test('addresses in the file pass the strict parser and the dial policy', async (t) => {
  const held = ['169.254.169.254:80', 'unix:/run/docker.sock', '10.0.0.1', '10.0.0.1:0', '10.0.0.1:1', 'a/b:1'];
  const { backend, recorder } = await start(t, { held });
  backend.fails('refused');
  await recorder.untilSet(['10.0.0.1:1']);
  assert.deepEqual(new Set(recorder.ignoredKeys), new Set(held.filter((member) => member !== '10.0.0.1:1')));
  assert.equal(
    recorder.reasons.get('169.254.169.254:80'),
    'in STATE_FILE: not allowed: 169.254.169.254 is link-local; name 169.254.169.254 and every other allowed address in DISCOVERY_ALLOW to dial it',
  );
});

const useless: readonly (readonly [condition: string, options: SourceOptions])[] = [
  ['no file', {}],
  ['an empty set in the file', { held: [] }],
  ['a set of which nothing is allowed', { held: ['10.0.0.1:1'], allow: ['192.168.0.0/16'] }],
];

for (const [condition, options] of useless) {
  test(`${condition}: the source says what the backend says, and no set`, async (t) => {
    const { backend, recorder, file } = await start(t, options);
    await file.find('a');
    backend.fails('refused');
    assert.deepEqual([recorder.sets, recorder.states], [[], [{ status: 'starting', error: 'refused' }]]);
  });
}

test('what the backend says is in the file when the source has stopped, and nothing is reported after that', async (t) => {
  const { source, backend, recorder, path } = await start(t, {});
  backend.answers('10.0.0.1:1');
  await source.stop();
  backend.answers('10.0.0.2:1');
  assert.equal(backend.stopped, true);
  assert.deepEqual(recorder.sets, [['10.0.0.1:1']]);
  const file = new LastGoodFile({ path, keys: ['a'], observer: () => undefined });
  assert.deepEqual((await file.find('a'))?.members, ['10.0.0.1:1']);
});

test('stopped while the file is being read: its set is not reported', async (t) => {
  const { source, backend, recorder, file } = await start(t, { held: ['10.0.0.1:1'] });
  backend.fails('refused');
  await source.stop();
  await file.find('a');
  assert.deepEqual(recorder.sets, []);
});
