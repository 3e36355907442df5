import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveOptions } from '../../../src/config/options.ts';
import { keyOf, settings } from '../../../src/config/table/settings.ts';
import { configure, reportOf } from './configure.ts';

const ok = { SRC: ':16379', DST: '10.0.3.144:6379' };
/** Settings that have the words `off` or `on`, and are no booleans. */
const switches = settings.filter(({ kind }) => kind.form !== 'switch' && /\b(?:on|off)\b/.test(kind.label));

test('TLS_MODE, PROXY_PROTOCOL, DIRECT_IO, HTTP_ADDR and ADMIN_ADDR have the word off', () => {
  const names = switches.map(({ name }) => name);
  for (const name of ['TLS_MODE', 'PROXY_PROTOCOL', 'DIRECT_IO', 'HTTP_ADDR', 'ADMIN_ADDR']) {
    assert.ok(names.includes(name), name);
  }
});

test('every setting with the word off or on takes what YAML makes of it, in any case', () => {
  for (const { name, kind } of switches) {
    const choices = kind.label.split(' | ');
    for (const [word, spellings] of [
      ['off', ['off', 'Off', 'OFF', 'false', 'False', 'no']],
      ['on', ['on', 'On', 'true', 'TRUE', 'yes']],
    ] as const) {
      for (const text of spellings) {
        const parsed = kind.parse(text);
        assert.equal(parsed.ok, choices.includes(word), `${name}=${text}`);
        if (parsed.ok) assert.equal(parsed.value, word, `${name}=${text}`);
      }
    }
  }
});

test('false in the environment turns off what off turns off', () => {
  const off = Object.fromEntries(switches.map(({ name }) => [name, 'off']));
  const no = Object.fromEntries(switches.map(({ name }) => [name, 'false']));
  assert.deepEqual(configure({ env: { ...ok, ...no } }), configure({ env: { ...ok, ...off } }));
});

test('booleans and numbers of JSON are taken in SERVICES', () => {
  const own: readonly (readonly [string, unknown])[] = switches
    .filter(({ scope }) => scope === 'service')
    .map(({ name }) => [keyOf(name), false]);
  const service = {
    name: 'a',
    src: ':1',
    dst: 'a:1',
    ...Object.fromEntries(own),
    lb: true,
    max_connections: 1_000_000,
  };
  const [found] = configure({ env: { SERVICES: JSON.stringify([service]) } }).services;
  assert.deepEqual(
    [found?.tls.mode, found?.proxyProtocol, found?.balance, found?.maxConnections],
    ['off', 'off', 'round-robin', 1_000_000],
  );
});

test('true where there is no word on is refused with the words there are', () => {
  assert.equal(
    reportOf(() => configure({ env: { ...ok, PROXY_PROTOCOL: 'true' } })),
    'PROXY_PROTOCOL: expected off, v1 or v2, got "true"',
  );
});

test('the library takes false for off', () => {
  const options = { services: [{ src: ':1', dst: 'a:1', proxyProtocol: false }], httpAddr: false };
  const { services, httpAddress } = resolveOptions(options as never);
  assert.deepEqual([services[0]?.proxyProtocol, httpAddress], ['off', undefined]);
});

test('MAX_MEMORY takes what YAML makes of off, in any case', () => {
  for (const text of ['false', 'False', 'no', 'OFF', '0']) {
    assert.equal(configure({ env: { ...ok, MAX_MEMORY: text } }).maxMemory, 0, text);
  }
  assert.match(
    reportOf(() => configure({ env: { ...ok, MAX_MEMORY: 'true' } })),
    /^MAX_MEMORY: expected auto, off, or a size/,
  );
});
