import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Findings } from '../../soak/soak.ts';
import { reportOf } from '../../soak/report.ts';
import { judge } from '../../soak/verdict.ts';

const MiB = 1024 * 1024;
const quiet = {
  heapBytes: 10 * MiB,
  bufferBytes: MiB,
  loopDelayMaxMs: 1,
  loopDelayP99Ms: 1,
  residentKb: 90_000,
  descriptors: 20,
};
const good: Findings = {
  seed: 1,
  ms: 20_000,
  faults: { 'redis kill -9': 3 },
  stepFailures: [],
  registryWrites: 10,
  outages: 1,
  clients: {
    tally: {
      connections: 5,
      answers: 100,
      cuts: 1,
      bytesIn: 10,
      bytesOut: 10,
      largestBytes: 5,
      longestPauseMs: 50,
      pausesOverSecond: 0,
    },
    wrong: [],
  },
  stuck: undefined,
  roles: { changes: 2, acknowledged: 100, lost: [], refusals: 1, lateRefusals: [] },
  edits: { done: 4, failures: [] },
  registrars: { done: 2, failures: [] },
  overstays: [],
  absences: 3,
  stays: { byClients: 5, byLog: 5 },
  log: {
    lines: 25,
    accessLines: 5,
    otherLines: 20,
    reasons: new Map([['finished', 5]]),
    waited: 1,
    longestWaitMs: 200,
    faults: [],
    unaccounted: 0,
  },
  warm: quiet,
  end: quiet,
  curve: [
    [0, 90_000, 20],
    [20, 95_000, 40],
  ],
  loop: { maxMs: 5, p99Ms: 1 },
  health: { asked: 80, slowestMs: 3, failures: [] },
  complaints: [],
  exit: 0,
};

const failedBy = (change: Partial<Findings>) => judge({ ...good, ...change }).filter(({ ok }) => !ok).length;

suite('the verdict on a soak', () => {
  test('is good when all is well', () => assert.equal(failedBy({}), 0));

  const bad: readonly (readonly [string, Partial<Findings>])[] = [
    ['a wrong byte', { clients: { ...good.clients, wrong: ['steady-0: byte 3'] } }],
    ['somebody at a removed member', { overstays: ['client brief-0'] }],
    ['a client that is stuck', { stuck: 'slow-1' }],
    ['resident memory that has grown', { end: { ...quiet, residentKb: 90_000 + 33 * 1_024 } }],
    ['a heap that has grown', { end: { ...quiet, heapBytes: 15 * MiB } }],
    ['buffers that are kept', { end: { ...quiet, bufferBytes: 7 * MiB } }],
    ['a peak of memory', { curve: [[1, 300_000, 20]] }],
    ['a descriptor that is left', { end: { ...quiet, descriptors: 21 } }],
    ['a probe without an answer', { health: { ...good.health, failures: ['503'] } }],
    ['an exit code', { exit: 1 }],
    ['an error in the log', { log: { ...good.log, faults: ['{}'] } }],
    ['a connection without its line', { log: { ...good.log, unaccounted: 1 } }],
    ['a log that runs over', { log: { ...good.log, otherLines: 100_000 } }],
    ['words on stderr', { complaints: ['Warning'] }],
    ['a fault that could not be done', { stepFailures: ['etcd freeze'] }],
    ['nothing compared', { clients: { ...good.clients, tally: { ...good.clients.tally, answers: 0 } } }],
    ['a write that is lost', { roles: { ...good.roles, lost: ['write 7'] } }],
    ['a write that went to a replica', { roles: { ...good.roles, lateRefusals: ['READONLY'] } }],
    ['nothing written', { roles: { ...good.roles, acknowledged: 0 } }],
    ['nobody else leading', { roles: { ...good.roles, changes: 0 } }],
    ['no removal judged', { absences: 0 }],
    ['an edit that is not in force', { edits: { done: 4, failures: ['guest-0 is a, not b'] } }],
    ['nothing edited', { edits: { ...good.edits, done: 0 } }],
    ['a key that stays', { registrars: { done: 2, failures: ['still there'] } }],
    ['no registrar ended', { registrars: { ...good.registrars, done: 0 } }],
  ];
  for (const [what, change] of bad) test(`is bad for ${what}`, () => assert.equal(failedBy(change), 1));

  test('the report says which, with what was found', () => {
    const findings = { ...good, overstays: ['client brief-0 (new): to 127.0.0.1:1'] };
    const { markdown, json, svg } = reportOf(findings, judge(findings), 'soak.svg');
    assert.match(markdown, /1 of \d+ checks failed/);
    assert.ok(markdown.includes('client brief-0 (new): to 127.0.0.1:1'));
    assert.equal((JSON.parse(json) as { seed: number }).seed, 1);
    assert.ok(svg.startsWith('<svg'));
  });
});
