import type { TestContext } from 'node:test';
import { dialPolicy } from '../../src/core/dial-policy.ts';
import { etcdSource, type EtcdSourceOptions } from '../../src/discovery/etcd/source.ts';
import type { CandidateSource } from '../../src/discovery/source.ts';
import { SourceRecorder } from './source-recorder.ts';

export const DIRECTORY = '/srv/redis/debug';

/** The key of a member of {@link DIRECTORY}. */
export function memberKey(member: string): string {
  return `${DIRECTORY}/${member}`;
}

export interface StartedSource {
  readonly source: CandidateSource;
  readonly recorder: SourceRecorder;
}

/** Starts a source on {@link DIRECTORY}; it is stopped with the test. */
export function startSource(
  t: TestContext,
  options: Pick<EtcdSourceOptions, 'endpoints'> & Partial<EtcdSourceOptions>,
): StartedSource {
  const source = etcdSource({ directory: DIRECTORY, policy: dialPolicy([]), onFailure: 'keep', ...options });
  const recorder = new SourceRecorder();
  t.after(async () => source.stop());
  source.start(recorder);
  return { source, recorder };
}
