import { measureOf, type Aim, type Measure } from '../measures.ts';
import type { ProxyName } from '../names.ts';
import type { Results, Row } from '../results.ts';
import { ratio, summarize } from '../statistics.ts';
import { cell, figure, percent } from './format.ts';

/** Everything that a run found, as Markdown. */
export function tables(results: Results): string {
  const single = results.rows.filter(({ at }) => at === undefined);
  const counted = results.rows.filter(({ at }) => at !== undefined);
  const isOfFollowers = ({ measure }: Row) => measureOf(measure).countOf === 'follower';
  const isCost = ({ measure }: Row) => measureOf(measure).better === 'less';
  return [
    section('Cost (less is better)', costTable(results, single.filter(isCost))),
    section(
      'Throughput (more is better)',
      plainTable(
        results,
        single.filter((row) => !isCost(row)),
      ),
    ),
    section(
      'Cost by connections (less is better)',
      plainTable(
        results,
        counted.filter((row) => !isOfFollowers(row)),
      ),
    ),
    section('Registries by followers (less is better)', plainTable(results, counted.filter(isOfFollowers))),
    list('Notes', results.notes),
    list(
      'Failed',
      results.failures.map(({ proxy, workload, message }) => `${proxy}, ${workload}: ${message}`),
    ),
  ]
    .filter((part) => part !== '')
    .join('\n');
}

/** A table whose columns are as wide as their widest cell, as prettier has it. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(3, ...[title, ...rows.map((row) => row[column] ?? '')].map(length)),
  );
  const line = (cells: readonly string[]) =>
    `| ${widths.map((width, column) => pad(cells[column] ?? '', width)).join(' | ')} |\n`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |\n`;
  return [line(head), rule, ...rows.map(line)].join('');
}

function costTable(results: Results, rows: readonly Row[]): string {
  const peers = present(results, rows).filter((name) => name !== 'attache');
  const head = ['', 'unit', 'attache', ...peers.flatMap((name) => [name, `attache / ${name}`]), 'aim'];
  return rows.length === 0
    ? ''
    : markdownTable(
        head,
        rows.map((row) => [
          ...label(row),
          value(row, 'attache'),
          ...peers.flatMap((name) => [value(row, name), figure(ratioTo(row, name), 2)]),
          aimText(row),
        ]),
      );
}

function plainTable(results: Results, rows: readonly Row[]): string {
  const names = present(results, rows);
  return rows.length === 0
    ? ''
    : markdownTable(
        ['', 'unit', ...names],
        rows.map((row) => [...label(row), ...names.map((name) => value(row, name))]),
      );
}

function label({ measure, at }: Row): readonly [string, string] {
  const { title, unit, countOf = 'connection' } = measureOf(measure);
  return [at === undefined ? title : `${title}, ${figure(at, 0)} ${countOf}${at === 1 ? '' : 's'}`, unit];
}

/** Median, and how far apart the rounds were. */
function value(row: Row, name: ProxyName): string {
  const summary = summarize(row.values[name] ?? []);
  if (summary === undefined) return '-';
  const median = figure(summary.median, measureOf(row.measure).digits);
  return summary.count === 1 ? median : `${median} ± ${percent(summary.spread)}`;
}

function ratioTo(row: Row, name: ProxyName): number | undefined {
  return ratio(summarize(row.values.attache ?? []), summarize(row.values[name] ?? []));
}

function present({ proxies }: Results, rows: readonly Row[]): readonly ProxyName[] {
  return proxies.filter((name) => rows.some(({ values }) => (values[name] ?? []).length > 0));
}

function aimText(row: Row): string {
  const { aim }: Measure = measureOf(row.measure);
  if (aim === undefined) return '';
  const { most, reached, of } = judged(aim, row);
  const verdict = reached === undefined ? 'not measured' : reached <= most ? 'met' : 'missed';
  return `≤ ${most}${of}: ${verdict}`;
}

function judged(aim: Aim, row: Row): { most: number; reached: number | undefined; of: string } {
  switch (aim.kind) {
    case 'ratio':
      return { most: aim.most, reached: ratioTo(row, aim.to), of: ` × ${aim.to}` };
    case 'value':
      return { most: aim.most, reached: summarize(row.values.attache ?? [])?.median, of: '' };
  }
}

function section(title: string, body: string): string {
  return body === '' ? '' : `### ${title}\n\n${body}`;
}

function list(title: string, items: readonly string[]): string {
  return items.length === 0 ? '' : `### ${title}\n\n${items.map((item) => `- ${cell(item)}\n`).join('')}`;
}

function length(text: string): number {
  return Array.from(text).length;
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(width - length(text));
}
