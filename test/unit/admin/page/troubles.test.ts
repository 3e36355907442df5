import assert from 'node:assert/strict';
import { test } from 'node:test';
import { troublesOf } from '../../../../src/admin/page/browser/troubles.ts';
import type { LiveService, LiveState } from '../../../../src/admin/page/wire.ts';

const SERVICE: LiveService = {
  name: 'redis',
  ready: true,
  health: 'serving',
  healthReason: undefined,
  reasons: [],
  listeners: [],
  candidates: [],
  candidateCount: 0,
  open: 0,
  held: 0,
  opened: 0,
  bytesToCandidate: 0,
  bytesToClient: 0,
  discovery: 'synced',
  discoveryError: undefined,
  discoveryOkAtMs: undefined,
  tls: undefined,
  registrations: [{ text: '/srv/a: registered', stands: 'registered' }],
  split: undefined,
  changes: [],
  ignored: [],
};
const STATE: LiveState = {
  version: '1',
  phase: 'serving',
  ready: true,
  health: 'serving',
  startedAtMs: 0,
  reasons: [],
  configuration: { place: 'PUT /services', sinceMs: 1, changes: '', trouble: undefined, rejected: undefined },
  services: [SERVICE],
  connections: [],
  failures: [],
};

test('while all is well there is no trouble', () => {
  assert.deepEqual(troublesOf(STATE), []);
  assert.deepEqual(troublesOf({ ...STATE, configuration: undefined }), []);
});

test('what is wrong is told, the process first, each service with the place of its row', () => {
  const configuration = {
    ...STATE.configuration,
    place: undefined,
    sinceMs: undefined,
    changes: '',
    trouble: 'SERVICES_KEY /a: the registry has no such key',
    rejected: { source: 'SERVICES_KEY', atMs: 1, faults: ['one', 'two'], faultCount: 5 },
  };
  const ill: LiveService = {
    ...SERVICE,
    name: 'pg',
    health: 'degraded',
    healthReason: '1 of 2 available',
    registrations: [
      { text: '/srv/a: NOT REGISTERED', stands: 'trouble' },
      { text: '/srv/b: not registered yet', stands: 'waiting' },
    ],
  };
  const troubles = troublesOf({ ...STATE, reasons: ['no list'], configuration, services: [SERVICE, ill] });
  assert.deepEqual(
    troubles.map(({ text, tone, place }) => [text, tone, place]),
    [
      ['not ready: no list', 'bad', undefined],
      ['SERVICES_KEY /a: the registry has no such key', 'warn', undefined],
      ['SERVICES_KEY: its list of services was refused: one; two; and 3 more', 'bad', undefined],
      ['pg degraded: 1 of 2 available', 'warn', 1],
      ['pg /srv/a: NOT REGISTERED', 'warn', 1],
    ],
  );
});
