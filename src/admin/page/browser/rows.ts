import { setData } from './elements.ts';

export interface Row {
  /** Tells it from all others of its table, and is its own for as long as it is there. */
  readonly key: string;
  /** One for each column; the first names the row. */
  readonly cells: readonly Cell[];
}

/** Fills a cell and fills it again, each time with the newest. */
export interface Cell {
  readonly kind: 'text' | 'name' | 'number';
  /** What the filter looks through. */
  readonly text: string;
  readonly fill: (cell: HTMLElement) => void;
}

/** Brings a table up to date, row by row: rows that stay are not moved, so they keep the focus and the selection. */
export class Rows {
  readonly #body: HTMLElement;
  readonly #labels: readonly string[];
  readonly #shown = new Map<string, HTMLTableRowElement>();
  #isFirst = true;

  constructor(body: HTMLElement) {
    this.#body = body;
    const heads = body.closest('table')?.querySelectorAll('thead th') ?? [];
    this.#labels = [...heads].map((head) => head.textContent);
  }

  show(rows: readonly Row[]): void {
    const wanted = new Set(rows.map(({ key }) => key));
    for (const [key, row] of this.#shown) if (!wanted.has(key)) this.#remove(key, row);
    rows.forEach(({ key, cells }, place) => {
      const row = this.#shown.get(key) ?? this.#create(key, cells);
      if (this.#body.children[place] !== row) this.#body.insertBefore(row, this.#body.children[place] ?? null);
      cells.forEach(({ text, fill }, column) => {
        const cell = row.children[column];
        if (!(cell instanceof HTMLElement)) return;
        setData(cell, 'empty', text === '' ? '' : undefined);
        fill(cell);
      });
    });
    this.#isFirst = false;
  }

  #create(key: string, cells: readonly Cell[]): HTMLTableRowElement {
    const row = document.createElement('tr');
    row.setAttribute('role', 'row');
    // For links to it. A key of text is no name of an element.
    if (/^\d+$/.test(key)) row.id = `${this.#body.id}-${key}`;
    if (!this.#isFirst) row.dataset['new'] = '';
    cells.forEach(({ kind }, column) => {
      const cell = document.createElement(column === 0 ? 'th' : 'td');
      cell.setAttribute('role', column === 0 ? 'rowheader' : 'cell');
      if (column === 0) cell.setAttribute('scope', 'row');
      cell.dataset['kind'] = kind;
      cell.dataset['label'] = this.#labels[column] ?? '';
      row.append(cell);
    });
    this.#shown.set(key, row);
    return row;
  }

  /** Somebody who was on it goes on from the heading above instead of from the top of the page. */
  #remove(key: string, row: HTMLTableRowElement): void {
    if (row.contains(document.activeElement)) this.#body.closest('section')?.querySelector('h2')?.focus();
    row.remove();
    this.#shown.delete(key);
  }
}
