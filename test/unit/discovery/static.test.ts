import assert from 'node:assert/strict';
import { test } from 'node:test';
import { staticSource } from '../../../src/discovery/static.ts';
import { LookRecorder } from '../../support/look-recorder.ts';

const addresses = [
  { kind: 'tcp', host: 'b', port: 2 },
  { kind: 'tcp', host: 'a', port: 1 },
] as const;

test('static candidates are known as soon as the source starts, in the order given', () => {
  const sink = new LookRecorder();
  staticSource(addresses).start(sink);
  assert.deepEqual(sink.sets, [['b:2', 'a:1']]);
  assert.equal(sink.status, 'synced');
});

test('a static source that was stopped first reports nothing', async () => {
  const sink = new LookRecorder();
  const source = staticSource(addresses);
  await source.stop();
  source.start(sink);
  await source.stop();
  assert.deepEqual(sink.sets, []);
  assert.deepEqual(sink.states, []);
});
