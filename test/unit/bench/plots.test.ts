import assert from 'node:assert/strict';
import { test } from 'node:test';
import { costPlot } from '../../../bench/report/cost-plot.ts';
import { scalePlot } from '../../../bench/report/scale-plot.ts';
import { escapeText, svg } from '../../../bench/report/svg.ts';
import type { Results } from '../../../bench/results.ts';
import { hostileText, sampleResults } from './sample-results.ts';

test('the plot of costs has a bar for each peer, as times of attache', () => {
  const plot = costPlot(sampleResults()) ?? '';
  assertWellFormed(plot);
  assert.match(plot, />0\.77</);
  assert.match(plot, />0\.69</);
});

test('a bar that is far longer than the plot is cut off inside it, its figure is not', () => {
  const rows: Results['rows'] = [{ measure: 'connect', values: { attache: [1], haproxy: [1_000] } }];
  const plot = costPlot(sampleResults({ rows })) ?? '';
  assertWellFormed(plot);
  assert.match(plot, />1,000\.00</);
  for (const [, end] of plot.matchAll(/<rect class="s\d" x="270" y="[\d.]+" width="([\d.]+)"/g))
    assert.ok(Number(end) < 560);
});

test('the plot by connections draws a line for each proxy', () => {
  const plot = scalePlot(sampleResults()) ?? '';
  assertWellFormed(plot);
  assert.equal([...plot.matchAll(/<polyline/g)].length, 2);
  assert.match(plot, />10,000</);
});

test('one point, all zeros and a negative difference of memory are drawn inside the picture', () => {
  for (const rows of [
    [{ measure: 'scale-cpu', at: 1, values: { attache: [0] } }],
    [{ measure: 'scale-memory', at: 100, values: { attache: [-5, -6] } }],
  ] satisfies Results['rows'][]) {
    const plot = scalePlot(sampleResults({ rows })) ?? '';
    assertWellFormed(plot);
    for (const [, y] of plot.matchAll(/cy="(-?[\d.]+)"/g)) assert.ok(Number(y) > 0 && Number(y) < 320);
  }
});

test('without anything to draw there is no plot', () => {
  const none = [
    [],
    [{ measure: 'small-50', values: { attache: [1] } }],
    [{ measure: 'small-50', values: { attache: [], haproxy: [] } }],
    [{ measure: 'small-50', values: { attache: [0], haproxy: [1] } }],
    [{ measure: 'scale-cpu', at: 1, values: {} }],
  ] satisfies Results['rows'][];
  for (const rows of none) {
    assert.equal(costPlot(sampleResults({ rows })), undefined);
    assert.equal(scalePlot(sampleResults({ rows })), undefined);
  }
});

test('text of others stays text', () => {
  const results = sampleResults({ node: hostileText, attache: { version: hostileText, commit: hostileText } });
  for (const plot of [costPlot(results), scalePlot(results)]) {
    assertWellFormed(plot ?? '');
    assert.ok(plot?.includes('&lt;script&gt;') === true);
  }
  assert.equal(escapeText('a\u0000\u0008\ud800b\t"&'), 'ab\t&quot;&amp;');
});

test('a number that is none never reaches the file', () => {
  const picture = svg({
    title: '',
    width: 10,
    height: 10,
    elements: [{ name: 'rect', attributes: { x: NaN, y: Infinity, width: 1.26 } }],
  });
  assert.match(picture, /<rect x="0" y="0" width="1.3"\/>/);
});

test('a plot has colours for light and for dark', () => {
  assert.match(costPlot(sampleResults()) ?? '', /@media \(prefers-color-scheme: dark\)/);
});

/** Every element is closed, every attribute quoted, nothing is NaN. */
function assertWellFormed(text: string): void {
  assert.match(text, /^<svg [^>]+>/);
  assert.doesNotMatch(text, /NaN|Infinity|undefined/);
  const open: string[] = [];
  const tag = /<(\/?)([a-z]+)(?: [\w:]+(?:-\w+)*="[^"<]*")*(\/?)>/g;
  for (const [, end, name = '', empty] of text.matchAll(tag)) {
    if (end !== '') assert.equal(open.pop(), name);
    else if (empty === '') open.push(name);
  }
  assert.deepEqual(open, []);
  assert.doesNotMatch(text.replace(tag, ''), /[<>]/);
}
