import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOwnFault, isShortage, type FailureCode } from '../../../src/core/dial-failure.ts';
import { errnoOf } from '../../../src/core/errors.ts';

// A compile-time check: each of these lines fails to build once a misspelt code is one.
// @ts-expect-error -- a code of ours, misspelt
const misspelt: FailureCode = 'REMOVE';
// @ts-expect-error -- a text that somebody made up is no code
const madeUp: FailureCode = ['REMOVED'].join();

test('a code is one of ours by its spelling, or what an error carried', () => {
  const carried: FailureCode = errnoOf(Object.assign(new Error('refused'), { code: 'EHOSTUNREACH' }));
  assert.equal(carried, 'EHOSTUNREACH');
  assert.deepEqual([misspelt, madeUp].map(isOwnFault), [false, true]);
});

test('faults of ours say nothing about a candidate, those of time, name and peer do', () => {
  const ours = [
    'REMOVED',
    'NO_MATERIAL',
    'LOOKUP_BUSY',
    'EADDRNOTAVAIL',
    'EMFILE',
    'ENFILE',
    'ENOBUFS',
    'ENOMEM',
  ] as const;
  for (const code of ours) assert.ok(isOwnFault(code), code);
  const theirs = ['TIMEOUT', 'EOF', 'NOT_ALLOWED', 'ENOTFOUND', 'DNS_TIMEOUT', 'ECONNREFUSED'] as const;
  for (const code of theirs) assert.ok(!isOwnFault(code), code);
});

test('what the system refuses to us is told from what a candidate refuses', () => {
  for (const errno of ['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']) assert.ok(isShortage(errno), errno);
  for (const errno of ['ECONNREFUSED', 'TIMEOUT', 'EADDRNOTAVAIL', 'UNKNOWN']) assert.ok(!isShortage(errno), errno);
});
