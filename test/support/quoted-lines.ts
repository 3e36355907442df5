import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import type { Attache, LogLine } from './attache.ts';
import { document, fencedBlocks } from './documents.ts';
import { eventually } from './wait.ts';

/** One chapter of a page, whose log lines a test has the program say. */
export interface QuotedLines {
  readonly lines: readonly LogLine[];
  /** Its tables, without their heads: what is in backticks in each cell of each row. */
  readonly rows: readonly (readonly (readonly string[])[])[];
  /** Waits until the program has said the quoted line that has these fields. */
  said(attache: Attache, fields: Readonly<Record<string, unknown>>): Promise<void>;
  /** @throws when a quoted line was never said */
  allWereSaid(): void;
}

/** @param title the heading of the chapter */
export function quotedUnder(title: string, page = 'docs/troubleshooting.md'): QuotedLines {
  const { name, text } = document(page);
  const [, entry] = text.split(`\n## ${title}\n`);
  assert.ok(entry !== undefined, `${name}: no heading "${title}"`);
  const [own = ''] = entry.split('\n## ');
  const quoted = fencedBlocks({ name, text: own }, 'log')
    .flatMap((block) => block.trim().split('\n'))
    .map((line) => JSON.parse(line) as LogLine);
  const left = new Set(quoted);
  return {
    lines: quoted,
    rows: rowsOf(own),
    async said(attache, fields) {
      const [wanted] = quoted.filter((line) => Object.entries(fields).every(([key, value]) => line[key] === value));
      assert.ok(wanted !== undefined, `${title}: no line with ${JSON.stringify(fields)} is quoted`);
      const like = lasting(wanted);
      const isSaid = () => attache.lines.some((line) => isDeepStrictEqual(lasting(line), like));
      const hasEnded = () => attache.child.exitCode !== null;
      await eventually(() => isSaid() || hasEnded(), JSON.stringify(wanted), 20_000).catch(() => undefined);
      if (hasEnded()) await attache.exited;
      assert.ok(isSaid(), `${JSON.stringify(wanted)} is not in ${JSON.stringify(attache.lines)}${attache.stderr()}`);
      left.delete(wanted);
    },
    allWereSaid() {
      assert.deepEqual([...left], []);
    },
  };
}

function rowsOf(text: string): readonly (readonly (readonly string[])[])[] {
  return text
    .split('\n')
    .filter((line, n, lines) => line.startsWith('| ') && !line.startsWith('| --') && !lines[n + 1]?.startsWith('| --'))
    .map((line) => line.split('|').slice(1, -1))
    .map((cells) => cells.map((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)));
}

/** Numbers that are not of one run alone. */
const LASTING_NUMBERS = [
  'tried',
  'fails',
  'forMs',
  'maxConnections',
  'most',
  'limit',
  'bytesToCandidate',
  'bytesToClient',
];

/** A line without what differs from run to run: times, ports, folders, ids. */
export function lasting(value: unknown, key = ''): unknown {
  if (typeof value === 'number') return LASTING_NUMBERS.includes(key) ? value : 'a number';
  if (typeof value === 'string') return lastingText(value);
  if (Array.isArray(value)) return value.map((item) => lasting(item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => name !== 'time')
      .map(([name, item]) => [name, lasting(item, name)]),
  );
}

function lastingText(text: string): string {
  return (
    text
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
      .replaceAll(/\.[0-9a-f]{12}\.tmp/g, '.<random>.tmp')
      .replaceAll(/(?<![\w:/])(?:\/[\w.-]+)+(?=\/)/g, '<folder>')
      .replaceAll(/:\d{4,5}\b/g, ':<port>')
      .replaceAll(/\d+\.\d+s/g, '<seconds>')
      // Where the peer has left bytes unread, the kernel resets.
      .replaceAll('reset the connection', 'closed the connection')
      // Without a name server, or with a slow one.
      .replaceAll(/^(?:EAI_AGAIN|TIMEOUT)$/g, 'ENOTFOUND')
  );
}
