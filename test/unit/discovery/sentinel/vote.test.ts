import assert from 'node:assert/strict';
import { test } from 'node:test';
import { primaryOf, replicasOf, type Vote } from '../../../../src/discovery/sentinel/vote.ts';

const [A, B] = ['10.0.0.1:6379', '10.0.0.2:6379'];
const agreed = (...members: readonly string[]) => ({ kind: 'agreed', members });

for (const [condition, votes, expected] of [
  ['one that says so', [[A]], agreed(A)],
  ['two of three', [[A], [B], [A]], agreed(A)],
  ['a majority of those that answered', [[A], [A]], agreed(A)],
  [
    'one against one',
    [[A], [B]],
    /^Sentinels disagree on the primary of m: 10\.0\.0\.1:6379 \(1\), 10\.0\.0\.2:6379 \(1\)$/,
  ],
  ['one of three, the others know nobody', [[A], undefined, undefined], /^most Sentinels know no primary m/],
  ['one of two, the other knows nobody', [[A], undefined], /10\.0\.0\.1:6379 \(1\), nobody \(1\)$/],
  ['none that knows the name', [undefined], /^most Sentinels know no primary m: correct SRV/],
] as const satisfies readonly (readonly [string, readonly Vote[], unknown])[]) {
  test(`primary: ${condition}`, () => {
    const verdict = primaryOf(votes, 'm');
    if (expected instanceof RegExp) assert.match(verdict.kind === 'none' ? verdict.fault : '', expected);
    else assert.deepEqual(verdict, expected);
  });
}

test('a replica is a member when most say that it is up', () => {
  assert.deepEqual(replicasOf([[B, A], [A], [A, B]], 'm'), agreed(A, B));
  assert.deepEqual(replicasOf([[A], [B], []], 'm'), agreed());
  assert.deepEqual(replicasOf([[A, A], [], []], 'm'), agreed());
  assert.equal(replicasOf([[A], undefined], 'm').kind, 'none');
});
