/** Text as it may stand in SVG, also in an attribute. Characters that XML has no place for are dropped. */
export function escapeText(text: string): string {
  return text
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;');
}

export interface Element {
  readonly name: 'text' | 'rect' | 'line' | 'polyline' | 'circle' | 'title' | 'g';
  readonly attributes?: Readonly<Record<string, string | number>>;
  readonly content?: string | readonly Element[];
}

export interface Picture {
  readonly title: string;
  readonly width: number;
  readonly height: number;
  readonly elements: readonly Element[];
}

/** How many colours series have; more than these begin again. */
export const SERIES = 5;

/** Told apart also by people who do not see all colours, on light and on dark. */
const STYLE = `
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.quiet { fill: #59636e } .end { text-anchor: end } .middle { text-anchor: middle } .head { font-weight: 600 }
.ground { fill: #ffffff; stroke: #d1d9e0 } .rule { stroke: #d1d9e0 } .mark { stroke: #59636e; stroke-dasharray: 4 3 }
.s0 { fill: #0550ae; stroke: #0550ae } .s1 { fill: #bc4c00; stroke: #bc4c00 } .s2 { fill: #1a7f37; stroke: #1a7f37 }
.s3 { fill: #8250df; stroke: #8250df } .s4 { fill: #6e7781; stroke: #6e7781 } polyline { stroke-width: 2 } .open { fill: none }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc } .quiet { fill: #9198a1 } .ground { fill: #0d1117; stroke: #3d444d } .rule { stroke: #3d444d } .mark { stroke: #9198a1 }
.s0 { fill: #58a6ff; stroke: #58a6ff } .s1 { fill: #f0883e; stroke: #f0883e } .s2 { fill: #3fb950; stroke: #3fb950 }
.s3 { fill: #bc8cff; stroke: #bc8cff } .s4 { fill: #9198a1; stroke: #9198a1 } .open { fill: none }
}`;

/** A whole SVG file, readable on light and dark ground. */
export function svg({ title, width, height, elements }: Picture): string {
  const body = [
    { name: 'title', content: title } as const,
    {
      name: 'rect',
      attributes: { class: 'ground', x: 0.5, y: 0.5, width: width - 1, height: height - 1, rx: 6 },
    } as const,
    ...elements,
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">
<style>${STYLE}
</style>
${body.map(markup).join('\n')}
</svg>
`;
}

function markup({ name, attributes = {}, content = '' }: Element): string {
  const given = Object.entries(attributes).map(([key, value]) => ` ${key}="${attribute(value)}"`);
  const inside = typeof content === 'string' ? escapeText(content) : content.map(markup).join('');
  return `<${name}${given.join('')}${inside === '' ? '/>' : `>${inside}</${name}>`}`;
}

function attribute(value: string | number): string {
  return typeof value === 'string' ? escapeText(value) : `${Number.isFinite(value) ? Math.round(value * 10) / 10 : 0}`;
}
