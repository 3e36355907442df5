import { element } from './elements.ts';

/** Not more often than this, however much happens. */
const EVERY_MS = 4_000;
const MAX_WAITING = 3;

/** Says what matters to those who listen instead of looking; several pieces of news in one go. */
export class Announcer {
  readonly #place = element('announcer', HTMLElement);
  #waiting: string[] = [];
  #more = 0;
  #timer: number | undefined;

  say(text: string): void {
    if (this.#waiting.includes(text)) return;
    if (this.#waiting.length < MAX_WAITING) this.#waiting.push(text);
    else this.#more += 1;
    if (this.#timer !== undefined) return;
    this.#speak();
    this.#timer = setTimeout(() => this.#next(), EVERY_MS);
  }

  #next(): void {
    this.#timer = undefined;
    if (this.#waiting.length === 0) return;
    this.#speak();
    this.#timer = setTimeout(() => this.#next(), EVERY_MS);
  }

  #speak(): void {
    const more = this.#more === 0 ? '' : ` And ${this.#more} more.`;
    this.#place.textContent = `${this.#waiting.join(' ')}${more}`;
    this.#waiting = [];
    this.#more = 0;
  }
}
