import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { startAttache } from '../support/attache.ts';
import { openStatusPage, startBrowser } from '../support/browser.ts';
import { httpPort } from '../support/http.ts';
import { accessibleNodes, contrasts } from '../support/page-looks.ts';
import { ask, connectTo, freePort, startEcho } from '../support/tcp.ts';

const LONG = `${'a-host-with-a-name-that-has-no-end.'.repeat(5)}example.internal:6379`;

/** A run that has something in every table: open and failed connections, a candidate ejected, one with a long name. */
async function busy(t: TestContext): Promise<number> {
  const [dead, echo] = [await freePort(), await startEcho(t)];
  const attache = startAttache(t, {
    env: {
      SRC_APP: '127.0.0.1:0',
      DST_APP: `127.0.0.1:${dead},127.0.0.1:${echo.port},${LONG}`,
      SRC_DEAD: '127.0.0.1:0',
      DST_DEAD: `127.0.0.1:${dead}`,
      MAX_FAILS: '1',
      FAIL_TIMEOUT: '10m',
      HTTP_ADDR: '127.0.0.1:0',
    },
  });
  const client = await connectTo(await attache.port('app'));
  t.after(() => client.destroy());
  client.write('x');
  await once(client, 'data');
  await ask(await attache.port('dead'));
  return await httpPort(attache, 'health');
}

test('at the width of a phone nothing has to be scrolled sideways, and every value has its column’s name', async (t) => {
  const http = await busy(t);
  for (const width of [375, 320]) {
    const { page, trouble } = await openStatusPage(await startBrowser(t), http, {
      viewport: { width, height: 740 },
      isMobile: true,
      deviceScaleFactor: 2,
    });
    await page.locator('#failures-rows tr').waitFor();
    await page
      .locator('#candidates-rows tr')
      .filter({ hasText: LONG.slice(0, 100) })
      .waitFor();
    const wide =
      '[document.documentElement.scrollWidth, document.body.scrollWidth].map((px) => Math.ceil(px) - innerWidth)';
    assert.deepEqual(await page.evaluate(wide), [0, 0], `at ${width} px`);
    const label = 'getComputedStyle(document.querySelector("#connections-rows td"), "::before").content';
    assert.equal(await page.evaluate(label), '"Service"');
    await page.locator('#connections-rows a').click();
    const story = page.getByRole('dialog');
    await story.getByText('Accepted').waitFor();
    assert.deepEqual(await page.evaluate(wide), [0, 0], `with a story, at ${width} px`);
    const box = await story.boundingBox();
    assert.ok(box !== null && box.x >= 0 && box.x + box.width <= width);
    assert.deepEqual(trouble, []);
  }
});

test('light and dark are different, and all text has a contrast of 4.5 in both', async (t) => {
  const [http, browser] = [await busy(t), await startBrowser(t)];
  const backgrounds = [];
  for (const colorScheme of ['light', 'dark'] as const) {
    const { page, trouble } = await openStatusPage(browser, http, { colorScheme });
    await page.locator('#failures-rows tr').waitFor();
    backgrounds.push(await page.evaluate<string>('getComputedStyle(document.body).backgroundColor'));
    const found = await contrasts(page);
    assert.ok(found.length > 60, `${found.length} texts`);
    assert.ok(
      found.some(({ text }) => text === 'ejected'),
      'the colour of a fault is among them',
    );
    assert.deepEqual(
      found.filter(({ ratio }) => ratio < 4.5),
      [],
      colorScheme,
    );
    await page.locator('#connections-rows a').click();
    await page.getByRole('dialog').getByText('Accepted').waitFor();
    assert.deepEqual(
      (await contrasts(page)).filter(({ ratio }) => ratio < 4.5),
      [],
      `${colorScheme}, a story`,
    );
    assert.deepEqual(trouble, []);
  }
  assert.notEqual(backgrounds[0], backgrounds[1]);
});

test('a screen reader is told the name of every control, table and region, and one heading for each part', async (t) => {
  const http = await busy(t);
  const { page, trouble } = await openStatusPage(await startBrowser(t), http);
  await page.locator('#failures-rows tr').waitFor();
  const roles = [
    'link',
    'button',
    'searchbox',
    'textbox',
    'table',
    'columnheader',
    'rowheader',
    'region',
    'search',
    'dialog',
  ];
  const check = async () => {
    const nodes = await accessibleNodes(page);
    const nameless = nodes.filter(({ role, name }) => roles.includes(role) && role !== 'search' && name.trim() === '');
    assert.deepEqual(nameless, []);
    return nodes;
  };
  const nodes = await check();
  const names = (role: string) => nodes.filter((node) => node.role === role).map(({ name }) => name);
  const parts = ['Services', 'Candidates', 'Membership changes', 'Failures', 'Open connections'];
  assert.deepEqual(names('table'), parts);
  assert.deepEqual(
    names('heading').filter((name) => !name.startsWith('attache')),
    parts,
  );
  assert.deepEqual(names('searchbox'), ['Filter']);
  const shown = 'document.querySelectorAll("thead th:not([hidden])").length';
  assert.equal(names('columnheader').length, await page.evaluate(shown));
  assert.ok(names('columnheader').includes('Last error'));
  assert.ok(names('link').includes('Connection 1'));
  assert.equal(await page.evaluate('document.documentElement.lang'), 'en');
  await page.locator('#connections-rows a').click();
  await page.getByRole('dialog').getByText('Accepted').waitFor();
  const inStory = await check();
  assert.ok(inStory.some(({ role, name }) => role === 'dialog' && name === 'Connection 1'));
  assert.ok(inStory.some(({ role, name }) => role === 'button' && name === 'Close'));
  assert.deepEqual(trouble, []);
});

test('a phone’s layout keeps the tables for a screen reader', async (t) => {
  const { page } = await openStatusPage(await startBrowser(t), await busy(t), {
    viewport: { width: 375, height: 740 },
  });
  await page.locator('#failures-rows tr').waitFor();
  const nodes = await accessibleNodes(page);
  assert.equal(nodes.filter(({ role }) => role === 'table').length, 5);
  assert.ok(nodes.filter(({ role }) => role === 'columnheader').length >= 25);
  assert.ok(nodes.filter(({ role }) => role === 'rowheader').length >= 6);
});
