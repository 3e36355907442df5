import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { test, type TestContext } from 'node:test';
import { startAttache } from '../../support/attache.ts';
import { endWithProcess } from '../../support/end-with.ts';
import type { FairnessOrder, FairnessTold } from '../../support/fairness-peer.ts';
import { eventually } from '../../support/wait.ts';

const STREAMS = 150;
const MIB = 1024 * 1024;
/** What all streams together move before they are compared: some times what the kernel may keep of each. */
const MOVED_BYTES = STREAMS * 6 * MIB;

/** A part of the test in a process of its own: what it has told last, and what it tells next. */
class Peer {
  readonly #child: ChildProcess;
  #told: FairnessTold[] = [];

  constructor(t: TestContext, role: string, ...numbers: readonly number[]) {
    this.#child = fork(new URL('../../support/fairness-peer.js', import.meta.url), [role, ...numbers.map(String)]);
    this.#child.on('message', (told: FairnessTold) => this.#told.push(told));
    endWithProcess(this.#child);
    t.after(() => this.#child.kill('SIGKILL'));
  }

  say(order: FairnessOrder): void {
    this.#child.send(order);
  }

  async told<K extends FairnessTold['kind']>(kind: K, withinMs = 20_000): Promise<Extract<FairnessTold, { kind: K }>> {
    const found = () => this.#told.find((told) => told.kind === kind);
    await eventually(() => found() !== undefined || this.#child.exitCode !== null, `it tells: ${kind}`, withinMs);
    return found() as Extract<FairnessTold, { kind: K }>;
  }
}

/** 1: all the same; 1/n: one has all. */
function jain(shares: readonly number[]): number {
  const sum = shares.reduce((all, one) => all + one, 0);
  const squares = shares.reduce((all, one) => all + one * one, 0);
  return squares === 0 ? 0 : (sum * sum) / shares.length / squares;
}

for (const engine of ['typescript', 'native'] as const) {
  test(`${STREAMS} bulk streams, ${engine} engine: all move, alike, and another service answers meanwhile`, async (t) => {
    const [endless, echo] = [new Peer(t, 'endless'), new Peer(t, 'small')];
    const [source, target] = [await endless.told('listening'), await echo.told('listening')];
    const services = [
      { name: 'bulk', src: '127.0.0.1:0', dst: `127.0.0.1:${source.port}` },
      { name: 'small', src: '127.0.0.1:0', dst: `127.0.0.1:${target.port}` },
    ];
    const attache = startAttache(t, { env: { SERVICES: JSON.stringify(services), ENGINE: engine } });
    const [bulkPort, smallPort] = await Promise.all([attache.port('bulk'), attache.port('small')]);
    echo.say({ kind: 'ask', port: smallPort });
    const reader = new Peer(t, 'reader', bulkPort, STREAMS, MOVED_BYTES);
    await Promise.all([echo.told('ready'), reader.told('ready')]);
    echo.say({ kind: 'go' });
    reader.say({ kind: 'go' });
    const { bytes: seen } = await reader.told('moved', 60_000);
    echo.say({ kind: 'count' });
    const { count: answers } = await echo.told('answers');
    const index = jain(seen);
    t.diagnostic(`Jain ${index.toFixed(2)}, least ${Math.min(...seen)}, most ${Math.max(...seen)}, ${answers} answers`);
    assert.equal(seen.filter((bytes) => bytes > 0).length, STREAMS, 'every stream has moved');
    assert.ok(index > 0.8, `Jain's index is ${index.toFixed(2)}`);
    assert.ok(answers > 15, `${answers} small requests were answered meanwhile`);
  });
}
