import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runSeed } from '../../support/seeded.ts';
import { runSoak } from '../../soak/soak.ts';
import { judge } from '../../soak/verdict.ts';

/** Twice what is promised: the machine that runs all tests at once is not what is judged. */
const GRACE_MS = 4_000;
/** What a few seconds may do without: the faults that come up are a matter of the seed. */
const MAY_BE_NONE = 'removals that were judged';

test(
  '20 s of random faults in Redis, etcd, the membership and the roles: no promise is broken',
  { timeout: 240_000 },
  async (t) => {
    const seed = runSeed();
    t.diagnostic(`TEST_SEED=${seed} repeats the sequence of faults`);
    const steps: string[] = [];
    const findings = await runSoak(t, { ms: 15_000, seed, graceMs: GRACE_MS, say: (text) => steps.push(text) });
    const failed = judge(findings).filter(({ ok, name }) => !ok && name !== MAY_BE_NONE);
    const { tally } = findings.clients;
    t.diagnostic(`${tally.connections} connections, ${tally.answers} answers, longest wait ${tally.longestPauseMs} ms`);
    assert.deepEqual(failed, [], steps.join('\n'));
  },
);
