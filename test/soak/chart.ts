const [WIDTH, HEIGHT, MARGIN] = [720, 220, 44];

/** A curve as a small SVG that stands by itself. Points are pairs of x and y, with the least x first. */
export function chart(
  points: readonly (readonly [number, number])[],
  labels: { readonly title: string; readonly x: string; readonly y: string },
): string {
  const maxX = Math.max(1, points.at(-1)?.[0] ?? 1);
  const maxY = niceAbove(points.reduce((most, [, y]) => Math.max(most, y), 1));
  const x = (value: number) => MARGIN + (value / maxX) * (WIDTH - 2 * MARGIN);
  const y = (value: number) => HEIGHT - MARGIN - (value / maxY) * (HEIGHT - 2 * MARGIN);
  const line = points.map(([px, py]) => `${x(px).toFixed(1)},${y(py).toFixed(1)}`).join(' ');
  const grid = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const at = y(share * maxY).toFixed(1);
    return `<path d="M${MARGIN} ${at}H${WIDTH - MARGIN}" stroke="#ccc"/><text x="${MARGIN - 6}" y="${at}" text-anchor="end" dominant-baseline="middle">${share * maxY}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="11">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<text x="${MARGIN}" y="20" font-size="13">${labels.title}</text>`,
    ...grid,
    `<text x="${MARGIN - 6}" y="${MARGIN - 12}" text-anchor="end">${labels.y}</text>`,
    `<text x="${MARGIN}" y="${HEIGHT - MARGIN + 18}">0</text>`,
    `<text x="${WIDTH - MARGIN}" y="${HEIGHT - MARGIN + 18}" text-anchor="end">${maxX} ${labels.x}</text>`,
    `<polyline fill="none" stroke="#0366d6" stroke-width="1.5" points="${line}"/>`,
    '</svg>',
    '',
  ].join('\n');
}

/** The next of 1, 2, 4 or 8 times a power of ten. */
function niceAbove(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 8, 10].map((factor) => factor * power).find((nice) => nice >= value) ?? value;
}
