import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import type { Page } from 'playwright-core';
import { startAttache } from '../support/attache.ts';
import { openStatusPage, startBrowser, type LookedAt } from '../support/browser.ts';
import { httpPort } from '../support/http.ts';
import { ask, connectTo, freePort, startEcho } from '../support/tcp.ts';
import { eventually } from '../support/wait.ts';

interface Scene extends LookedAt {
  readonly http: number;
  readonly clients: readonly Socket[];
}

/** Two open connections, carried by the second candidate because the first is down. */
async function scene(t: TestContext): Promise<Scene> {
  const [dead, echo] = [await freePort(), await startEcho(t)];
  const DST = `127.0.0.1:${dead},127.0.0.1:${echo.port}`;
  const attache = startAttache(t, { env: { SRC: '127.0.0.1:0', DST, HTTP_ADDR: '127.0.0.1:0' } });
  const [port, http] = [await attache.port(), await httpPort(attache, 'health')];
  const clients: Socket[] = [];
  for (let n = 0; n < 2; n += 1) {
    const client = await connectTo(port);
    t.after(() => client.destroy());
    client.write('hello');
    await once(client, 'data');
    clients.push(client);
  }
  const looked = await openStatusPage(await startBrowser(t), http);
  await looked.page.locator('#connections-rows tr').nth(1).waitFor();
  await looked.page.getByRole('link', { name: 'default degraded: 1 of 2 available' }).waitFor();
  return { ...looked, http, clients };
}

/** What has the focus, in a word. */
function focus(page: Page): Promise<string> {
  return page.evaluate(
    'document.activeElement.id || document.activeElement.getAttribute("aria-label") || document.activeElement.textContent',
  );
}

test('a click on a connection tells its story: who, which candidates with what outcome, how much; Close closes it', async (t) => {
  const { page, trouble } = await scene(t);
  await page.getByRole('link', { name: 'Connection 1' }).click();
  const story = page.getByRole('dialog', { name: 'Connection 1' });
  await story
    .getByText(/ECONNREFUSED/)
    .first()
    .waitFor();
  const facts = await story.locator('dl').innerText();
  for (const part of ['State', 'open', 'Service', 'default', 'Client', '127.0.0.1:', '5 B'])
    assert.ok(facts.includes(part), part);
  await eventually(() => page.url().endsWith('#connection/1'), 'the address names it');
  await story.getByRole('button', { name: 'Close' }).click();
  await story.waitFor({ state: 'hidden' });
  await eventually(() => !page.url().includes('connection'), 'the address names it no more');
  assert.deepEqual(trouble, []);
});

test('Tab and Enter open a story, the focus is in it and stays there, Escape closes it and the focus is back', async (t) => {
  const { page, trouble } = await scene(t);
  await page.keyboard.press('Tab');
  assert.equal(await focus(page), 'Skip to services');
  await page.keyboard.press('Tab');
  assert.equal(await focus(page), 'filter');
  await page.keyboard.press('Tab');
  assert.equal(await focus(page), 'default degraded: 1 of 2 available');
  await page.keyboard.press('Tab');
  assert.equal(await focus(page), 'Connection 2');
  await page.keyboard.press('Enter');
  const story = page.getByRole('dialog', { name: 'Connection 2' });
  await story
    .getByText('relaying')
    .or(story.getByText('open', { exact: true }))
    .first()
    .waitFor();
  assert.equal(await focus(page), 'story-title');
  for (let n = 0; n < 3; n += 1) {
    await page.keyboard.press('Tab');
    const isOutside = await page.evaluate('document.activeElement.closest("main, header") !== null');
    assert.equal(isOutside, false, `after ${n + 1} Tab`);
  }
  await page.keyboard.press('Escape');
  await story.waitFor({ state: 'hidden' });
  await eventually(async () => (await focus(page)) === 'Connection 2', 'the focus is back');
  assert.deepEqual(trouble, []);
});

test('a story goes on while its connection does, tells the end of it, and leaves the focus in the page', async (t) => {
  const { page, clients, trouble } = await scene(t);
  await page.getByRole('link', { name: 'Connection 2' }).focus();
  await page.keyboard.press('Enter');
  const story = page.getByRole('dialog', { name: 'Connection 2' });
  await story.getByText('5 B').first().waitFor();
  clients[1]?.write('more');
  await story.getByText('9 B').first().waitFor();
  clients[1]?.resetAndDestroy();
  await story.getByText('client reset').first().waitFor();
  await page.locator('#connections-rows tr').nth(1).waitFor({ state: 'detached' });
  await page.keyboard.press('Escape');
  await story.waitFor({ state: 'hidden' });
  await eventually(async () => (await focus(page)) === 'connections', 'the focus is at the connections');
  // It is among the failures now, and can be asked for there.
  await page.locator('#failures-rows').getByRole('link', { name: 'Connection 2' }).click();
  await story.getByText('Ended by').waitFor();
  assert.deepEqual(trouble, []);
});

test('an address with a connection opens its story; one that nobody knows says so, and so does an attache that is gone', async (t) => {
  const { page, http, trouble } = await scene(t);
  await page.goto(`http://127.0.0.1:${http}/#connection/1`);
  await page.getByRole('dialog', { name: 'Connection 1' }).getByText('5 B').first().waitFor();
  assert.deepEqual(trouble, []);
  await page.evaluate('location.hash = "#connection/999999"');
  await page.getByRole('dialog').getByText('no connection has this number').waitFor();
  await page.route('**/connections/1', (route) => route.abort());
  await page.evaluate('location.hash = "#connection/1"');
  await page.getByRole('dialog').getByText('attache does not answer.').waitFor();
});

test('the filter leaves the rows with every word of it, says how many, is reached by / and emptied by Escape', async (t) => {
  const { page, trouble, clients } = await scene(t);
  const rows = (table: string) => page.locator(`#${table}-rows tr`).count();
  await page.keyboard.press('/');
  assert.equal(await focus(page), 'filter');
  await page.keyboard.type(`DEFAULT ${clients[0]?.localPort ?? 0}`);
  await eventually(async () => (await rows('connections')) === 1, 'one connection');
  assert.deepEqual([await rows('services'), await rows('candidates')], [0, 0]);
  assert.equal(await page.locator('#connections-count').innerText(), '1 of 2 match');
  await page
    .locator('[role=status]')
    .filter({ hasText: /^Filtered: .*connections 1\.$/ })
    .waitFor({ state: 'attached' });
  await page.keyboard.press('Escape');
  await eventually(async () => (await rows('connections')) === 2, 'both again');
  assert.equal(await page.locator('#filter').inputValue(), '');
  await page.keyboard.press('Enter');
  assert.equal(new URL(page.url()).search, '');
  assert.deepEqual(trouble, []);
});

test('a connection that failed is told as failed, with each candidate tried and a link to copy; the strip leads to the row of the service', async (t) => {
  const dead = await freePort();
  const attache = startAttache(t, {
    env: { SRC: '127.0.0.1:0', DST: `127.0.0.1:${dead}`, HTTP_ADDR: '127.0.0.1:0' },
  });
  const [port, http] = [await attache.port(), await httpPort(attache, 'health')];
  await ask(port).catch(() => '');
  const { page, trouble } = await openStatusPage(await startBrowser(t), http);
  await page.getByRole('link', { name: /^default failing/ }).click();
  await eventually(() => page.url().endsWith('#services-rows-0'), 'the row is what the address names');
  assert.equal(await page.locator('tr:target th').innerText(), 'default');

  await page.getByRole('link', { name: 'Connection 1' }).click();
  const story = page.getByRole('dialog', { name: 'Connection 1' });
  await story.getByText(/^State/).waitFor();
  assert.match(await story.locator('dl').innerText(), /^State\s+failed\s/);
  assert.match(
    await story.locator('ol li').first().innerText(),
    new RegExp(`^127.0.0.1:${dead}: ECONNREFUSED, [\\d.]+ ms$`),
  );
  assert.equal(await story.getByRole('link').innerText(), page.url());
  assert.deepEqual(trouble, []);
});
