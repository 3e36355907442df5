import { lookup } from 'node:dns';
import type { TestContext } from 'node:test';
import { dialPolicy } from '../../src/core/dial-policy.ts';
import { sentinelSource, type SentinelSourceOptions } from '../../src/discovery/sentinel/source.ts';
import { LookRecorder } from './look-recorder.ts';
import { PRIMARY } from './sentinel.ts';

/** Starts a source over Sentinels; stopped after the test. */
export function followSentinels(
  t: TestContext,
  options: Pick<SentinelSourceOptions, 'sentinels'> & Partial<SentinelSourceOptions>,
): LookRecorder {
  const sink = new LookRecorder();
  const source = sentinelSource({
    directory: PRIMARY,
    role: 'primary',
    policy: dialPolicy([]),
    onFailure: 'keep',
    maxMembers: 0,
    lookup,
    sentinelUsername: undefined,
    sentinelPassword: undefined,
    sentinelTls: false,
    sentinelCaCertPath: undefined,
    sentinelCertPath: undefined,
    sentinelKeyPath: undefined,
    ...options,
  });
  t.after(() => source.stop());
  source.start(sink);
  return sink;
}
