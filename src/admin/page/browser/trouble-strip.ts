import { ageText } from '../../amounts.ts';
import type { LiveConfiguration } from '../wire.ts';
import { element, setData, setText } from './elements.ts';
import type { Trouble } from './troubles.ts';

/** Above everything. What is a service's leads to its row. */
export function showTrouble(troubles: readonly Trouble[]): void {
  const place = element('trouble', HTMLElement);
  const shown = JSON.stringify(troubles);
  if (place.dataset['shown'] === shown) return;
  place.dataset['shown'] = shown;
  place.replaceChildren(
    ...troubles.map(({ place: row, text, tone }) => {
      const line = document.createElement(row === undefined ? 'p' : 'a');
      if (line instanceof HTMLAnchorElement) line.href = `#services-rows-${row}`;
      line.className = 'state';
      setData(line, 'tone', tone);
      setText(line, text);
      return line;
    }),
  );
}

/** Where the services come from, once that is not the start alone. */
export function showOrigin(configuration: LiveConfiguration | undefined, nowMs: number): void {
  const line = element('origin', HTMLElement);
  line.hidden = configuration?.place === undefined;
  if (configuration?.place === undefined) return;
  const { place, sinceMs, changes } = configuration;
  const age = sinceMs === undefined ? '' : `, ${ageText(nowMs - sinceMs)} ago`;
  setText(line, `Services from ${place}${age}${changes === '' ? '' : `: ${changes}`}`);
}
