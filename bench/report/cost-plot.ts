import { measureOf } from '../measures.ts';
import type { ProxyName } from '../names.ts';
import type { Results, Row } from '../results.ts';
import { ratio, summarize } from '../statistics.ts';
import { figure } from './format.ts';
import { SERIES, svg, type Element } from './svg.ts';

const WIDTH = 840;
const LABELS = 270;
const RIGHT = 70;
const BAR = 12;
const GAP = 14;
const TOP = 66;
/** A bar beyond this many times attache's cost is cut off; its figure says how long it is. */
const LONGEST = 4;

/** Bars of what each peer costs, with attache as 1; undefined when there is nothing to compare. */
export function costPlot(results: Results): string | undefined {
  const peers = results.proxies.filter((name) => name !== 'attache');
  const groups = results.rows
    .filter(({ at, measure }) => at === undefined && measureOf(measure).better === 'less')
    .map((row) => ({ row, bars: barsOf(row, peers) }))
    .filter(({ bars }) => bars.length > 0);
  if (groups.length === 0) return undefined;
  const scale = (times: number) => LABELS + (Math.min(times, LONGEST) / LONGEST) * (WIDTH - LABELS - RIGHT);
  let y = TOP;
  const elements = groups.flatMap(({ row, bars }) => {
    const from = y;
    y += bars.length * BAR + GAP;
    const middle = from + (bars.length * BAR) / 2 + 4;
    const { title, unit, digits } = measureOf(row.measure);
    const own = figure(summarize(row.values.attache ?? [])?.median, digits);
    return [
      text({ x: LABELS - 10, y: bars.length > 1 ? middle - 6 : middle, class: 'end' }, title),
      ...(bars.length > 1
        ? [text({ x: LABELS - 10, y: middle + 9, class: 'end quiet' }, `attache: ${own} ${unit}`)]
        : []),
      ...bars.flatMap(({ name, times }, index) =>
        bar({ y: from + index * BAR, from: scale(0), to: scale(times), times }, colour(results, name)),
      ),
    ];
  });
  return svg({
    title: 'CPU, memory and time of other proxies, as times of what attache takes',
    width: WIDTH,
    height: y + 6,
    elements: [
      text(
        { x: 16, y: 24, class: 'head' },
        `What others take, attache ${results.attache.version} on Node ${results.node} = 1 (a longer bar costs more)`,
      ),
      ...legend(results, peers),
      ...elements,
      { name: 'line', attributes: { class: 'mark', x1: scale(1), x2: scale(1), y1: TOP - 8, y2: y - 4 } },
    ],
  });
}

/** Width of a letter of the key, roughly. */
const LETTER = 7;

/** A key to the colours, from left to right. */
export function legend(results: Results, names: readonly ProxyName[]): readonly Element[] {
  return names.flatMap((name, index): readonly Element[] => {
    const x = names.slice(0, index).reduce((left, { length }) => left + Math.max(100, 40 + length * LETTER), 16);
    return [
      { name: 'rect', attributes: { class: colour(results, name), x, y: 38, width: 10, height: 10 } },
      text({ x: x + 16, y: 47, class: 'quiet' }, name),
    ];
  });
}

/** The same for one proxy in every plot of a run. */
export function colour({ proxies }: Results, name: ProxyName): string {
  return `s${Math.max(0, proxies.indexOf(name)) % SERIES}`;
}

export function text(attributes: Readonly<Record<string, string | number>>, content: string): Element {
  return { name: 'text', attributes, content };
}

function barsOf(row: Row, peers: readonly ProxyName[]): readonly { name: ProxyName; times: number }[] {
  const own = summarize(row.values.attache ?? []);
  return peers.flatMap((name) => {
    const times = ratio(summarize(row.values[name] ?? []), own);
    return times === undefined || times < 0 ? [] : [{ name, times }];
  });
}

interface Bar {
  readonly y: number;
  readonly from: number;
  readonly to: number;
  readonly times: number;
}

function bar({ y, from, to, times }: Bar, series: string): readonly Element[] {
  return [
    { name: 'rect', attributes: { class: series, x: from, y, width: Math.max(1, to - from), height: BAR - 2 } },
    text({ x: to + 6, y: y + BAR - 3, class: 'quiet' }, figure(times, 2)),
  ];
}
