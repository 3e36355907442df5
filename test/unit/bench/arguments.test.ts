import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ArgumentError, helpText, parseArguments, type Settings } from '../../../bench/arguments.ts';
import { peerNames } from '../../../bench/names.ts';
import { usualWorkloadNames, workloadNames } from '../../../bench/names.ts';

test('without arguments everything is measured, with the node that runs the bench', () => {
  const settings = settingsOf();
  assert.deepEqual(settings.against, peerNames);
  assert.deepEqual(settings.only, usualWorkloadNames);
  assert.equal(settings.node, '/usr/bin/node');
  assert.equal(settings.rounds, undefined);
});

test('lists are read in the order of the bench, each once', () => {
  const settings = settingsOf('--against', 'socat, haproxy,socat', '--only=bulk,small', '--rounds', '5');
  assert.deepEqual(settings.against, ['haproxy', 'socat']);
  assert.deepEqual(settings.only, ['small', 'bulk']);
  assert.equal(settings.rounds, 5);
});

test('settings for attache are passed as they are, also with = and blanks in their values', () => {
  const { set } = settingsOf('--set', 'ACCESS_LOG=false', '--set', 'DST=a=b c');
  assert.deepEqual(set, { ACCESS_LOG: 'false', DST: 'a=b c' });
});

for (const [argv, message] of [
  [
    ['--against', 'envoy'],
    /--against: expected some of attache-typescript,haproxy,nginx,go,socat,stunnel, got "envoy"/,
  ],
  [['--against', ''], /--against: .*got ""/],
  [['--only', 'small,'], /--only: .*got ""/],
  [['--only', 'toString'], /--only: .*got "toString"/],
  [['--rounds', '0'], /--rounds: expected a whole number from 1 to 100, got "0"/],
  [['--rounds', '2.5'], /--rounds: .*got "2.5"/],
  [['--rounds', '1e1'], /--rounds: .*got "1e1"/],
  [['--rounds', '5 '], /--rounds: .*got "5 "/],
  [['--rounds=-1'], /--rounds: .*got "-1"/],
  [['--seconds', '0'], /--seconds: expected a number from 0.2 to 60, got "0"/],
  [['--gigabytes', 'many'], /--gigabytes: .*got "many"/],
  [['--node', ''], /--node: expected a path, got nothing/],
  [['--set', 'lower=1'], /--set: expected NAME=VALUE, got "lower=1"/],
  [['--round', '5'], /--round/],
  [['small'], /small/],
  [['--node'], /--node/],
] as const) {
  test(`${JSON.stringify(argv.join(' '))} is refused with what was expected`, () => {
    assert.throws(
      () => parseArguments(argv, '/usr/bin/node'),
      (error) => error instanceof ArgumentError && message.test(error.message),
    );
  });
}

test('help names every option, peer and workload', () => {
  assert.deepEqual(parseArguments(['--help'], 'node'), { kind: 'help' });
  for (const name of [...peerNames, ...workloadNames, '--rounds', '--node', '--set'])
    assert.ok(helpText().includes(name));
});

function settingsOf(...argv: readonly string[]): Settings {
  const command = parseArguments(argv, '/usr/bin/node');
  assert.equal(command.kind, 'run');
  return command.settings;
}
