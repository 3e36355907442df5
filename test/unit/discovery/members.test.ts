import assert from 'node:assert/strict';
import { test } from 'node:test';
import { permitAll } from '../../../src/core/dial-policy.ts';
import { readDetails } from '../../../src/core/endpoint.ts';
import { MemberReader } from '../../../src/discovery/members.ts';

function setUp() {
  const told: string[] = [];
  const reader = new MemberReader(
    permitAll,
    (name, reason) => told.push(`ignored ${name}: ${reason}`),
    (name, reason) => told.push(`detail ${name}: ${reason}`),
  );
  const read = (entries: Record<string, string>) =>
    reader
      .read(Object.entries(entries).map(([name, value]) => [name, readDetails(value)] as const))
      .map(({ key, weight, priority, zone }) => ({ key, weight, priority, ...(zone !== undefined && { zone }) }));
  return { told, read };
}

test('members are endpoints with what their values say, in the order of their names', () => {
  const { told, read } = setUp();
  assert.deepEqual(read({ 'b:1': '{"weight":0,"priority":10,"zone":"eu-1a"}', 'a:1': 'up since May' }), [
    { key: 'a:1', weight: 1, priority: 0 },
    { key: 'b:1', weight: 0, priority: 10, zone: 'eu-1a' },
  ]);
  assert.deepEqual(told, []);
});

test('a wrong detail is told once as long as it stays, and its member stays with the other details', () => {
  const { told, read } = setUp();
  const wrong = { 'a:1': '{"weight":-1,"priority":2}' };
  for (let i = 0; i < 3; i += 1) assert.deepEqual(read(wrong), [{ key: 'a:1', weight: 1, priority: 2 }]);
  const once = 'detail a:1: expected "weight" to be a whole number from 0 to 65535, got -1';
  assert.deepEqual(told, [once]);
  read({ 'a:1': '{"weight":1}' });
  read(wrong);
  assert.deepEqual(told, [once, once], 'it came back');
  read({ 'a:1': '{"weight":"x","priority":2}' });
  assert.equal(told.length, 3, 'it is wrong in another way');
});

test('a name that is no address is told as such, whatever its value says', () => {
  const { told, read } = setUp();
  assert.deepEqual(read({ garbage: '{"weight":-1}' }), []);
  assert.match(told.join(), /^ignored garbage: expected [^,]+$/);
});

test('of two spellings of one address the first counts, with its details', () => {
  const { read } = setUp();
  const twice = { '[fd00::1]:1': '{"weight":3}', '[fd00:0::1]:1': '{"weight":2}' };
  assert.deepEqual(read(twice), [{ key: '[fd00::1]:1', weight: 2, priority: 0 }]);
});
