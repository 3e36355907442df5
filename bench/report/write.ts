import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Results } from '../results.ts';
import { costPlot } from './cost-plot.ts';
import { header } from './header.ts';
import { scalePlot } from './scale-plot.ts';
import { tables } from './table.ts';

export interface WriteOptions {
  readonly folder: string;
  /** Whether every workload was asked for; a part of them is kept under a name of its own. */
  readonly whole: boolean;
}

/** Writes JSON, Markdown and plots; gives the names of the files. */
export function writeResults(results: Results, { folder, whole }: WriteOptions): readonly string[] {
  mkdirSync(folder, { recursive: true });
  const name = resultName(results, whole);
  const files = {
    [`${name}.json`]: `${JSON.stringify(results, undefined, 2)}\n`,
    [`${name}.md`]: markdown(results, name),
    [`${name}.cost.svg`]: costPlot(results),
    [`${name}.scale.svg`]: scalePlot(results),
  };
  for (const [file, content] of Object.entries(files)) {
    if (content === undefined) rmSync(join(folder, file), { force: true });
    else replace(join(folder, file), content);
  }
  return Object.keys(files).filter((file) => files[file] !== undefined);
}

/** `node20`, or `node20-small-bulk` for a part. */
export function resultName({ node, settings }: Results, whole: boolean): string {
  const name = `node${Number.parseInt(node, 10)}`;
  return whole ? name : [name, ...Object.keys(settings.rounds)].join('-');
}

function markdown(results: Results, name: string): string {
  const plots = [
    ['Cost compared', 'cost', costPlot(results)],
    ['Cost by connections', 'scale', scalePlot(results)],
  ] as const;
  return [
    `# Node ${results.node}\n`,
    header(results),
    ...plots.flatMap(([title, kind, plot]) => (plot === undefined ? [] : [`![${title}](${name}.${kind}.svg)\n`])),
    tables(results),
  ].join('\n');
}

/** A reader never sees half a file, and a run that is ended leaves the old one. */
function replace(path: string, content: string): void {
  const next = `${path}.next`;
  writeFileSync(next, content);
  renameSync(next, path);
}
