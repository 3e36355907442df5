import type { Rates } from './throughput.ts';

const SVG = 'http://www.w3.org/2000/svg' as const;
const WIDTH = 160;
const HEIGHT = 28;
/** Room for the width of the line. */
const MARGIN = 2;

/** Draws both lines on one scale. What it shows is beside it in numbers, so it says nothing to a screen reader. */
export function drawSparkline(cell: HTMLElement, { sent, received }: Rates): void {
  const svg = cell.querySelector('svg') ?? createSparkline(cell);
  const [, sentLine, receivedLine] = svg.querySelectorAll('path');
  const top = Math.max(1, ...sent.map((rate) => rate ?? 0), ...received.map((rate) => rate ?? 0));
  sentLine?.setAttribute('d', lineOf(sent, top));
  receivedLine?.setAttribute('d', lineOf(received, top));
}

function createSparkline(cell: HTMLElement): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'spark');
  svg.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('aria-hidden', 'true');
  for (const name of ['floor', 'sent', 'received']) {
    const path = document.createElementNS(SVG, 'path');
    path.setAttribute('class', name);
    if (name === 'floor') path.setAttribute('d', `M0 ${HEIGHT - 1}H${WIDTH}`);
    svg.append(path);
  }
  cell.prepend(svg);
  return svg;
}

function lineOf(rates: readonly (number | undefined)[], top: number): string {
  const step = WIDTH / Math.max(1, rates.length - 1);
  let path = '';
  rates.forEach((rate, place) => {
    if (rate === undefined) return;
    const y = HEIGHT - MARGIN - (rate / top) * (HEIGHT - 2 * MARGIN);
    const isFirst = path === '' || rates[place - 1] === undefined;
    path += `${isFirst ? 'M' : 'L'}${(place * step).toFixed(1)} ${y.toFixed(1)}`;
  });
  return path;
}
