import { setData } from './elements.ts';

export interface Row {
  /** Tells it from all others of its table, and is its own for as long as it is there. */
  readonly key: string;
  /** Of rows below each other that have the same, the first stands below a heading with it. */
  readonly group?: string;
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
  readonly #heads: readonly HTMLElement[];
  readonly #shown = new Map<string, HTMLTableRowElement>();
  #isFirst = true;

  constructor(body: HTMLElement) {
    this.#body = body;
    this.#heads = [...(body.closest('table')?.querySelectorAll<HTMLElement>('thead th') ?? [])];
    body.addEventListener('click', followRow);
  }

  show(rows: readonly Row[]): void {
    const wanted = new Set(rows.flatMap(({ key, group }) => (group === undefined ? [key] : [key, groupKey(group)])));
    for (const [key, row] of this.#shown) if (!wanted.has(key)) this.#remove(key, row);
    const isEmpty = this.#heads.map(
      (_, column) => rows.length > 0 && rows.every(({ cells }) => cells[column]?.text === ''),
    );
    this.#heads.forEach((head, column) => (head.hidden = isEmpty[column] === true));
    let place = 0;
    let group: string | undefined;
    for (const { key, cells, group: own } of rows) {
      if (own !== undefined && own !== group)
        this.#put(this.#shown.get(groupKey(own)) ?? this.#createHeading(own), place++);
      group = own;
      const row = this.#shown.get(key) ?? this.#create(key, cells);
      this.#put(row, place++);
      cells.forEach(({ text, fill }, column) => {
        const cell = row.children[column];
        if (!(cell instanceof HTMLElement)) return;
        cell.hidden = isEmpty[column] === true;
        setData(cell, 'empty', text === '' ? '' : undefined);
        fill(cell);
      });
    }
    this.#isFirst = false;
  }

  #put(row: HTMLTableRowElement, place: number): void {
    if (this.#body.children[place] !== row) this.#body.insertBefore(row, this.#body.children[place] ?? null);
  }

  #createHeading(group: string): HTMLTableRowElement {
    const row = document.createElement('tr');
    row.setAttribute('role', 'row');
    row.dataset['group'] = '';
    const cell = document.createElement('th');
    cell.setAttribute('role', 'rowheader');
    cell.setAttribute('scope', 'rowgroup');
    cell.colSpan = this.#heads.length;
    cell.textContent = group;
    row.append(cell);
    this.#shown.set(groupKey(group), row);
    return row;
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
      cell.dataset['label'] = this.#heads[column]?.textContent ?? '';
      if (kind === 'number') this.#heads[column]?.setAttribute('data-kind', kind);
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

function groupKey(group: string): string {
  return `group ${group}`;
}

/** A row that has a link is one: its cells lead where the link does, unless somebody marks text in them. */
function followRow({ target }: Event): void {
  if (!(target instanceof Element) || target.closest('a') !== null || getSelection()?.isCollapsed === false) return;
  target.closest('tr')?.querySelector('a')?.click();
}
