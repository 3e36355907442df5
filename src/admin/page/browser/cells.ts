import { ageText, bytesText } from '../../amounts.ts';
import { setData, setText, textElement } from './elements.ts';
import type { Cell } from './rows.ts';
import { drawSparkline } from './sparkline.ts';
import type { Rates } from './throughput.ts';

export type Tone = 'good' | 'warn' | 'bad' | 'quiet';

export function textCell(text: string): Cell {
  return { kind: 'text', text, fill: (cell) => setText(cell, text) };
}

/** Addresses and the like. */
export function nameCell(text: string, note = ''): Cell {
  return { kind: 'name', text: `${text} ${note}`.trim(), fill: (cell) => withNotes(cell, text, [{ text: note }]) };
}

export function numberCell(text: string): Cell {
  return { kind: 'number', text, fill: (cell) => setText(cell, text) };
}

export function bytesCell(bytes: number): Cell {
  return numberCell(bytesText(bytes));
}

export interface Note {
  readonly text: string;
  readonly tone?: Tone;
}

/** A word with its colour, and below the word its details. */
export function stateCell(word: string, tone: Tone, notes: readonly Note[] = []): Cell {
  const text = [word, ...notes.map((note) => note.text)].join(' ');
  const fill = (cell: HTMLElement) => {
    const label = firstSpan(cell);
    label.className = 'state';
    setData(label, 'tone', tone);
    setText(label, word);
    showNotes(cell, notes);
  };
  return { kind: 'text', text, fill };
}

export function whenCell(atMs: number, nowMs: number): Cell {
  const text = `${ageText(nowMs - atMs)} ago`;
  const fill = (cell: HTMLElement) => {
    let time = cell.querySelector('time');
    if (time === null) {
      time = document.createElement('time');
      cell.append(time);
    }
    const iso = new Date(atMs).toISOString();
    if (time.dateTime !== iso) [time.dateTime, time.title] = [iso, iso];
    setText(time, text);
  };
  return { kind: 'number', text, fill };
}

/** Leads to the story of a connection. */
export function connectionCell(id: number): Cell {
  const fill = (cell: HTMLElement) => {
    if (cell.firstElementChild !== null) return;
    const link = document.createElement('a');
    link.href = `#connection/${id}`;
    link.textContent = String(id);
    link.setAttribute('aria-label', `Connection ${id}`);
    cell.append(link);
  };
  return { kind: 'number', text: String(id), fill };
}

export function ratesCell(rates: Rates): Cell {
  const [sent, received] = [rateText(rates.sentNow), rateText(rates.receivedNow)];
  const text = `${sent} sent, ${received} received`;
  const fill = (cell: HTMLElement) => {
    const label = firstSpan(cell);
    label.className = 'rates';
    setText(label, `↑ ${sent}  ↓ ${received}`);
    label.title = text;
    drawSparkline(cell, rates);
  };
  return { kind: 'text', text, fill };
}

function rateText(bytesPerSecond: number | undefined): string {
  return bytesPerSecond === undefined ? '–' : `${bytesText(Math.round(bytesPerSecond))}/s`;
}

function withNotes(cell: HTMLElement, text: string, notes: readonly Note[]): void {
  setText(firstSpan(cell), text);
  showNotes(cell, notes);
}

function firstSpan(cell: HTMLElement): HTMLElement {
  const found = cell.querySelector<HTMLElement>(':scope > span:not(.note)');
  if (found !== null) return found;
  const made = document.createElement('span');
  cell.prepend(made);
  return made;
}

function showNotes(cell: HTMLElement, notes: readonly Note[]): void {
  const wanted = notes.filter(({ text }) => text !== '');
  const shown = [...cell.querySelectorAll<HTMLElement>(':scope > .note')];
  for (const extra of shown.slice(wanted.length)) extra.remove();
  wanted.forEach(({ text, tone }, place) => {
    const note = shown[place] ?? cell.appendChild(textElement('span', '', 'note'));
    setText(note, text);
    setData(note, 'tone', tone);
  });
}
