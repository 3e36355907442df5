import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  endpointOf,
  MAX_VALUE_BYTES,
  readDetails,
  readValue,
  sameDetails,
  toEndpoint,
} from '../../../src/core/endpoint.ts';

const address = { kind: 'tcp', host: '10.0.1.134', port: 6379 } as const;

test('a bare address is an endpoint of weight 1 and priority 0', () => {
  assert.deepEqual(toEndpoint(address), { key: '10.0.1.134:6379', address, weight: 1, priority: 0 });
});

test('an endpoint stays what it is', () => {
  const endpoint = endpointOf(address, { weight: 3, zone: 'a' });
  assert.equal(toEndpoint(endpoint), endpoint);
});

test('a value is looked at up to its bound, and a longer one says nothing, right or wrong', () => {
  const object = '{"weight":3}';
  const filled = (text: string, bytes: number) => Buffer.from(text.padEnd(bytes));
  assert.equal(readValue(filled(object, MAX_VALUE_BYTES)).details.weight, 3);
  assert.deepEqual(readValue(filled(object, MAX_VALUE_BYTES + 1)), { details: {} });
  assert.deepEqual(readValue(filled('{"weight":-1}', MAX_VALUE_BYTES + 1)), { details: {} });
});

test('a JSON object may carry weight, priority and zone; what else is in it is no news', () => {
  const { details, fault } = readDetails(' {"weight": 3, "priority": 1, "zone": "eu-1a", "version": "7.0", "ttl": 5}');
  assert.deepEqual(details, { weight: 3, priority: 1, zone: 'eu-1a' });
  assert.equal(fault, undefined);
});

for (const value of ['', '1', 'true', 'null', '"weight"', '[1]', 'up since 2026', '{', '{"weight": }', '{}', '\0']) {
  test(`the value ${JSON.stringify(value)} says nothing`, () => {
    const { details, fault } = readDetails(value);
    assert.ok(sameDetails(endpointOf(address, details), endpointOf(address)));
    assert.equal(fault, undefined);
  });
}

for (const [value, told] of [
  ['{"weight": -1}', 'expected "weight" to be a whole number from 0 to 65535, got -1'],
  ['{"weight": 1.5}', 'expected "weight" to be a whole number from 0 to 65535, got 1.5'],
  ['{"weight": "3"}', 'expected "weight" to be a whole number from 0 to 65535, got "3"'],
  ['{"weight": 65536}', 'expected "weight" to be a whole number from 0 to 65535, got 65536'],
  ['{"weight": null}', 'expected "weight" to be a whole number from 0 to 65535, got null'],
  ['{"priority": []}', 'expected "priority" to be a whole number from 0 to 65535, got []'],
] as const) {
  test(`${value} counts as not said, and is told`, () => {
    const { details, fault } = readDetails(value);
    assert.ok(sameDetails(endpointOf(address, details), endpointOf(address)));
    assert.equal(fault, told);
  });
}

test('a wrong detail leaves the right ones in force, and a zone that could forge a line is refused', () => {
  const { details, fault } = readDetails(JSON.stringify({ weight: 2, zone: 'a\nb', priority: 'high' }));
  assert.deepEqual([details.weight, details.priority, details.zone], [2, undefined, undefined]);
  assert.match(fault ?? '', /^expected "priority" .*; expected "zone" /);
});

test('no value makes the reader throw', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (value) => {
      const { details } = readDetails(value);
      const { weight, priority } = endpointOf(address, details);
      assert.ok(Number.isInteger(weight) && weight >= 0 && Number.isInteger(priority) && priority >= 0);
    }),
  );
});
