import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { closeReasons } from '../../../src/core/close-reason.ts';
import { projectRoot } from '../../support/attache.ts';
import { document, documents, fencedBlocks } from '../../support/documents.ts';

const source = readdirSync(join(projectRoot, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => readFileSync(join(projectRoot, 'src', name), 'utf8'))
  .join('\n');

/** By the suite `compose`, in containers. */
const PROVEN_BY_THE_IMAGE = ['In a container'];

const quotedLines = documents().flatMap((page) =>
  fencedBlocks(page, 'log')
    .flatMap((block) => block.trim().split('\n'))
    .map((text) => ({ page: page.name, line: JSON.parse(text) as Readonly<Record<string, unknown>> })),
);

test('log lines that are quoted have messages, fields, reasons and outcomes that the source has', () => {
  assert.ok(quotedLines.length > 20);
  for (const { page, line } of quotedLines) {
    const [message = ''] = String(line['msg']).split(/[:\n]/);
    assert.ok(source.includes(message), `${page}: no message "${message}"`);
    for (const field of Object.keys(line).filter((name) => name !== 'msg'))
      assert.match(source, new RegExp(`\\b${field}\\b`), `${page}: no field "${field}"`);
    for (const field of ['outcome', 'phase', 'mode', 'side', 'code', 'endedBy']) {
      const value = line[field];
      if (typeof value !== 'string' || field === 'code') continue;
      assert.ok(source.includes(`'${value}'`), `${page}: no ${field} "${value}"`);
    }
    if (line['msg'] === 'connection closed')
      assert.ok(
        closeReasons.some((reason) => reason === line['reason']),
        `${page}: no reason ${String(line['reason'])}`,
      );
  }
});

test('the table of log messages has all of the source, and none that it has not', () => {
  const { text } = document('docs/operations.md');
  const rows = text.slice(text.indexOf('The other lines, by `msg`'), text.indexOf('## Why a connection ended'));
  const told = firstCells(rows).filter((message) => message !== 'msg');
  for (const message of told) assert.ok(source.includes(`'${message}'`), `no message "${message}"`);
  const said = [...source.matchAll(/\b(?:logger|log)\.(?:debug|info|warn|error|fatal)\((.*?)\);\n/gs)].flatMap(
    ([, given = '']) =>
      [...given.matchAll(/'([A-Za-z][^'$]+)'(?=,?\s*(?:[):]|$))/g)].map(([, message = '']) => message),
  );
  assert.ok(said.length > 25);
  // The access line has a table of its own.
  for (const message of said.filter((message) => message !== 'connection closed'))
    assert.ok(told.includes(message), `the table has no "${message}"`);
});

test('every reason a connection ends for is explained, and none that there is not', () => {
  const { text } = document('docs/operations.md');
  const rows = text.slice(text.indexOf('## Why a connection ended'), text.indexOf('## Metrics'));
  assert.deepEqual(firstCells(rows).toSorted(), closeReasons.toSorted());
});

test('the tables of alerts, paths and exit codes are those of the rules and of the source', () => {
  const { text } = document('docs/operations.md');
  const chapter = (title: string) => text.split(`\n## ${title}\n`)[1]?.split('\n## ')[0] ?? '';
  const rules = readFileSync(join(projectRoot, 'deploy/prometheus/alerts.yml'), 'utf8');
  const alerts = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name]) => name);
  assert.deepEqual(
    firstCells(chapter('Alerts')).filter((name) => name !== 'alert'),
    alerts,
  );
  const calls = readFileSync(join(projectRoot, 'src/admin/admin-routes.ts'), 'utf8');
  const posts = [...calls.matchAll(/\['(\/\w+)',/g)].map(([, path]) => path);
  assert.deepEqual(
    [
      ...(chapter('What is it doing?')
        .split('| `POST`')[1]
        ?.matchAll(/`(\/\w+)[?`]/g) ?? []),
    ].map(([, path]) => path),
    posts,
  );
  const [, codes = ''] = /const exitCodes = \{(.*)\}/.exec(source) ?? [];
  const told = [...chapter('Exit codes').matchAll(/^\| (\d+) /gm)].map(([, code]) => code);
  assert.deepEqual(told, [...new Set(codes.match(/\d+/g))]);
});

test('links within the project lead to files and headings that there are', () => {
  for (const page of documents()) {
    for (const [, target = ''] of page.text.matchAll(/\]\((?!https?:)([^)\s]+)\)/g)) {
      const [path = '', anchor] = target.split('#');
      const name = path === '' ? page.name : join(dirname(page.name), path);
      assert.ok(existsSync(join(projectRoot, name)), `${page.name}: ${target}: no such file`);
      if (anchor !== undefined)
        assert.ok(anchorsOf(document(name).text).includes(anchor), `${page.name}: ${target}: no such heading`);
    }
  }
});

test('every entry of the troubleshooting page has a test that has the program say it', () => {
  const tests = readdirSync(join(projectRoot, 'test/integration/docs'))
    .filter((name) => name.startsWith('troubleshooting'))
    .map((name) => readFileSync(join(projectRoot, 'test/integration/docs', name), 'utf8'))
    .join('\n');
  const titles = [...document('docs/troubleshooting.md').text.matchAll(/^## (.*)$/gm)].map(([, title = '']) => title);
  assert.ok(titles.length > 10);
  for (const title of titles)
    if (!PROVEN_BY_THE_IMAGE.includes(title)) assert.ok(tests.includes(`quotedUnder('${title}')`), title);
});

/** What is in backticks in the first cell of each row. */
function firstCells(rows: string): readonly string[] {
  return [...rows.matchAll(/^\|([^|]*)\|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text),
  );
}

/** As GitHub makes them. */
function anchorsOf(text: string): readonly string[] {
  const prose = text.replaceAll(/^```[\s\S]*?^```$/gm, '');
  return [...prose.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  );
}
