import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Lab } from '../../../bench/lab.ts';
import type { Peer } from '../../../bench/peers/peer.ts';
import type { ProxyName } from '../../../bench/names.ts';
import { Processes } from '../../../bench/processes.ts';
import { run } from '../../../bench/run.ts';
import type { Workload } from '../../../bench/workloads/workload.ts';

test('proxies take turns within a round, and every value is kept', async () => {
  const turns: string[] = [];
  let value = 0;
  const outcome = await runWith({
    peers: [peer('attache'), peer('haproxy')],
    read: (name) => {
      turns.push(name);
      return (value += 1);
    },
  });
  assert.deepEqual(turns, ['attache', 'haproxy', 'attache', 'haproxy']);
  assert.deepEqual(outcome.rows, [{ measure: 'connect', values: { attache: [1, 3], haproxy: [2, 4] } }]);
  assert.deepEqual(outcome.failures, []);
});

test('a peer that fails in the middle is said and left out; the others go on, and what it did stays', async () => {
  let turns = 0;
  const outcome = await runWith({
    peers: [peer('attache'), peer('nginx')],
    read: (name) => {
      if (name === 'nginx' && ++turns === 2) throw new Error('fell over');
      return 5;
    },
  });
  assert.deepEqual(outcome.rows, [{ measure: 'connect', values: { attache: [5, 5], nginx: [5] } }]);
  assert.deepEqual(outcome.failures, [{ proxy: 'nginx', workload: 'connect', message: 'fell over' }]);
  assert.ok(outcome.lines.some((line) => line.includes('nginx failed and is left out: fell over')));
});

test('a peer that cannot be made ready is said and left out', async () => {
  const outcome = await runWith({
    peers: [peer('attache'), peer('haproxy')],
    open: (name) => {
      if (name === 'haproxy') throw new Error('/home/somebody/x.cfg:3: no such file, see http://host/a');
    },
  });
  assert.deepEqual(outcome.failures, [
    { proxy: 'haproxy', workload: 'connect', message: 'x.cfg:3: no such file, see http://host/a' },
  ]);
  assert.deepEqual(outcome.rows, [{ measure: 'connect', values: { attache: [1, 1] } }]);
});

test('a peer that is not suited is said and is no failure', async () => {
  const outcome = await runWith({ peers: [peer('attache'), { ...peer('stunnel'), unsuited: () => 'TLS only' }] });
  assert.deepEqual(outcome.failures, []);
  assert.ok(outcome.lines.includes('connect: without stunnel: TLS only'));
});

test('a run that is ended stops there and blames nobody', async () => {
  const over = new AbortController();
  const turns: string[] = [];
  await assert.rejects(
    runWith({
      peers: [peer('attache'), peer('haproxy')],
      over,
      read: (name) => {
        turns.push(name);
        over.abort();
        throw new Error('its connection was cut');
      },
    }),
    { name: 'AbortError' },
  );
  assert.deepEqual(turns, ['attache']);
});

test('what a proxy started is ended when it fails, and all of it when the workload is over', async () => {
  const started: number[] = [];
  const processes = new Processes();
  await runWith({
    processes,
    peers: [peer('attache'), peer('haproxy')],
    open: async (name, lab) => {
      const { pid } = await lab.processes.start({ program: 'sleep', args: ['1000'], output: '/dev/null' });
      started.push(pid);
      if (name === 'haproxy') throw new Error('later than its process');
    },
  });
  assert.equal(started.length, 2);
  for (const pid of started) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
});

interface Fakes {
  readonly peers: readonly Peer[];
  readonly over?: AbortController;
  readonly processes?: Processes;
  open?(name: ProxyName, lab: Lab): void | Promise<void>;
  read?(name: ProxyName): number;
}

async function runWith({ peers, over = new AbortController(), processes = new Processes(), ...fakes }: Fakes) {
  const lines: string[] = [];
  const workload: Workload = {
    name: 'connect',
    needs: [],
    rounds: 2,
    open: async ({ name }, lab) => {
      await fakes.open?.(name, lab);
      return {
        read: () => {
          const value = fakes.read?.(name) ?? 1;
          return Promise.resolve([{ measure: 'connect', value }]);
        },
      };
    },
  };
  const outcome = await run({
    lab: {
      settings: {
        against: [],
        only: [],
        rounds: 2,
        node: '',
        seconds: 1,
        gigabytes: 1,
        connections: 10,
        set: {},
        out: undefined,
      },
      processes,
      signal: over.signal,
      folder: '/nonexistent',
      openFiles: 1_024,
      certificates: () => Promise.reject(new Error('not used')),
      note: () => undefined,
    },
    workloads: [workload],
    peers,
    rounds: () => 2,
    progress: (line) => lines.push(line),
  });
  return { ...outcome, lines };
}

function peer(name: ProxyName): Peer {
  return { name, program: undefined, unsuited: () => undefined, command: () => ({ program: 'false', args: [] }) };
}
