import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NameError } from '../../../src/core/resolver.ts';
import { NameAnswers } from '../../../src/names/name-answers.ts';
import { deferred } from '../../support/wait.ts';

const OLD = ['10.0.0.1'];
const NEW = ['10.0.0.2'];

test('a name is looked up once at a time, for all who ask, and failures are not remembered', async () => {
  let asked = 0;
  const answers = new NameAnswers(
    () => ((asked += 1), Promise.reject(new NameError('ENOTFOUND', 'a.test'))),
    () => 0,
  );
  const [first, second] = [answers.get('a.test', 4), answers.get('a.test', 4)];
  await assert.rejects(first, { code: 'ENOTFOUND' });
  await assert.rejects(second, { code: 'ENOTFOUND' });
  assert.deepEqual([asked, answers.size], [1, 0]);
  await assert.rejects(answers.get('a.test', 4));
  assert.equal(asked, 2);
});

test('an old answer is used while the new one does not come, and the new one once it is there', async () => {
  let now = 0;
  const late = deferred<readonly string[]>();
  const replies = [Promise.resolve(OLD), late.promise];
  const answers = new NameAnswers(
    () => replies.shift() ?? Promise.resolve(NEW),
    () => now,
  );
  assert.equal(await answers.get('a.test', 4), OLD);
  now = 4_000;
  assert.equal(await answers.get('a.test', 4), OLD, 'after a moment of patience');
  late.resolve(NEW);
  await late.promise;
  assert.equal(await answers.get('a.test', 4), NEW);
});

test('an old answer is used when the new look-up fails for want of an answer, for 30 s at most', async () => {
  let now = 0;
  let fails = false;
  const answers = new NameAnswers(
    () => (fails ? Promise.reject(new NameError('EAI_AGAIN', 'a.test')) : Promise.resolve(OLD)),
    () => now,
  );
  await answers.get('a.test', 4);
  fails = true;
  now = 2_000;
  assert.equal(await answers.get('a.test', 4), OLD);
  now = 29_999;
  assert.equal(await answers.get('a.test', 4), OLD);
  now = 30_000;
  await assert.rejects(answers.get('a.test', 4), { code: 'EAI_AGAIN' });
});

test('an old answer is not used when the name is gone', async () => {
  let now = 0;
  let fails = false;
  const answers = new NameAnswers(
    () => (fails ? Promise.reject(new NameError('ENOTFOUND', 'a.test')) : Promise.resolve(OLD)),
    () => now,
  );
  await answers.get('a.test', 4);
  fails = true;
  now = 2_000;
  await assert.rejects(answers.get('a.test', 4), { code: 'ENOTFOUND' });
  assert.equal(answers.size, 0);
});

test('of more than 1,000 names those used last are kept', async () => {
  const asked: string[] = [];
  const answers = new NameAnswers(
    (host) => (asked.push(host), Promise.resolve(OLD)),
    () => 0,
  );
  await answers.get('kept.test', 4);
  for (let n = 0; n < 1_500; n += 1) {
    await answers.get(`n${n}.test`, 4);
    await answers.get('kept.test', 4);
  }
  assert.equal(answers.size, 1_000);
  assert.equal(asked.filter((host) => host === 'kept.test').length, 1);
});
