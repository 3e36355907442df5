import assert from 'node:assert/strict';
import { lookup } from 'node:dns';
import { suite, test, type TestContext } from 'node:test';
import { parseEndpoint } from '../../../src/etcd/endpoint.ts';
import { defaultEtcdTiming } from '../../../src/etcd/timing.ts';
import { EtcdRegistrar, type EtcdRegistrarOptions } from '../../../src/registrar/etcd/registrar.ts';
import type { Registrar, Registration } from '../../../src/registrar/registration.ts';
import type { EtcdApi } from '../../support/etcd-api.ts';
import { startEtcd } from '../../support/etcd.ts';
import { Stopwatch } from '../../support/stopwatch.ts';
import { eventually } from '../../support/wait.ts';

const DIRECTORY = '/srv/redis/debug';
const TTL_MS = 2_000;
const KEY = `${DIRECTORY}/10.0.1.134:6379`;

function registrarOf(t: TestContext, url: string, options: Partial<EtcdRegistrarOptions> = {}): Registrar {
  const registrar = new EtcdRegistrar({
    endpoints: [parseEndpoint(url)],
    tlsPaths: {},
    username: undefined,
    password: undefined,
    timing: defaultEtcdTiming,
    lookup,
    random: Math.random,
    ttlMs: TTL_MS,
    ...options,
  });
  t.after(() => registrar.close());
  return registrar;
}

interface Wanted {
  readonly registration: Registration;
  readonly phases: string[];
}

/** An entry that is wanted, with the phases it has been through. */
function want(registrar: Registrar, key = KEY, value = ''): Wanted {
  const phases: string[] = [];
  const registration = registrar.register({ key, value }, ({ state }) => phases.push(state.phase));
  registration.want(true);
  return { registration, phases };
}

const isRegistered = ({ registration }: Wanted) =>
  eventually(() => registration.state.phase === 'registered', 'it is registered');

interface Held {
  readonly lease: string;
  readonly value: string;
}

/** What stands at a key; undefined when nothing does. */
async function heldAt(api: EtcdApi, key = KEY): Promise<Held | undefined> {
  const answer = (await api.call('kv/range', { key: Buffer.from(key).toString('base64') })) as {
    kvs?: readonly { value?: string; lease?: string }[];
  };
  const kv = answer.kvs?.[0];
  return kv && { lease: kv.lease ?? '0', value: Buffer.from(kv.value ?? '', 'base64').toString() };
}

async function leasesOf(api: EtcdApi): Promise<readonly string[]> {
  const { leases = [] } = (await api.call('lease/leases', {})) as { leases?: readonly { ID: string }[] };
  return leases.map(({ ID }) => ID);
}

suite('a registrar with etcd', { timeout: 90_000 }, () => {
  test('an entry stands exactly while it is wanted, under a lease of the TTL, and leaves no lease behind', async (t) => {
    const { url, api } = await startEtcd(t);
    const registrar = registrarOf(t, url);
    const wanted = want(registrar, KEY, '{"weight":3}');
    await isRegistered(wanted);
    const held = await heldAt(api);
    assert.equal(held?.value, '{"weight":3}');
    const lease = (await api.call('lease/timetolive', { ID: held.lease })) as { grantedTTL: string };
    assert.equal(lease.grantedTTL, '2');
    wanted.registration.want(false);
    assert.equal(wanted.registration.state.phase, 'withdrawn');
    await eventually(async () => (await heldAt(api)) === undefined, 'it is gone');
    wanted.registration.want(true);
    await isRegistered(wanted);
    assert.notEqual(await heldAt(api), undefined);
    await registrar.close();
    assert.equal(await heldAt(api), undefined);
    assert.deepEqual(await leasesOf(api), []);
    assert.deepEqual(wanted.phases, ['waiting', 'registered', 'withdrawn', 'waiting', 'registered', 'withdrawn']);
  });

  test('another value is put under the same key, which is never gone meanwhile', async (t) => {
    const { url, api } = await startEtcd(t);
    const wanted = want(registrarOf(t, url), KEY, '{"weight":1}');
    await isRegistered(wanted);
    const before = await heldAt(api);
    wanted.registration.write('{"weight":2}');
    await eventually(async () => (await heldAt(api))?.value === '{"weight":2}', 'the value is there');
    assert.equal((await heldAt(api))?.lease, before?.lease);
    const history = (await api.call('kv/range', { key: Buffer.from(KEY).toString('base64') })) as {
      kvs: readonly { version: string }[];
    };
    // A key that was deleted between begins at 1.
    assert.equal(history.kvs[0]?.version, '2');
    assert.deepEqual(wanted.phases, ['waiting', 'registered']);
  });

  test('withdrawn and wanted again in quick turns: it stands, and its own deletions are no news', async (t) => {
    const { url, api } = await startEtcd(t);
    const wanted = want(registrarOf(t, url, { ttlMs: 60_000 }));
    await isRegistered(wanted);
    for (let turn = 0; turn < 50; turn += 1) {
      wanted.registration.want(false);
      await wanted.registration.released();
      wanted.registration.want(true);
      await isRegistered(wanted);
      assert.notEqual(await heldAt(api), undefined);
    }
    assert.ok(!wanted.phases.includes('removed'), JSON.stringify(wanted.phases));
  });

  test('it outlives many TTLs', async (t) => {
    const { url, api } = await startEtcd(t);
    const wanted = want(registrarOf(t, url, { ttlMs: 1_000 }));
    await isRegistered(wanted);
    const first = await heldAt(api);
    const since = performance.now();
    await eventually(
      async () => {
        assert.deepEqual(await heldAt(api), first);
        return performance.now() - since > 4_000;
      },
      'four TTLs are over',
      20_000,
    );
    assert.deepEqual(wanted.phases, ['waiting', 'registered']);
  });

  test('a lease that somebody revokes: registered again within 1 s, under another', async (t) => {
    const { url, api } = await startEtcd(t);
    const wanted = want(registrarOf(t, url, { ttlMs: 60_000 }));
    await isRegistered(wanted);
    const before = await heldAt(api);
    const since = new Stopwatch();
    await api.call('lease/revoke', { ID: before?.lease });
    await eventually(async () => (await heldAt(api)) !== undefined, 'it is back');
    assert.ok(since.ms() < 1_000, `${since.ms()} ms`);
    assert.notEqual((await heldAt(api))?.lease, before?.lease);
    await isRegistered(wanted);
    assert.ok(!wanted.phases.includes('removed'));
  });

  test('a key that an operator deletes stays away for one TTL, or until it is wanted anew', async (t) => {
    const { url, api } = await startEtcd(t);
    const wanted = want(registrarOf(t, url));
    await isRegistered(wanted);
    const since = performance.now();
    await api.remove(KEY);
    await eventually(() => wanted.registration.state.phase === 'removed', 'the deletion is seen');
    await eventually(async () => (await heldAt(api)) !== undefined, 'it is back');
    assert.ok(performance.now() - since >= TTL_MS, `${performance.now() - since} ms`);
    await isRegistered(wanted);
    await api.remove(KEY);
    await eventually(() => wanted.registration.state.phase === 'removed', 'the deletion is seen');
    wanted.registration.want(false);
    wanted.registration.want(true);
    const anew = new Stopwatch();
    await eventually(async () => (await heldAt(api)) !== undefined, 'it is back');
    assert.ok(anew.ms() < TTL_MS / 2, `${anew.ms()} ms`);
  });

  test('two registrars that claim one key: the first keeps it, the second takes it as soon as it is free', async (t) => {
    const { url, api } = await startEtcd(t);
    const [first, second] = [registrarOf(t, url, { ttlMs: 60_000 }), registrarOf(t, url, { ttlMs: 60_000 })];
    const one = want(first, KEY, '{"zone":"a"}');
    await isRegistered(one);
    const two = want(second, KEY, '{"zone":"b"}');
    await eventually(() => two.registration.state.phase === 'conflict', 'the second waits');
    assert.equal((await heldAt(api))?.value, '{"zone":"a"}');
    await first.close();
    const since = new Stopwatch();
    await isRegistered(two);
    assert.ok(since.ms() < 1_000, `${since.ms()} ms`);
    assert.equal((await heldAt(api))?.value, '{"zone":"b"}');
    assert.deepEqual(one.phases, ['waiting', 'registered', 'withdrawn']);
  });

  test('a key that stands without a lease is somebody else’s, until its owner deletes it', async (t) => {
    const { url, api } = await startEtcd(t);
    await api.put(KEY, { value: 'by hand' });
    const wanted = want(registrarOf(t, url, { ttlMs: 60_000 }));
    await eventually(() => wanted.registration.state.phase === 'conflict', 'it waits');
    assert.equal((await heldAt(api))?.value, 'by hand');
    await api.remove(KEY);
    await isRegistered(wanted);
    assert.notEqual((await heldAt(api))?.lease, '0');
  });

  test('etcd is killed and comes back with its data: registered again, by a lease that lives, no conflict', async (t) => {
    const etcd = await startEtcd(t);
    const wanted = want(registrarOf(t, etcd.url, { ttlMs: 60_000 }));
    await isRegistered(wanted);
    await etcd.kill();
    await eventually(() => wanted.registration.state.phase === 'waiting', 'it sees that etcd is away');
    assert.match(wanted.registration.state.phase === 'waiting' ? (wanted.registration.state.error ?? '') : '', /127/);
    await etcd.start();
    const since = new Stopwatch();
    await isRegistered(wanted);
    assert.ok(since.ms() < 2_500, `${since.ms()} ms`);
    assert.ok(!wanted.phases.includes('conflict'));
    const held = await heldAt(etcd.api);
    assert.ok((await leasesOf(etcd.api)).includes(held?.lease ?? ''));
  });

  test('etcd loses its data: registered again as soon as it can be', async (t) => {
    const etcd = await startEtcd(t);
    const wanted = want(registrarOf(t, etcd.url, { ttlMs: 60_000 }));
    await isRegistered(wanted);
    await etcd.kill();
    await etcd.wipe();
    await etcd.start();
    await eventually(async () => (await heldAt(etcd.api)) !== undefined, 'it is back');
    await isRegistered(wanted);
  });

  for (const [name, jumpMs] of [
    ['ahead', 86_400_000],
    ['back', -86_400_000],
  ] as const) {
    test(`promise 36: the clock jumps a day ${name}: the lease lives on, and the entry is not put again`, async (t) => {
      const etcd = await startEtcd(t);
      const wanted = want(registrarOf(t, etcd.url));
      await isRegistered(wanted);
      const before = await heldAt(etcd.api);
      const now = Date.now.bind(Date);
      t.mock.method(Date, 'now', () => now() + jumpMs);
      const watch = new Stopwatch();
      await eventually(() => watch.wallMs() > 2 * TTL_MS, 'two TTLs are over');
      assert.deepEqual(await heldAt(etcd.api), before);
      assert.deepEqual(wanted.phases, ['waiting', 'registered']);
    });
  }

  test('close while etcd is away does not wait for it', async (t) => {
    const etcd = await startEtcd(t);
    const registrar = registrarOf(t, etcd.url);
    const wanted = want(registrar);
    await isRegistered(wanted);
    await etcd.kill();
    await eventually(() => wanted.registration.state.phase === 'waiting', 'it sees that etcd is away');
    const since = new Stopwatch();
    await registrar.close();
    assert.ok(since.ms() < 2_000, `${since.ms()} ms`);
  });

  test('500 registrars that start in one moment are all registered, each under a lease of its own', async (t) => {
    const { url, api } = await startEtcd(t);
    const all = Array.from({ length: 500 }, (_, n) => {
      const registrar = registrarOf(t, url, { ttlMs: 30_000 });
      return { registrar, ...want(registrar, `${DIRECTORY}/10.0.${n >> 8}.${n & 255}:6379`) };
    });
    await eventually(
      () => all.every(({ registration }) => registration.state.phase === 'registered'),
      'all are registered',
      60_000,
    );
    assert.equal((await api.names(`${DIRECTORY}/`)).length, 500);
    const held = await Promise.all(all.map(({ registration }) => heldAt(api, registration.entry.key)));
    const leases = new Set(held.map((kv) => kv?.lease));
    // A session that was dropped in the crowd leaves a lease without a key, which expires.
    assert.equal(leases.size, 500);
    const alive = new Set(await leasesOf(api));
    assert.ok([...leases].every((lease) => alive.has(lease ?? '')));
    await Promise.all(all.map(({ registrar }) => registrar.close()));
    assert.deepEqual(await api.names(`${DIRECTORY}/`), []);
  });
});
