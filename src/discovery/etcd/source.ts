import { followDirectory } from './follow.ts';
import type { EtcdClient } from '../../etcd/client.ts';
import { etcdPlan, type EtcdSourceOptions } from './plan.ts';
import { etcdSurvey } from './survey.ts';
import type { CandidateSource } from '../source.ts';

export type { EtcdSourceOptions } from './plan.ts';
export type { EtcdTiming } from '../../etcd/timing.ts';

type Life =
  | { readonly kind: 'idle' }
  | { readonly kind: 'running'; readonly stop: AbortController; readonly done: Promise<void> }
  | { readonly kind: 'stopped'; readonly done: Promise<void> };

/**
 * A service directory in etcd v3 as a source of candidates: the members' keys are their addresses, and values
 * may say a weight, a priority and a zone.
 *
 * @throws AttacheError `config_invalid` when there is no endpoint, or one is not `http(s)://host:port`
 */
export function etcdSource(options: EtcdSourceOptions): CandidateSource {
  const plan = etcdPlan(options);
  let life: Life = { kind: 'idle' };
  let client: Pick<EtcdClient, 'firstKeys'> | undefined;
  const reachable = (now: typeof client) => {
    client = now;
  };
  return {
    start(sink) {
      if (life.kind !== 'idle') return;
      const stop = new AbortController();
      life = { kind: 'running', stop, done: followDirectory(plan, { sink, signal: stop.signal, reachable }) };
    },
    survey: () => etcdSurvey(plan.prefix, client),
    async stop() {
      if (life.kind === 'idle') life = { kind: 'stopped', done: Promise.resolve() };
      if (life.kind === 'running') {
        const { stop, done } = life;
        life = { kind: 'stopped', done };
        stop.abort();
      }
      await life.done;
    },
  };
}
