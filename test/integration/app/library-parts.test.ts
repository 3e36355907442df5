import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAmbassador, orderedPolicy, type AttacheEvent, type Extension, type Policy } from '../../../src/index.ts';
import { Stopwatch } from '../../support/stopwatch.ts';
import { ask, startNamed } from '../../support/tcp.ts';
import { deferred, eventually } from '../../support/wait.ts';

const LIMIT = { timeout: 30_000 };

function port(ambassador: ReturnType<typeof createAmbassador>): number {
  const address = ambassador.address();
  return address?.kind === 'tcp' ? address.port : 0;
}

test('once hears one event, off ends what on began, and a listener given twice is called once', LIMIT, async (t) => {
  const server = await startNamed(t, 'a');
  const ambassador = createAmbassador({ services: [{ src: '127.0.0.1:0', dst: `127.0.0.1:${server.port}` }] });
  t.after(() => ambassador.closeNow());
  const heard = { once: 0, twice: 0, off: 0, all: 0 };
  const twice = () => (heard.twice += 1);
  const off = () => (heard.off += 1);
  ambassador.once('connection-closed', () => (heard.once += 1));
  const never = ambassador.once('connection-closed', () => assert.fail('it was ended before'));
  never();
  ambassador.on('connection-closed', twice);
  ambassador.on('connection-closed', twice);
  ambassador.on('connection-closed', off);
  ambassador.off('connection-closed', off);
  ambassador.on('connection-closed', () => (heard.all += 1));
  await ambassador.start();
  for (let n = 1; n <= 3; n += 1) {
    assert.equal(await ask(port(ambassador)), 'a');
    await eventually(() => heard.all === n, 'the close is told');
  }
  assert.deepEqual(heard, { once: 1, twice: 3, off: 0, all: 3 });
});

test('what ends an earlier listening does not end a later one of the same listener', LIMIT, async (t) => {
  const ambassador = createAmbassador({ services: [{ src: '127.0.0.1:0', dst: '127.0.0.1:1' }] });
  t.after(() => ambassador.closeNow());
  let heard = 0;
  const listener = () => (heard += 1);
  const first = ambassador.on('lifecycle', listener);
  ambassador.off('lifecycle', listener);
  ambassador.on('lifecycle', listener);
  first();
  await ambassador.start();
  assert.equal(heard, 1);
});

test('await using closes the ambassador at the end of its block', LIMIT, async (t) => {
  const server = await startNamed(t, 'a');
  const ambassador = createAmbassador({ services: [{ src: '127.0.0.1:0', dst: `127.0.0.1:${server.port}` }] });
  await ambassador.start();
  assert.equal(await ask(port(ambassador)), 'a');
  await ambassador[Symbol.asyncDispose]();
  assert.equal(ambassador.status.phase, 'closed');
});

test('sourceFor and policyFor answer for one service, and undefined leaves the usual for another', LIMIT, async (t) => {
  const [one, other] = [await startNamed(t, 'one'), await startNamed(t, 'other')];
  const address = (port: number) => ({ kind: 'tcp', host: '127.0.0.1', port }) as const;
  const last: Policy = { ...orderedPolicy(), begin: () => ({ next: (all, fits) => all.filter(fits).at(-1) }) };
  const asked: string[] = [];
  const ambassador = createAmbassador(
    {
      services: [
        { name: 'own', src: '127.0.0.1:0', srv: '/nobody/looks' },
        { name: 'usual', src: '127.0.0.1:0', dst: [`127.0.0.1:${one.port}`, `127.0.0.1:${other.port}`] },
      ],
    },
    {
      sourceFor: ({ name }) => {
        asked.push(name);
        if (name !== 'own') return undefined;
        return {
          start: (sink) => sink.candidates([address(one.port), address(other.port)]),
          stop: () => Promise.resolve(),
        };
      },
      policyFor: ({ name }) => (name === 'own' ? last : undefined),
    },
  );
  t.after(() => ambassador.closeNow());
  await ambassador.start();
  assert.deepEqual(asked, ['own', 'usual']);
  const portOf = (name: string) => {
    const found = ambassador.address(name);
    return found?.kind === 'tcp' ? found.port : 0;
  };
  assert.equal(await ask(portOf('own')), 'other');
  assert.equal(await ask(portOf('usual')), 'one');
});

test('an extension is started, told of the drain while listeners are open, and closed last', LIMIT, async (t) => {
  const server = await startNamed(t, 'a');
  const told: string[] = [];
  const drained = deferred<undefined>();
  const extension: Extension = {
    start: () => Promise.resolve(void told.push('start')),
    draining: async () => {
      told.push(`draining: ${await ask(port(ambassador))}`);
      drained.resolve(undefined);
    },
    close: () => Promise.resolve(void told.push('close')),
  };
  const ambassador: ReturnType<typeof createAmbassador> = createAmbassador(
    { services: [{ src: '127.0.0.1:0', dst: `127.0.0.1:${server.port}` }] },
    {
      observer: (event: AttacheEvent) => {
        if (event.type === 'lifecycle') told.push(event.phase);
      },
      extensions: () => Promise.resolve([extension]),
      endpoints: () =>
        Promise.resolve([{ start: () => Promise.resolve(void told.push('old name')), close: () => Promise.resolve() }]),
    },
  );
  await ambassador.start();
  await ambassador.close();
  await drained.promise;
  assert.deepEqual(told, [
    'start',
    'old name',
    'started',
    'draining',
    'draining: a',
    'listeners-closed',
    'stopped',
    'close',
  ]);
});

test('closeNow does not wait for an extension that does not answer', LIMIT, async () => {
  const ambassador = createAmbassador(
    { services: [{ src: '127.0.0.1:0', dst: '127.0.0.1:1' }] },
    {
      extensions: () =>
        Promise.resolve([
          {
            start: () => Promise.resolve(),
            draining: () => new Promise<void>(() => undefined),
            close: () => Promise.resolve(),
          },
        ]),
    },
  );
  await ambassador.start();
  const since = new Stopwatch();
  await ambassador.closeNow();
  assert.ok(since.ms() < 4_000, 'it did not wait for the limit');
});
