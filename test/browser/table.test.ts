import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import type { Page } from 'playwright-core';
import { startAttache } from '../support/attache.ts';
import { openStatusPage, startBrowser } from '../support/browser.ts';
import { httpPort } from '../support/http.ts';
import { connectTo, freePort, startEcho } from '../support/tcp.ts';
import { eventually } from '../support/wait.ts';

/** Two services, one with two candidates of which one is down, and an open connection of each. */
async function twoServices(t: TestContext) {
  const [dead, echo] = [await freePort(), await startEcho(t)];
  const attache = startAttache(t, {
    env: {
      SRC_CACHE: '127.0.0.1:0',
      DST_CACHE: `127.0.0.1:${dead},127.0.0.1:${echo.port}`,
      SRC_DB: '127.0.0.1:0',
      DST_DB: `127.0.0.1:${echo.port}`,
      HTTP_ADDR: '127.0.0.1:0',
    },
  });
  // From here on it is noted what moves.
  const http = await httpPort(attache, 'health');
  for (const service of ['cache', 'db']) {
    const client = await connectTo(await attache.port(service));
    t.after(() => client.destroy());
    client.write(Buffer.alloc(service === 'db' ? 30_000 : 7));
    await once(client, 'data');
    client.resume();
  }
  return { http, dead, echo: echo.port };
}

test('what was moved before anybody looked is on the page as soon as it is opened', { timeout: 90_000 }, async (t) => {
  const { http } = await twoServices(t);
  // The first sample is of the start; after the second there is a step to draw.
  const samplesOf = async () => {
    const stream = await fetch(`http://127.0.0.1:${http}/events`);
    const reader = stream.body?.getReader();
    let text = '';
    while (!text.includes('event: state')) {
      const { value } = (await reader?.read()) as { readonly value?: Uint8Array };
      text += new TextDecoder().decode(value);
    }
    await reader?.cancel();
    return JSON.parse(/event: past\ndata: (.*)/.exec(text)?.[1] ?? '[]') as { readonly bytes: readonly number[][] }[];
  };
  await eventually(async () => (await samplesOf()).some(({ bytes }) => bytes[1]?.[0] === 30_000), 'noted', 30_000);
  const { page, trouble } = await openStatusPage(await startBrowser(t), http);
  const lines = page.locator('#services-rows svg.spark path.sent');
  await eventually(async () => ((await lines.nth(1).getAttribute('d')) ?? '').includes('L'), 'a line');
  // It was at the top of its scale once, when all of it was moved.
  assert.match((await lines.nth(1).getAttribute('d')) ?? '', / 2[.]0/);
  assert.deepEqual(trouble, []);
});

test('candidates stand under their service; the filter finds them by its name', async (t) => {
  const { http, dead, echo } = await twoServices(t);
  const { page, trouble } = await openStatusPage(await startBrowser(t), http);
  const rows = page.locator('#candidates-rows tr');
  await eventually(async () => (await rows.count()) === 5, 'two headings, three candidates');
  const names = () => page.locator('#candidates-rows tr > th').allInnerTexts();
  assert.deepEqual(await names(), ['cache', `127.0.0.1:${dead}`, `127.0.0.1:${echo}`, 'db', `127.0.0.1:${echo}`]);
  await page.locator('#filter').fill('db');
  await eventually(async () => (await rows.count()) === 2, 'those of db');
  assert.deepEqual(await names(), ['db', `127.0.0.1:${echo}`]);
  await page.locator('#filter').fill('');
  await eventually(async () => (await rows.count()) === 5, 'all again');
  assert.deepEqual(await names(), ['cache', `127.0.0.1:${dead}`, `127.0.0.1:${echo}`, 'db', `127.0.0.1:${echo}`]);
  assert.deepEqual(trouble, []);
});

test('numbers end below each other, a column without a value is not shown, and a row leads to its story', async (t) => {
  const { http } = await twoServices(t);
  const { page, trouble } = await openStatusPage(await startBrowser(t), http);
  const connections = page.locator('#connections-rows tr');
  await eventually(async () => (await connections.count()) === 2, 'both');
  const heads = page.locator('table[aria-labelledby=connections] thead th:visible');
  assert.ok(!(await heads.allInnerTexts()).includes('TLS peer'));
  assert.equal(await connections.first().locator('> :visible').count(), await heads.count());
  assert.ok(
    (await page.locator('table[aria-labelledby=candidates] thead th:visible').allInnerTexts()).includes('Last error'),
  );
  assert.deepEqual(await rightEdges(page, 'Sent'), [1]);
  await connections.first().locator('td').nth(1).click();
  await page.getByRole('dialog').getByText('Accepted').waitFor();
  assert.match(new URL(page.url()).hash, /^#connection\/\d+$/);
  assert.deepEqual(trouble, []);
});

test('on a phone a service has two lines, and all of a small case fits on three screens', async (t) => {
  const { http } = await twoServices(t);
  const { page, trouble } = await openStatusPage(await startBrowser(t), http, {
    viewport: { width: 375, height: 740 },
    isMobile: true,
    deviceScaleFactor: 2,
  });
  await eventually(async () => (await page.locator('#connections-rows tr').count()) === 2, 'both');
  const db = page.locator('#services-rows tr').nth(1);
  const line = (await db.locator('th').boundingBox())?.height ?? 0;
  const box = (await db.boundingBox())?.height ?? Infinity;
  assert.ok(box < 3 * line, `${box} px, a line has ${line}`);
  for (const text of ['db', 'serving']) assert.ok(await db.getByText(text, { exact: true }).isVisible(), text);
  assert.equal(await db.locator('td[data-label=Open]').innerText(), '1');
  const [spark, rates] = [await db.locator('svg.spark').boundingBox(), await db.locator('.rates').boundingBox()];
  assert.ok(spark !== null && rates !== null);
  const apart = Math.abs(spark.y + spark.height / 2 - rates.y - rates.height / 2);
  assert.ok(apart < line / 2, `the line and the rates are ${apart} px apart`);
  const height = await page.evaluate<number>('document.documentElement.scrollHeight');
  assert.ok(height < 3 * 740, `${height} px`);
  assert.deepEqual(trouble, []);
});

/** Where the texts of a column end, in CSS pixels without fractions; one number: all of them below each other. */
async function rightEdges(page: Page, label: string): Promise<readonly number[]> {
  const script = `(() => {
    const edges = [...document.querySelectorAll('#connections-rows td[data-label="${label}"]')].map((cell) => {
      const range = document.createRange();
      range.selectNodeContents(cell);
      return Math.round(range.getBoundingClientRect().right);
    });
    return [new Set(edges).size];
  })()`;
  return page.evaluate(script);
}
