import { visible } from '../core/visible.ts';

/** Columns of text, two blanks between them, nothing at the ends of lines; nothing in it that a terminal would obey. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [header, ...rows].map((row) => row.map((cell) => visible(cell, MAX_CELL)));
  const widths = header.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

const MAX_CELL = 100;
