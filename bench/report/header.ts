import type { Results } from '../results.ts';
import { cell } from './format.ts';

/** What was measured, where and how: a few lines of Markdown. */
export function header(results: Results): string {
  const { date, attache, node, machine, settings, programs } = results;
  const rounds = Object.entries(settings.rounds).map(([name, count]) => `${name} ${count}`);
  const set = Object.entries(settings.set).map(([name, value]) => `${name}=${value}`);
  const lines = [
    `attache ${attache.version} (${attache.commit}) on Node ${node}, ${date.slice(0, 10)}`,
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.system}, Linux ${machine.kernel}, ${machine.openFiles} open files; load average ${machine.load} when it began`,
    Object.entries(programs)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
    `rounds: ${rounds.join(', ')}; ${settings.seconds} s a reading of requests, ${settings.gigabytes} GB a reading of bulk`,
    ...(set.length === 0 ? [] : [`attache ran with ${set.join(' ')}`]),
  ];
  return lines
    .filter((line) => line !== '')
    .map((line) => `- ${cell(line)}\n`)
    .join('');
}
