import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseEndpoint } from '../../../src/etcd/endpoint.ts';
import { EtcdFault } from '../../../src/etcd/fault.ts';
import { runEtcdLoop } from '../../../src/etcd/loop.ts';
import type { SessionEnd } from '../../../src/etcd/session-end.ts';
import { defaultEtcdTiming } from '../../../src/etcd/timing.ts';

const down = new EtcdFault('ECONNREFUSED', 'down');
const refused = new EtcdFault('EtcdAuthenticationFailedError', 'refused', { code: 'discovery_refused' });

interface Run {
  readonly ends: readonly SessionEnd[];
  readonly endpoints?: number;
  /** Drawn for the first endpoint and for each wait; 0 means the shortest wait. */
  readonly random?: () => number;
}

/** Runs the loop over ends that are known beforehand, and says what it did: endpoints asked, faults, `unreachable`. */
async function trace({ ends, endpoints = 1, random = () => 0 }: Run): Promise<{ steps: string[]; waitsMs: number[] }> {
  const steps: string[] = [];
  const waitsMs: number[] = [];
  const left = [...ends];
  await runEtcdLoop({
    endpoints: Array.from({ length: endpoints }, (_, n) => parseEndpoint(`http://e${n}:2379`)),
    timing: { ...defaultEtcdTiming, backoffMinMs: 0, backoffInitialMs: 20, backoffMaxMs: 40, refusedBackoffMaxMs: 160 },
    random,
    signal: new AbortController().signal,
    run(endpoint) {
      steps.push(endpoint.host);
      return Promise.resolve(left.shift() ?? { kind: 'stopped' });
    },
    onFault: (fault) => steps.push(fault.label),
    onUnreachable: () => steps.push('unreachable'),
    pause(ms) {
      waitsMs.push(ms);
      return Promise.resolve();
    },
  });
  return { steps, waitsMs };
}

test('endpoints take turns, beginning at a random one', async () => {
  const draws = [0.5, 0, 0, 0];
  const { steps } = await trace({
    ends: Array.from({ length: 4 }, () => ({ kind: 'dropped', fault: down, upMs: 1 }) as const),
    endpoints: 3,
    random: () => draws.shift() ?? 0,
  });
  assert.deepEqual(steps, ['e1', 'e2', 'e0', 'e1', 'e2']);
});

test('a dropped watch is no fault until the next attempt fails', async () => {
  const { steps } = await trace({
    ends: [
      { kind: 'dropped', fault: down, upMs: 1 },
      { kind: 'dropped', fault: down, upMs: 1 },
      { kind: 'failed', fault: down },
    ],
  });
  assert.deepEqual(steps, ['e0', 'e0', 'e0', 'ECONNREFUSED', 'unreachable', 'e0']);
});

test('unreachable means that every endpoint has failed, and is said once', async () => {
  const { steps } = await trace({
    ends: [{ kind: 'dropped', fault: down, upMs: 1 }, ...Array.from({ length: 4 }, () => failed(down))],
    endpoints: 2,
  });
  assert.equal(steps.filter((step) => step === 'unreachable').length, 1);
  assert.equal(steps.indexOf('unreachable'), 5, steps.join());
});

test('an etcd that no longer answers counts as the first failure', async () => {
  const { steps } = await trace({ ends: [{ kind: 'unresponsive', fault: down, upMs: 60_000 }] });
  assert.deepEqual(steps, ['e0', 'ECONNREFUSED', 'unreachable', 'e0']);
});

test('a round over the endpoints is quick; between rounds it waits, longer each time up to the bound', async () => {
  const { steps, waitsMs } = await trace({
    ends: Array.from({ length: 6 }, () => failed(down)),
    endpoints: 2,
    random: () => 0.999,
  });
  assert.deepEqual(waitsMs.map(Math.round), [20, 40, 40]);
  assert.equal(steps.filter((step) => step.startsWith('e')).length, 7);
});

test('refusals are waited out longer than outages', async () => {
  const { waitsMs } = await trace({ ends: Array.from({ length: 5 }, () => failed(refused)), random: () => 0.999 });
  assert.deepEqual(waitsMs.map(Math.round), [20, 40, 80, 160, 160]);
});

test('a session that lived long enough starts the waits over', async () => {
  const { waitsMs } = await trace({
    ends: [failed(down), failed(down), { kind: 'dropped', fault: down, upMs: defaultEtcdTiming.settledMs }],
    random: () => 0.999,
  });
  assert.deepEqual(waitsMs.map(Math.round), [20, 40, 20]);
});

test('ended by the signal while it waits', async () => {
  const stop = new AbortController();
  let runs = 0;
  const loop = runEtcdLoop({
    endpoints: [parseEndpoint('http://e:2379')],
    timing: { ...defaultEtcdTiming, backoffMinMs: 60_000, backoffInitialMs: 60_000 },
    random: () => 0,
    signal: stop.signal,
    run() {
      runs += 1;
      setImmediate(() => stop.abort());
      return Promise.resolve(failed(down));
    },
    onFault: () => undefined,
    onUnreachable: () => undefined,
  });
  await loop;
  assert.equal(runs, 1);
});

function failed(fault: EtcdFault): SessionEnd {
  return { kind: 'failed', fault };
}
