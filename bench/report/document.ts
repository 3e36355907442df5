import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Results } from '../results.ts';
import { costPlot } from './cost-plot.ts';
import { header } from './header.ts';
import { scalePlot } from './scale-plot.ts';
import { tables } from './table.ts';

const BEGIN = '<!-- results: written by npm run bench -->\n<!-- prettier-ignore-start -->';
const END = '<!-- prettier-ignore-end -->\n<!-- end of results -->';
const NOTHING = 'No whole run is kept yet: `npm run bench` writes one.\n';

/** Replaces the part of a Markdown file between the two markers with the whole runs in `folder`. */
export function writeDocument(path: string, folder: string): void {
  const next = withResults(readFileSync(path, 'utf8'), wholeRuns(folder));
  writeFileSync(path, next);
}

/** @throws when a marker is missing, or they are the wrong way round. */
export function withResults(document: string, runs: readonly Results[]): string {
  const [from, to] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (from === -1 || to < from) throw new Error(`expected the lines\n${BEGIN}\nand, below them,\n${END}`);
  const body = runs.length === 0 ? NOTHING : runs.map(runText).join('\n');
  return `${document.slice(0, from + BEGIN.length)}\n\n${body}\n${document.slice(to)}`;
}

function runText(results: Results): string {
  const name = `node${Number.parseInt(results.node, 10)}`;
  const image = (title: string, kind: string) => `![${title}](../bench/results/${name}.${kind}.svg)\n`;
  return [
    `## Node ${results.node}\n`,
    header(results),
    ...(costPlot(results) === undefined ? [] : [image('Cost compared', 'cost')]),
    ...(scalePlot(results) === undefined ? [] : [image('Cost by connections', 'scale')]),
    tables(results),
  ].join('\n');
}

function wholeRuns(folder: string): readonly Results[] {
  return readdirSync(folder)
    .filter((name) => /^node\d+[.]json$/.test(name))
    .map((name) => parse(join(folder, name)))
    .sort((a, b) => Number.parseInt(a.node, 10) - Number.parseInt(b.node, 10));
}

function parse(path: string): Results {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Results;
  } catch (error) {
    throw new Error(`${path} holds no results`, { cause: error });
  }
}
