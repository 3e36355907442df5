import assert from 'node:assert/strict';
import { suite, test, type TestContext } from 'node:test';
import { AttacheError } from '../../../src/core/errors.ts';
import { unavailable } from '../../../src/identity/material-error.ts';
import type { MaterialParts } from '../../../src/identity/parts.ts';
import type { MaterialSource } from '../../../src/identity/sources.ts';
import { createAuthority, type CertificateDetails } from '../../support/certificates.ts';
import { keep, loadedSets } from '../../support/keeper.ts';
import { part, partsOf } from '../../support/material.ts';
import { deferred, eventually } from '../../support/wait.ts';

const DAY_MS = 86_400_000;

suite('a keeper of TLS material, at the start', { timeout: 60_000 }, () => {
  test('gives the first set, and tells of it', async (t) => {
    const [parts] = await generations(t, 1);
    const { keeper, reports } = keep(t, { source: scripted(parts) });
    assert.deepEqual([keeper.current, keeper.state.status], [undefined, 'loading']);
    const material = await keeper.load();
    assert.equal(keeper.current, material);
    assert.equal(material.leaf?.subject, 'CN=generation-0');
    assert.equal(keeper.load(), keeper.load());
    assert.deepEqual(reports, [{ kind: 'loaded', material }]);
    assert.deepEqual(keeper.state, { status: 'ready', material, counters: { loaded: 1, refused: 0, unavailable: 0 } });
  });

  test('waits out what can pass, telling of it once as long as it is the same', async (t) => {
    const [parts] = await generations(t, 1);
    const down = unavailable('s3://b/ca.pem', 'expected x, found y', true);
    const other = unavailable('s3://b/ca.pem', 'expected x, found z', true);
    const bug = new TypeError('a bug');
    const source = scripted(down, down, down, other, bug, parts);
    const { keeper, reports } = keep(t, { source });
    const seen: unknown[] = [];
    source.onRead = () => seen.push(keeper.state);
    const material = await keeper.load();
    assert.deepEqual(seen.slice(0, 3), [
      { status: 'loading', error: undefined, counters: { loaded: 0, refused: 0, unavailable: 0 } },
      { status: 'loading', error: down.message, counters: { loaded: 0, refused: 0, unavailable: 1 } },
      { status: 'loading', error: down.message, counters: { loaded: 0, refused: 0, unavailable: 2 } },
    ]);
    assert.equal(source.reads, 6);
    assert.deepEqual(reports.slice(0, 2), [
      { kind: 'failed', error: down, nextInMs: 1 },
      { kind: 'failed', error: other, nextInMs: 1 },
    ]);
    assert.deepEqual(
      reports.map(({ kind }) => kind),
      ['failed', 'failed', 'failed', 'loaded'],
    );
    assert.deepEqual(keeper.state, { status: 'ready', material, counters: { loaded: 1, refused: 0, unavailable: 5 } });
  });

  test('gives up on what is missing or no good, and does not look again', async (t) => {
    const [parts] = await generations(t, 1);
    const missing = unavailable('/tls/ca.pem', 'expected a file, found none', false);
    const broken = { ...parts, key: part('/tls/key.pem', 'x') };
    for (const [outcome, code] of [
      [missing, 'tls_material_unavailable'],
      [broken, 'tls_material_invalid'],
    ] as const) {
      const source = scripted(outcome);
      const { keeper, reports } = keep(t, { source, reloadMs: 1 });
      const rejected = keeper.load();
      await assert.rejects(rejected, { code });
      await keeper.reload();
      await assert.rejects(keeper.load(), { code });
      assert.equal(source.reads, 1);
      assert.equal(keeper.state.status, 'loading');
      assert.equal(reports.length, 1);
      assert.ok(reports[0]?.kind === 'failed' && reports[0].nextInMs === undefined);
    }
  });
});

suite('a keeper of TLS material, later', { timeout: 60_000 }, () => {
  test('looks again each time its time has come, until it is stopped', async (t) => {
    const [one, two] = await generations(t, 2);
    const source = scripted(one, one, two);
    const { keeper } = keep(t, { source, reloadMs: 1 });
    await keeper.load();
    await eventually(() => keeper.current?.leaf?.subject === 'CN=generation-1', 'the second set is in use');
    await eventually(() => source.reads > 5, 'it goes on looking');
    await keeper.stop();
    const { reads } = source;
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(source.reads, reads);
  });

  test('the same bytes change nothing, other ones everything', async (t) => {
    const [one, two] = await generations(t, 2);
    const { keeper, reports } = keep(t, { source: scripted(one, one, two, two) });
    const first = await keeper.load();
    await keeper.reload();
    assert.equal(keeper.current, first);
    await keeper.reload();
    const second = keeper.current;
    assert.notEqual(second, first);
    assert.notEqual(second.secureContext, first.secureContext);
    await keeper.reload();
    assert.equal(keeper.current, second);
    assert.deepEqual(
      loadedSets(reports).map(({ leaf }) => leaf?.subject),
      ['CN=generation-0', 'CN=generation-1'],
    );
    assert.deepEqual(
      reports.map(({ kind }) => kind),
      ['loaded', 'loaded'],
    );
  });

  test('a set that is no good, or cannot be read, leaves the one in use; its return is told', async (t) => {
    const [one] = await generations(t, 1);
    const broken = { ...one, key: part('/tls/key.pem', 'x') };
    const missing = unavailable('/tls/key.pem', 'expected a file, found none', false);
    const down = unavailable('s3://b/key.pem', 'expected an answer, found none', true);
    const { keeper, reports } = keep(t, { source: scripted(one, broken, broken, missing, down, one, one) });
    const material = await keeper.load();
    await keeper.reload();
    assert.deepEqual(keeper.state, {
      status: 'stale',
      material,
      error: '/tls/key.pem: expected a private key in PEM, found no PEM block',
      counters: { loaded: 1, refused: 1, unavailable: 0 },
    });
    for (let n = 0; n < 5; n++) await keeper.reload();
    assert.deepEqual(keeper.state, { status: 'ready', material, counters: { loaded: 1, refused: 2, unavailable: 2 } });
    assert.deepEqual(
      reports.map(({ kind }) => kind),
      ['loaded', 'failed', 'failed', 'failed', 'recovered'],
    );
    assert.equal(keeper.current, material);
  });

  test('requests during a look share the one after it, and each sees a look that began after it asked', async (t) => {
    const [one, two] = await generations(t, 2);
    const slow = deferred<MaterialParts>();
    const source = scripted(one, slow.promise, two);
    const { keeper } = keep(t, { source });
    await keeper.load();
    const during = keeper.reload();
    await eventually(() => source.reads === 2, 'the slow look is under way');
    const after = [keeper.reload(), keeper.reload(), keeper.reload()];
    slow.resolve(one);
    await during;
    assert.equal(keeper.current?.leaf?.subject, 'CN=generation-0');
    await Promise.all(after);
    assert.equal(keeper.current.leaf.subject, 'CN=generation-1');
    assert.equal(source.reads, 3);
    assert.equal(source.mostAtOnce, 1);
  });

  test('a request while it waits to try again at the start is a try at once', async (t) => {
    const [parts] = await generations(t, 1);
    const down = unavailable('s3://b/ca.pem', 'expected x, found y', true);
    const { keeper } = keep(t, {
      source: scripted(down, parts),
      backoff: { next: () => 600_000, reset: () => undefined },
    });
    const loading = keeper.load();
    await eventually(
      () => keeper.state.status === 'loading' && keeper.state.error !== undefined,
      'the first try failed',
    );
    await keeper.reload();
    assert.equal(await loading, keeper.current);
  });

  test('a reporter that throws ends nothing', async (t) => {
    const [one, two] = await generations(t, 2);
    const report = (): never => {
      throw new Error('a bug');
    };
    const { keeper } = keep(t, { source: scripted(one, two), report });
    await keeper.load();
    await keeper.reload();
    assert.equal(keeper.current?.leaf?.subject, 'CN=generation-1');
  });
});

suite('a keeper of TLS material that is stopped', { timeout: 60_000 }, () => {
  test('while it loads: the loading ends, and so does the reading', async (t) => {
    const source = scripted(new Promise<never>(() => undefined));
    const { keeper } = keep(t, { source });
    const loading = keeper.load();
    await eventually(() => source.reads === 1, 'it reads');
    await keeper.stop();
    await assert.rejects(loading, { code: 'closed' });
    assert.ok(source.aborted && source.stopped);
  });

  test('while it waits to try again: the loading ends', async (t) => {
    const down = unavailable('s3://b/ca.pem', 'expected x, found y', true);
    const { keeper } = keep(t, { source: scripted(down), backoff: { next: () => 600_000, reset: () => undefined } });
    const loading = keeper.load();
    await eventually(
      () => keeper.state.status === 'loading' && keeper.state.error !== undefined,
      'the first try failed',
    );
    await keeper.stop();
    await assert.rejects(loading, { code: 'closed' });
  });

  test('stays so: a late answer changes nothing, nobody is kept waiting, nothing is read again', async (t) => {
    const [one, two] = await generations(t, 2);
    const late = deferred<MaterialParts>();
    const source = scripted(one, late.promise);
    source.heedsSignal = false;
    const { keeper, reports } = keep(t, { source, reloadMs: 1 });
    const first = await keeper.load();
    await eventually(() => source.reads === 2, 'the late look is under way');
    const waiting = [keeper.reload(), keeper.stop(), keeper.stop()];
    late.resolve(two);
    await Promise.all(waiting);
    await keeper.reload();
    assert.equal(keeper.current, first);
    assert.equal(source.reads, 2);
    assert.equal(reports.length, 1);
  });

  test('before it began: it never reads', async (t) => {
    const source = scripted();
    const { keeper } = keep(t, { source });
    await keeper.stop();
    await assert.rejects(keeper.load(), (error) => error instanceof AttacheError && error.code === 'closed');
    assert.equal(source.reads, 0);
  });
});

suite('the end of a certificate', { timeout: 60_000 }, () => {
  test('is told of 7 days ahead, once a day, and for each new set', async (t) => {
    const start = Date.now();
    const ends = (days: number) => ({ notAfter: new Date(Math.floor((start + days * DAY_MS) / 1000) * 1000) });
    const [long, short] = [await generation(t, 'long', ends(9)), await generation(t, 'short', ends(5))];
    let now = start;
    const { keeper, reports } = keep(t, {
      source: scripted(long, long, long, long, long, long, short, short),
      now: () => now,
    });
    await keeper.load();
    const told = async (days: number): Promise<number> => {
      now = start + days * DAY_MS;
      await keeper.reload();
      return reports.filter(({ kind }) => kind === 'expiring').length;
    };
    assert.equal(await told(1.9), 0);
    assert.equal(await told(2.1), 1);
    assert.equal(await told(3), 1);
    assert.equal(await told(3.2), 2);
    assert.equal(await told(1), 2, 'not while it is far away, the clock having been set back');
    assert.equal(await told(3.3), 3);
    assert.equal(await told(4), 3);
    assert.equal(await told(4.4), 4);
    const last = reports.at(-1);
    assert.ok(last?.kind === 'expiring' && last.notAfterMs === ends(5).notAfter.getTime());
  });
});

interface ScriptedSource extends MaterialSource {
  reads: number;
  mostAtOnce: number;
  aborted: boolean;
  stopped: boolean;
  heedsSignal: boolean;
  onRead: () => void;
}

/** Reads what is scripted, one a look; after the last, that one again and again. */
function scripted(...script: readonly (MaterialParts | Error | Promise<MaterialParts>)[]): ScriptedSource {
  let atOnce = 0;
  const source: ScriptedSource = {
    reads: 0,
    mostAtOnce: 0,
    aborted: false,
    stopped: false,
    heedsSignal: true,
    onRead: () => undefined,
    async read(signal) {
      source.onRead();
      const outcome = script[Math.min(source.reads++, script.length - 1)];
      source.mostAtOnce = Math.max(source.mostAtOnce, ++atOnce);
      try {
        if (outcome === undefined || outcome instanceof Error) throw outcome ?? new Error('nothing is scripted');
        if (!source.heedsSignal) return await outcome;
        return await Promise.race([outcome, aborted(signal, source)]);
      } finally {
        atOnce -= 1;
      }
    },
    stop() {
      source.stopped = true;
    },
  };
  return source;
}

function aborted(signal: AbortSignal, source: ScriptedSource): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => {
      source.aborted = true;
      reject(signal.reason as Error);
    });
  });
}

async function generations(t: TestContext, count: 1): Promise<readonly [MaterialParts]>;
async function generations(t: TestContext, count: 2): Promise<readonly [MaterialParts, MaterialParts]>;
async function generations(t: TestContext, count: number): Promise<readonly MaterialParts[]> {
  const made: MaterialParts[] = [];
  for (let n = 0; n < count; n++) made.push(await generation(t, `generation-${n}`));
  return made;
}

async function generation(t: TestContext, name: string, details: CertificateDetails = {}): Promise<MaterialParts> {
  const authority = await createAuthority(t);
  const { certPath, keyPath } = await authority.issue(name, [], details);
  return partsOf({ ca: authority.caPath, cert: certPath, key: keyPath });
}
