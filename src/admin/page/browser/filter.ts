import { element } from './elements.ts';
import type { Row } from './rows.ts';

/** The box that narrows all tables to the rows with every word in it. `/` goes to it, Escape empties it. */
export class Filter {
  readonly #input = element('filter', HTMLInputElement);
  #words: readonly string[] = [];

  constructor(onChange: () => void) {
    const read = () => {
      this.#words = this.#input.value.toLowerCase().split(/\s+/).filter(Boolean);
      onChange();
    };
    this.#input.addEventListener('input', read);
    this.#input.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      this.#input.value = '';
      read();
    });
    element('search', HTMLFormElement).addEventListener('submit', (event) => event.preventDefault());
    document.addEventListener('keydown', (event) => this.#goThere(event));
    // A browser that goes back may have kept the text.
    read();
  }

  get isOn(): boolean {
    return this.#words.length > 0;
  }

  apply(rows: readonly Row[]): readonly Row[] {
    return this.isOn ? rows.filter((row) => this.#fits(row)) : rows;
  }

  #fits({ cells, group = '' }: Row): boolean {
    const text = [group, ...cells.map((cell) => cell.text)].join(' ').toLowerCase();
    return this.#words.every((word) => text.includes(word));
  }

  #goThere(event: KeyboardEvent): void {
    const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey;
    const isElsewhere = event.target instanceof HTMLInputElement || document.querySelector('dialog[open]') !== null;
    if (event.key !== '/' || !isPlain || isElsewhere) return;
    event.preventDefault();
    this.#input.focus();
  }
}
