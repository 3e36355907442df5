import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attemptLines, storyFacts, type ToldStory } from '../../../../src/admin/page/browser/story-text.ts';

const OPEN: ToldStory = {
  story: 'It is open.',
  state: 'open',
  service: 'redis',
  client: '10.0.0.7:41002',
  acceptedAt: '2030-01-01T12:00:00.000Z',
  totalMs: 12,
  bytesToCandidate: 0,
  bytesToClient: 1_234,
  attempts: [],
};

test('of an open connection only what is known is told', () => {
  assert.deepEqual(storyFacts(OPEN), [
    ['State', 'open'],
    ['Service', 'redis'],
    ['Client', '10.0.0.7:41002'],
    ['Accepted', '2030-01-01T12:00:00.000Z'],
    ['Lasted', '12 ms'],
    ['Sent', '0 B'],
    ['Received', '1.2 kB'],
  ]);
});

test('of one that ended all is told: through whom, TLS, why and by whom', () => {
  const facts = new Map(
    storyFacts({
      ...OPEN,
      state: 'closed',
      via: '10.0.0.1:1',
      candidate: 'a:1',
      closedAt: '2030-01-01T12:01:05.000Z',
      totalMs: 65_000,
      reason: 'membership_changed',
      endedBy: 'attache',
      tls: { version: 'TLSv1.3', peer: '<b>web</b>' },
    }),
  );
  assert.equal(facts.get('Through'), '10.0.0.1:1');
  assert.equal(facts.get('Lasted'), '1m 5s');
  assert.equal(facts.get('TLS'), 'TLSv1.3, <b>web</b>');
  assert.equal(facts.get('Why'), 'membership changed');
  assert.equal(facts.get('Ended by'), 'attache');
  assert.equal(new Map(storyFacts({ ...OPEN, tls: { version: 'TLSv1.3' } })).get('TLS'), 'TLSv1.3');
});

test('each candidate that was tried is a line with what came of it', () => {
  const attempts = [
    { candidate: 'a:1', ms: 0.4, outcome: 'ECONNREFUSED' },
    { candidate: 'b:1', ms: 1.2, outcome: 'ok' },
  ];
  assert.deepEqual(attemptLines({ ...OPEN, attempts }), ['a:1: ECONNREFUSED, 0.4 ms', 'b:1: connected, 1.2 ms']);
});
