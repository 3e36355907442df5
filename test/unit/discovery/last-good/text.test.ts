import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { endpointOf } from '../../../../src/core/endpoint.ts';
import { formatLastGood, lastGoodMember, parseLastGood } from '../../../../src/discovery/last-good/text.ts';

const head = '"format": "attache-last-good", "version": 1';

test('what is written is read again, whatever the keys and members', () => {
  const since = fc.date({ min: new Date(0), max: new Date(9e12), noInvalidDate: true }).map((date) => date.getTime());
  const set = fc.record({ since, members: fc.array(fc.string()) }, { noNullPrototype: true });
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string(), set)), (entries) => {
      const sets = new Map(entries);
      const parsed = parseLastGood(formatLastGood(sets));
      assert.ok(parsed.ok);
      assert.deepEqual(new Map([...parsed.sets].sort()), new Map([...sets].sort()));
    }),
  );
});

test('a member with the usual details is kept as its address alone, another with what is unusual', () => {
  const address = { kind: 'tcp', host: '10.0.0.1', port: 1 } as const;
  assert.equal(lastGoodMember(endpointOf(address, { weight: 1, priority: 0 })), '10.0.0.1:1');
  const members = [
    lastGoodMember(endpointOf(address, { weight: 0 })),
    lastGoodMember(endpointOf(address, { priority: 10, zone: 'eu-1a' })),
    '10.0.0.2:1',
  ];
  const text = formatLastGood(new Map([['a', { since: 0, members }]]));
  assert.match(text, /"members":\[\{"address":"10.0.0.1:1","weight":0\},\{.*"zone":"eu-1a"\},"10.0.0.2:1"\]/);
  const parsed = parseLastGood(text);
  assert.deepEqual(parsed.ok && parsed.sets.get('a')?.members, members);
});

test('a text that is cut anywhere is refused', () => {
  const text = formatLastGood(
    new Map([['etcd:/srv/x', { since: 1, members: ['10.0.0.1:1', '10.0.0.2:1'] }]]),
  ).trimEnd();
  for (let length = 0; length < text.length; length += 1) assert.equal(parseLastGood(text.slice(0, length)).ok, false);
  assert.equal(parseLastGood(text).ok, true);
});

test('any text is either taken or refused with a reason, never thrown at', () => {
  const text = fc.oneof(
    fc.string(),
    fc.json(),
    fc.json().map((services) => `{${head}, "services": ${services}}`),
  );
  fc.assert(
    fc.property(text, (given) => {
      const parsed = parseLastGood(given);
      assert.ok(parsed.ok || parsed.reason !== '');
    }),
  );
});

const refused: readonly (readonly [condition: string, text: string, reason: string])[] = [
  ['no JSON', 'x', 'not a whole JSON object'],
  ['an array', '[]', 'not a whole JSON object'],
  ['zeros', '\0'.repeat(512), 'not a whole JSON object'],
  ['deep nesting', '['.repeat(500_000), 'not a whole JSON object'],
  ["another program's JSON", '{"version": 1}', 'written by something else'],
  [
    'a later version',
    '{"format": "attache-last-good", "version": 2, "services": {}}',
    'written by another version: expected format version 1',
  ],
  ['no services', `{${head}}`, 'no services in it'],
  ['services that are a list', `{${head}, "services": []}`, 'no services in it'],
  ['an entry that is null', `{${head}, "services": {"a": null}}`, 'an entry that is no candidate set'],
  [
    'a time that is none',
    `{${head}, "services": {"a": {"since": "x", "members": []}}}`,
    'an entry that is no candidate set',
  ],
  [
    'members that are no texts',
    `{${head}, "services": {"a": {"since": "2026-01-01T00:00:00.000Z", "members": [1]}}}`,
    'an entry that is no candidate set',
  ],
];

for (const [condition, member] of [
  ['without an address', '{"weight":3}'],
  ['with an address that is no text', '{"address":1}'],
  ['that is a list', '["a:1"]'],
] as const) {
  test(`a member ${condition}: the file is refused whole`, () => {
    const text = `{${head}, "services": {"a": {"since": "2026-01-01T00:00:00.000Z", "members": [${member}]}}}`;
    assert.deepEqual(parseLastGood(text), { ok: false, reason: 'an entry that is no candidate set' });
  });
}

for (const [condition, text, reason] of refused) {
  test(`${condition}: the file is refused whole`, () => {
    assert.deepEqual(parseLastGood(text), { ok: false, reason });
  });
}
