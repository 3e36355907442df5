import { ageText } from '../../amounts.ts';
import type { StateMessage } from '../wire.ts';
import { Announcer } from './announce.ts';
import { element, setData, setText, textElement } from './elements.ts';
import { Filter } from './filter.ts';
import { follow } from './follow.ts';
import { newsOf } from './news.ts';
import { Rows } from './rows.ts';
import { StoryDialog } from './story-dialog.ts';
import { HEALTH_TONES, tablesOf, type TableName } from './tables.ts';
import { Throughput } from './throughput.ts';
import { showOrigin, showTrouble } from './trouble-strip.ts';
import { troublesOf } from './troubles.ts';

const TABLES: readonly TableName[] = ['services', 'candidates', 'changes', 'failures', 'connections'];
/** An end that is made good for at once (a stream has its time) is nothing to show. */
const LOST_AFTER_MS = 2_500;
const SAY_FILTERED_AFTER_MS = 800;

const announcer = new Announcer();
const throughput = new Throughput();
const rowsOf = new Map(TABLES.map((name) => [name, new Rows(element(`${name}-rows`, HTMLElement))]));
let last: StateMessage | undefined;
/** What the server's clock is ahead of ours. */
let aheadMs = 0;
let isLost = false;
let lostTimer: number | undefined;
let sayTimer: number | undefined;

const filter = new Filter(() => {
  clearTimeout(sayTimer);
  const counts = render();
  if (counts !== '') sayTimer = setTimeout(() => announcer.say(counts), SAY_FILTERED_AFTER_MS);
});
new StoryDialog();

follow({
  onPast: (past) => throughput.begin(past),
  onBeat: (nowMs) => {
    live(nowMs);
    if (last !== undefined) throughput.add(last.state, nowMs);
  },
  onState: (message) => {
    const { state, nowMs } = message;
    // Another version speaks in another way.
    if (last !== undefined && last.state.version !== state.version) location.reload();
    const isAnother = last !== undefined && Math.abs(last.state.startedAtMs - state.startedAtMs) > RESTART_MS;
    if (isAnother) throughput.clear();
    else if (last !== undefined) for (const text of newsOf(last.state, state)) announcer.say(text);
    last = message;
    live(nowMs);
    throughput.add(state, nowMs);
    render();
  },
  onLost: () => {
    throughput.cutOff();
    lostTimer ??= setTimeout(() => showLink(false), LOST_AFTER_MS);
  },
});
setInterval(render, 1_000);
document.addEventListener('visibilitychange', render);

/** Clocks that were set while it ran move the start of a process, too. */
const RESTART_MS = 3_000;

function live(nowMs: number): void {
  aheadMs = nowMs - Date.now();
  clearTimeout(lostTimer);
  lostTimer = undefined;
  showLink(true);
}

function showLink(isLive: boolean): void {
  const link = element('link', HTMLElement);
  setText(link, isLive ? 'live' : 'cut off, trying again');
  setData(link, 'tone', isLive ? 'good' : 'bad');
  document.body.classList.toggle('stale', !isLive);
  if (isLost === isLive) announcer.say(isLive ? 'Live again.' : 'The connection to attache is cut off.');
  isLost = !isLive;
}

/** @returns what a filter has left, in words; empty without one */
function render(): string {
  if (last === undefined || document.hidden) return '';
  const { state } = last;
  const nowMs = Date.now() + aheadMs;
  setText(element('version', HTMLElement), state.version);
  showSummary(nowMs);
  const tables = tablesOf({ state, nowMs, throughput });
  const counts = TABLES.map((name) => {
    const { rows, total } = tables[name];
    const shown = filter.apply(rows);
    rowsOf.get(name)?.show(shown);
    const count = shown.length === total ? `${total}` : `${shown.length} of ${total}`;
    setText(element(`${name}-count`, HTMLElement), `${count} ${filter.isOn ? 'match' : 'shown'}`);
    return `${name} ${shown.length}`;
  });
  return filter.isOn ? `Filtered: ${counts.join(', ')}.` : '';
}

function showSummary(nowMs: number): void {
  if (last === undefined) return;
  const { ready, phase, health, startedAtMs } = last.state;
  // What clients meet comes first: ready says no more than that they may come.
  const isWell = ready && health === 'serving';
  const word = !ready ? 'not ready' : isWell ? 'ready' : health;
  const place = element('summary', HTMLElement);
  if (place.childElementCount === 0) {
    place.append(textElement('span', '', 'state'), textElement('span', ''), textElement('span', '', 'quiet'));
  }
  const [state, doing, up] = [...place.children];
  if (state instanceof HTMLElement) {
    setText(state, word);
    setData(state, 'tone', ready ? (HEALTH_TONES[health] ?? 'bad') : 'bad');
  }
  if (doing !== undefined) setText(doing, phase);
  if (up !== undefined) setText(up, `up ${ageText(nowMs - startedAtMs)}`);
  document.title = `attache: ${word}`;
  showTrouble(troublesOf(last.state));
  showOrigin(last.state.configuration, nowMs);
}
