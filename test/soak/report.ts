import { availableParallelism } from 'node:os';
import { chart } from './chart.ts';
import type { Findings } from './soak.ts';
import type { Check } from './verdict.ts';

export interface Report {
  readonly markdown: string;
  readonly json: string;
  readonly svg: string;
}

const MiB = 1024 * 1024;

/** @param svgName under which the memory curve will lie beside the report */
export function reportOf(findings: Findings, checks: readonly Check[], svgName: string): Report {
  const { curve, ...rest } = findings;
  const log = { ...rest.log, reasons: Object.fromEntries(rest.log.reasons) };
  const points = curve.map(([second, kb]) => [second, kb / 1_024] as const);
  return {
    markdown: markdownOf(findings, checks, svgName),
    json: jsonOf({ machine: machine(), ...rest, log, checks }, curve),
    svg: chart(points, { title: 'Resident memory of the program', x: 's', y: 'MiB' }),
  };
}

/** With one line for each sample, which are hundreds. */
function jsonOf(all: object, curve: Findings['curve']): string {
  const samples = curve.map((sample) => `    [${sample.join(', ')}]`).join(',\n');
  const head = JSON.stringify(all, undefined, 2).slice(0, -'\n}'.length);
  return `${head},\n  "secondsResidentKbDescriptors": [\n${samples}\n  ]\n}\n`;
}

function markdownOf(findings: Findings, checks: readonly Check[], svgName: string): string {
  const { clients, log, warm, end, loop, health, roles, seed, ms } = findings;
  const { tally } = clients;
  const number = (value: number) => Math.round(value).toLocaleString('en');
  const mib = (bytes: number) => `${(bytes / MiB).toFixed(1)} MiB`;
  const failed = checks.filter(({ ok }) => !ok);
  return [
    '# Chaos soak',
    '',
    ...paragraph(
      `${number(ms / 1_000)} seconds of faults after a warm-up, seed ${seed}, on ${machine()}: ` +
        (failed.length === 0 ? '**every check passed**.' : `**${failed.length} of ${checks.length} checks failed**.`),
    ),
    '',
    ...paragraph(
      'attache runs as a process of its own. It has two services, `ordered` and `rotating` (round-robin, two retries), which ' +
        'have `HOLD_TIMEOUT=10s` and follow one directory in etcd with three Redis. Clients in another process know what ' +
        'they have written to each run of each server, and compare each byte that arrives with the expected one. The judge ' +
        'compares the confirmed writes of the registry with the access log and with the servers that answered. All use the ' +
        'clock of one machine.',
    ),
    '',
    'To repeat the soak: `npm run test:soak -- --minutes 5 --seed N --report docs`.',
    '',
    '## Checks',
    '',
    ...table(
      ['check', 'bound', 'measured', ''],
      checks.map(({ name, bound, measured, ok }) => [name, bound, measured, ok ? 'ok' : '**failed**']),
    ),
    ...failed.flatMap(({ name, details }) => ['', `${name}:`, '', '```text', ...details, '```']),
    '',
    '## Faults',
    '',
    ...table(
      ['fault, warm-up included', 'times'],
      Object.entries(findings.faults).map(([kind, count]) => [kind, number(count)]),
    ),
    '',
    ...paragraph(
      `The registry confirmed ${number(findings.registryWrites)} writes. ${number(findings.absences)} times a member was gone ` +
        'for longer than 2 s; after these 2 s no connection may be carried to that member. The judge compared ' +
        `${number(findings.stays.byLog)} lines of the access log and ${number(findings.stays.byClients)} reports of clients with these times.`,
    ),
    '',
    ...paragraph(
      'A third service, `primary`, has three Redis in `DST` and `HEALTH_CHECK=redis-primary`. Real Sentinels have another one lead ' +
        `again and again, ${number(roles.changes)} times in this run. An app writes through it: ${number(roles.acknowledged)} writes ` +
        'were confirmed by the primary and by both replicas. The judge asks the last primary for each of them. ' +
        `${number(roles.refusals)} writes met a replica and were refused by it, while a change went on.`,
    ),
    '',
    ...paragraph(
      `The services stand in a file, which was edited ${number(findings.edits.done)} times: four more services come, go and change. ` +
        'A connection of a service that no edit names has to last. Three more attache register a server each; they, or their ' +
        `servers, were ended ${number(findings.registrars.done)} times. The judge waits until each key has gone, or is back.`,
    ),
    '',
    '## Clients',
    '',
    ...table(
      ['', ''],
      [
        ['connections begun', number(tally.connections)],
        ['answers compared (of up to 20 commands each)', number(tally.answers)],
        ['bytes sent, received', `${mib(tally.bytesOut)}, ${mib(tally.bytesIn)}`],
        ['largest text that a client got back whole', mib(tally.largestBytes)],
        [
          'connections that ended before an answer (server killed, reset on a change, client gave up)',
          number(tally.cuts),
        ],
        [
          'longest wait for an answer, with all connections that the client needed',
          `${number(tally.longestPauseMs)} ms`,
        ],
        ['waits of more than a second', number(tally.pausesOverSecond)],
        ['connections that waited over 100 ms for a candidate and were carried', number(log.waited)],
        ['longest wait of these connections', `${number(log.longestWaitMs)} ms`],
      ],
    ),
    '',
    'Reasons in the access log:',
    '',
    ...table(
      ['reason', 'connections'],
      [...log.reasons].sort(([, a], [, b]) => b - a).map(([reason, count]) => [`\`${reason}\``, number(count)]),
    ),
    '',
    '## Memory and descriptors',
    '',
    ...table(
      ['measured without clients, after a full garbage collection', 'after the warm-up', 'at the end'],
      [
        ['resident', mib(warm.residentKb * 1_024), mib(end.residentKb * 1_024)],
        ['heap', mib(warm.heapBytes), mib(end.heapBytes)],
        ['buffers', mib(warm.bufferBytes), mib(end.bufferBytes)],
        ['descriptors', number(warm.descriptors), number(end.descriptors)],
      ],
    ),
    '',
    `![Resident memory over time](${svgName})`,
    '',
    ...paragraph(
      `The event loop was blocked for at most ${number(loop.maxMs)} ms; the 99th percentile is ${loop.p99Ms.toFixed(1)} ms. The ` +
        'servers, the clients and the judge run on the same machine. ' +
        `\`/healthz\` answered ${number(health.asked)} times; the slowest answer took ${number(health.slowestMs)} ms. ` +
        `The log has ${number(log.accessLines)} access lines and ${number(log.otherLines)} others.`,
    ),
    '',
  ].join('\n');
}

function machine(): string {
  return `${availableParallelism()} cores, Node ${process.versions.node}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const widths = head.map((cell, column) =>
    [cell, ...rows.map((row) => row[column] ?? '')].reduce((most, { length }) => Math.max(most, length), 3),
  );
  const line = (cells: readonly string[]) => `| ${cells.map((cell, n) => cell.padEnd(widths[n] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)];
}

const LINE = 118;

function paragraph(text: string): readonly string[] {
  const lines: string[] = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? '';
    if (last.length + word.length < LINE) lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
