import assert from 'node:assert/strict';
import { test } from 'node:test';
import { header } from '../../../bench/report/header.ts';
import { cell, figure, percent } from '../../../bench/report/format.ts';
import { markdownTable, tables } from '../../../bench/report/table.ts';
import { hostileText, sampleResults } from './sample-results.ts';

test('a row has medians with their spread, the ratio to each peer and what is aimed at', () => {
  const [row = ''] = linesOf(tables(sampleResults()), 'GET 64 B, 50 connections');
  assert.deepEqual(cellsOf(row), [
    'GET 64 B, 50 connections',
    'µs CPU/request',
    '13.0 ± 15%',
    '10.0 ± 0%',
    '1.30',
    '9.0 ± 22%',
    '1.44',
    '≤ 0.95 × haproxy: missed',
  ]);
});

test('throughput and cost by connections have tables of their own', () => {
  const text = tables(sampleResults());
  assert.deepEqual(cellsOf(linesOf(text, 'requests/s')[0] ?? ''), [
    'GET 64 B, 50 connections',
    'requests/s',
    '12,345',
    '54,321',
  ]);
  assert.equal(linesOf(text, 'GET 64 B, 10,000 connections').length, 1);
  assert.equal(linesOf(text, 'GET 64 B, 1 connection ').length, 1);
});

test('an aim that is missed says so, and one without the peer says that it was not measured', () => {
  const missed = sampleResults({ rows: [{ measure: 'bulk-up', values: { attache: [1], haproxy: [1] } }] });
  assert.match(tables(missed), /≤ 0.45 × haproxy: missed/);
  const alone = sampleResults({ rows: [{ measure: 'bulk-up', values: { attache: [1] } }] });
  assert.match(tables(alone), /≤ 0.45 × haproxy: not measured/);
});

test('an aim may be a value', () => {
  const at = (ms: number) => sampleResults({ rows: [{ measure: 'start-time', values: { attache: [ms] } }] });
  assert.match(tables(at(120)), /≤ 100: missed/);
  assert.match(tables(at(90)), /≤ 100: met/);
});

test('a peer that failed keeps its place with dashes, and is named below', () => {
  const text = tables(
    sampleResults({
      rows: [
        { measure: 'small-1', values: { attache: [10], haproxy: [] } },
        { measure: 'small-50', values: { attache: [10], haproxy: [5] } },
      ],
      failures: [{ proxy: 'haproxy', workload: 'small', message: 'exited with 1' }],
    }),
  );
  assert.deepEqual(cellsOf(linesOf(text, 'GET 64 B, 1 connection ')[0] ?? '').slice(3, 5), ['-', '-']);
  assert.match(text, /- haproxy, small: exited with 1/);
});

test('a run that found nothing is an empty text', () => {
  assert.equal(tables(sampleResults({ rows: [] })), '');
});

test('what programs wrote cannot break out of a table or list', () => {
  const text = tables(
    sampleResults({
      rows: [],
      notes: [hostileText],
      failures: [{ proxy: 'nginx', workload: 'tls', message: hostileText }],
    }),
  );
  assert.doesNotMatch(text, /(?<!\\)</);
  for (const line of text.split('\n').filter((one) => one.includes('alert'))) assert.match(line, /^- /);
  assert.equal(cell('a|b'), 'a\\|b');
  assert.doesNotMatch(header(sampleResults({ programs: { haproxy: hostileText } })), /(?<!\\)</);
});

test('columns are as wide as their widest cell', () => {
  assert.equal(
    markdownTable(['', 'b'], [['long name', '1']]),
    '|           | b   |\n| --------- | --- |\n| long name | 1   |\n',
  );
});

test('a missing cell is blank, and a table without rows keeps its head', () => {
  assert.equal(markdownTable(['a', 'b'], [['1']]), '| a   | b   |\n| --- | --- |\n| 1   |     |\n');
  assert.equal(markdownTable(['a'], []), '| a   |\n| --- |\n');
});

test('figures have their digits and thousands, and a dash when they are none', () => {
  assert.equal(figure(1_234_567.891, 1), '1,234,567.9');
  assert.equal(figure(999, 0), '999');
  assert.equal(figure(-1234.5, 1), '-1,234.5');
  assert.equal(figure(NaN, 1), '-');
  assert.equal(figure(undefined, 1), '-');
  assert.equal(percent(0.154), '15%');
  assert.equal(percent(undefined), '-');
});

test('the header names versions, machine and settings, and nothing else of the machine', () => {
  const settings = { ...sampleResults().settings, set: { ACCESS_LOG: 'false' } };
  const text = header(sampleResults({ settings }));
  assert.match(text, /attache 1\.2\.3 \(abcdef0\) on Node 24\.1\.0, 2030-01-02/);
  assert.match(text, /A CPU, 2 cores, 8 GB, Debian, Linux 6\.1\.0/);
  assert.match(text, /ACCESS\\_LOG=false/);
});

function linesOf(text: string, part: string): readonly string[] {
  return text.split('\n').filter((line) => line.includes(part));
}

function cellsOf(line: string): readonly string[] {
  return line
    .split(/(?<!\\)[|]/)
    .slice(1, -1)
    .map((one) => one.trim());
}
