import { measureOf, type MeasureId } from '../measures.ts';
import type { ProxyName } from '../names.ts';
import type { Results } from '../results.ts';
import { summarize } from '../statistics.ts';
import { colour, legend, text } from './cost-plot.ts';
import { figure } from './format.ts';
import { svg, type Element } from './svg.ts';

const WIDTH = 840;
const HEIGHT = 320;
const TOP = 92;
const BOTTOM = 46;
const PANEL = 360;
const LEFTS = [60, 460] as const;
const STEPS = 4;

/** Lines over the number of connections: level ones are cost that grows as the connections do. Undefined without any. */
export function scalePlot(results: Results): string | undefined {
  const panels = (['scale-cpu', 'scale-memory'] as const).map((measure) => ({
    measure,
    lines: linesOf(results, measure),
  }));
  if (panels.every(({ lines }) => lines.length === 0)) return undefined;
  const names = results.proxies.filter((name) => panels.some(({ lines }) => lines.some((line) => line.name === name)));
  return svg({
    title: 'CPU per request and memory per connection, by the number of connections',
    width: WIDTH,
    height: HEIGHT,
    elements: [
      text(
        { x: 16, y: 24, class: 'head' },
        `Cost by connections, Node ${results.node} (a level line: the whole grows linearly)`,
      ),
      ...legend(results, names),
      ...panels.flatMap(({ measure, lines }, index) => panel({ results, measure, lines, left: LEFTS[index] ?? 0 })),
    ],
  });
}

interface Point {
  readonly at: number;
  readonly value: number;
}

interface Line {
  readonly name: ProxyName;
  readonly points: readonly Point[];
}

interface Panel {
  readonly results: Results;
  readonly measure: MeasureId;
  readonly lines: readonly Line[];
  readonly left: number;
}

function linesOf({ proxies, rows }: Results, measure: MeasureId): readonly Line[] {
  return proxies
    .map((name) => ({
      name,
      points: rows.flatMap((row): readonly Point[] => {
        const summary = summarize(row.values[name] ?? []);
        return row.measure !== measure || row.at === undefined || summary === undefined
          ? []
          : [{ at: row.at, value: Math.max(0, summary.median) }];
      }),
    }))
    .filter(({ points }) => points.length > 0);
}

function panel({ results, measure, lines, left }: Panel): readonly Element[] {
  const points = lines.flatMap((line) => line.points);
  if (points.length === 0) return [];
  const counts = [...new Set(points.map(({ at }) => at))].sort((a, b) => a - b);
  const [low, high] = [Math.log10(counts[0] ?? 1), Math.log10(counts.at(-1) ?? 1)];
  const top = ceiling(Math.max(...points.map(({ value }) => value)));
  const width = PANEL - 30;
  const x = (at: number) => left + (high === low ? width / 2 : ((Math.log10(at) - low) / (high - low)) * width);
  const y = (value: number) => HEIGHT - BOTTOM - (value / top) * (HEIGHT - BOTTOM - TOP);
  return [
    text({ x: left, y: TOP - 16, class: 'quiet' }, `${measureOf(measure).title}: ${measureOf(measure).unit}`),
    ...Array.from({ length: STEPS + 1 }, (_, step) => (top / STEPS) * step).flatMap((value): readonly Element[] => [
      { name: 'line', attributes: { class: 'rule', x1: left, x2: left + width, y1: y(value), y2: y(value) } },
      text(
        { x: left - 8, y: y(value) + 4, class: 'end quiet' },
        figure(value, top / STEPS < 1 ? 2 : top / STEPS < 10 ? 1 : 0),
      ),
    ]),
    ...counts.map((at) => text({ x: x(at), y: HEIGHT - BOTTOM + 18, class: 'middle quiet' }, figure(at, 0))),
    ...lines.flatMap((line): readonly Element[] => [
      {
        name: 'polyline',
        attributes: {
          class: `${colour(results, line.name)} open`,
          points: line.points.map(({ at, value }) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`).join(' '),
        },
      },
      ...line.points.map(({ at, value }): Element => ({
        name: 'circle',
        attributes: { class: colour(results, line.name), cx: x(at), cy: y(value), r: 3 },
      })),
    ]),
  ];
}

/** The next number above that divides well into steps. */
function ceiling(value: number): number {
  if (value <= 0) return STEPS;
  const magnitude = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 4, 6, 8].find((step) => step * magnitude >= value) ?? 10) * magnitude;
}
