import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LeasedEntry } from '../../../../src/registrar/etcd/entry.ts';
import { LeaseHolder, type LeaseHolderOptions } from '../../../../src/registrar/etcd/lease-session.ts';
import { Waker } from '../../../../src/registrar/waker.ts';
import { deferred, eventually } from '../../../support/wait.ts';

interface Listener {
  connected(): void;
  message(update: unknown): void;
}

test(
  'a key that is deleted while its lease is renewed counts as deleted by an answer from after that',
  { timeout: 20_000 },
  async (t) => {
    const [waker, over] = [new Waker(), new AbortController()];
    const entry = new LeasedEntry({ key: '/a', value: '' }, { listener: () => undefined, wake: () => waker.wake() });
    entry.want(true);
    const answers: ((isKnown: boolean) => void)[] = [];
    const renew = () => {
      const { promise, resolve } = deferred<boolean>();
      answers.push(resolve);
      return promise;
    };
    let watch: Listener | undefined;
    const client = {
      leases: { claim: () => Promise.resolve({ kind: 'held', revision: 5 }), release: () => Promise.resolve() },
      watch: ({ listener }: { readonly listener: Listener }) => (watch = listener),
    };
    const options = { entries: new Set([entry]), former: [], waker, ttlMs: 60_000, random: () => 0.5 };
    const told = { leaving: new AbortController().signal, over: over.signal, fail: () => undefined };
    const more = { client, lease: { id: '7', renew }, endpoint: { label: 'etcd' }, timing: { watchConnectMs: 30_000 } };
    // What etcd answers, and when, is the test's.
    const run = new LeaseHolder({ ...options, ...told, ...more } as unknown as LeaseHolderOptions).run().catch(String);
    t.after(async () => {
      over.abort();
      waker.wake();
      await run;
    });
    await eventually(() => watch !== undefined, 'it is watched');
    watch?.connected();
    await eventually(() => answers.length === 1, 'the lease is renewed');
    watch?.message({ events: [{ type: 'Delete', kv: { mod_revision: '6', lease: '0' } }] });
    answers[0]?.(true);
    await eventually(() => answers.length === 2 || entry.state.phase === 'removed', 'it goes on');
    assert.notEqual(entry.state.phase, 'removed');
    answers[1]?.(false);
    assert.match(String(await run), /does not know the lease/);
  },
);
