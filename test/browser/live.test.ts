import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { startAttache, type Attache } from '../support/attache.ts';
import { openStatusPage, startBrowser } from '../support/browser.ts';
import { httpAsk, httpPort } from '../support/http.ts';
import { RegistryDirectory, SERVICE } from '../support/registry-directory.ts';
import { connectTo, freePort, startEcho } from '../support/tcp.ts';
import { eventually } from '../support/wait.ts';

/** What the page promises. */
const SHOWN_WITHIN_MS = 2_000;

test('a candidate that leaves is gone from the page within 2 s, the change and what it did are there and are announced', async (t) => {
  const [registry, one, other] = [await RegistryDirectory.create(t), await startEcho(t), await startEcho(t)];
  const [stays, leaves] = [`127.0.0.1:${one.port}`, `127.0.0.1:${other.port}`];
  await registry.add(stays);
  await registry.add(leaves);
  const attache = startAttache(t, {
    env: { SRC: '127.0.0.1:0', SRV: SERVICE, DSC: pathToFileURL(registry.root).href, HTTP_ADDR: '127.0.0.1:0' },
  });
  const [port, http] = [await attache.port(), await httpPort(attache, 'health')];
  const { page, trouble } = await openStatusPage(await startBrowser(t), http);
  const candidates = page.locator('#candidates-rows tr:not([data-group])');
  await candidates.filter({ hasText: leaves }).waitFor();
  assert.equal(await candidates.count(), 2);
  const client = await connectTo(port);
  t.after(() => client.destroy());
  client.write('x');
  await once(client, 'data');
  await page.locator('#connections-rows tr').waitFor({ timeout: SHOWN_WITHIN_MS });

  await registry.remove(leaves);
  const began = performance.now();
  await candidates.filter({ hasText: leaves }).waitFor({ state: 'detached', timeout: SHOWN_WITHIN_MS });
  const tookMs = performance.now() - began;
  assert.ok(tookMs <= SHOWN_WITHIN_MS, `${tookMs} ms`);
  assert.equal(await candidates.count(), 1);
  assert.match(await candidates.innerText(), new RegExp(stays));

  const change = page.locator('#changes-rows tr').filter({ hasText: `−${leaves} (1 now)` });
  await change.filter({ hasText: '1 connection: reset' }).waitFor();
  // A reset is no routine end: it is among the failures, and no open connection is left.
  await page.locator('#failures-rows tr').filter({ hasText: 'membership changed' }).waitFor();
  await page.locator('#connections-rows tr').waitFor({ state: 'detached' });
  const spoken = page.locator('[role=status][aria-live=polite]').filter({ hasText: `−${leaves}` });
  await spoken.waitFor({ state: 'attached' });
  assert.deepEqual(trouble, []);
});

test('another list of services shows where it comes from, one that is refused shows its faults, and both are told', async (t) => {
  const attache = startAttache(t, {
    env: { SRC: '127.0.0.1:0', DST: '127.0.0.1:1', HTTP_ADDR: '127.0.0.1:0', ADMIN_ADDR: '127.0.0.1:0' },
  });
  const [http, admin] = [await httpPort(attache, 'health'), await httpPort(attache, 'admin')];
  const { page, trouble } = await openStatusPage(await startBrowser(t), http);
  const origin = page.locator('#origin');
  await page.locator('#services-rows tr').waitFor();
  assert.equal(await origin.isVisible(), false, 'they are those of the start');
  const put = async (list: unknown) =>
    (await httpAsk(admin, '/services', { method: 'PUT', body: JSON.stringify(list) })).status;

  assert.equal(await put([{ name: 'web', src: `127.0.0.1:${await freePort()}`, dst: '127.0.0.1:1' }]), 200);
  await origin.filter({ hasText: /^Services from PUT \/services, \d+s ago: \+web -default$/ }).waitFor({
    timeout: SHOWN_WITHIN_MS,
  });
  assert.equal(await page.locator('#trouble > *').filter({ hasText: 'refused' }).count(), 0);

  assert.equal(await put([{ name: 'web', src: '<b>here</b>', dst: '127.0.0.1:1' }]), 400);
  const refused = page.locator('#trouble > p').filter({ hasText: 'PUT /services: its list of services was refused:' });
  await refused.waitFor({ timeout: SHOWN_WITHIN_MS });
  assert.match(await refused.innerText(), /services\[0\]\.src: expected .*<b>here<\/b>/);
  await page
    .locator('#announcer')
    .filter({ hasText: 'A list of services was refused.' })
    .waitFor({ state: 'attached' });
  assert.deepEqual(trouble, []);
});

test('a registry that is emptied and filled again shows: no candidates and not ready, then both again', async (t) => {
  const [registry, echo] = [await RegistryDirectory.create(t), await startEcho(t)];
  const member = `127.0.0.1:${echo.port}`;
  await registry.add(member);
  const attache = startAttache(t, {
    env: {
      SRC: '127.0.0.1:0',
      SRV: SERVICE,
      DSC: pathToFileURL(registry.root).href,
      HTTP_ADDR: '127.0.0.1:0',
      READY_MIN_CANDIDATES: '1',
    },
  });
  const { page, trouble } = await openStatusPage(await startBrowser(t), await httpPort(attache, 'health'));
  const service = page.locator('#services-rows tr');
  await service.getByText('serving', { exact: true }).waitFor();
  await registry.remove(member);
  await service.getByText('not ready', { exact: true }).waitFor({ timeout: SHOWN_WITHIN_MS });
  assert.equal(await page.locator('#candidates-rows tr').count(), 0);
  await eventually(async () => (await page.title()) === 'attache: not ready', 'the title');
  await registry.add(member);
  await service.getByText('serving', { exact: true }).waitFor({ timeout: SHOWN_WITHIN_MS });
  await page.locator('#candidates-rows tr').filter({ hasText: member }).waitFor();
  assert.deepEqual(trouble, []);
});

test('candidates that are down, bytes and their rate show while connections are open', async (t) => {
  const [dead, echo] = [await freePort(), await startEcho(t)];
  const attache = startAttache(t, {
    env: {
      SRC: '127.0.0.1:0',
      DST: `127.0.0.1:${dead},127.0.0.1:${echo.port}`,
      MAX_FAILS: '1',
      HTTP_ADDR: '127.0.0.1:0',
    },
  });
  const port = await attache.port();
  const { page, trouble } = await openStatusPage(await startBrowser(t), await httpPort(attache, 'health'));
  const client = await connectTo(port);
  t.after(() => client.destroy());
  client.resume();
  const flow = setInterval(() => client.write(Buffer.alloc(50_000)), 100);
  t.after(() => clearInterval(flow));
  const ejected = page.locator('#candidates-rows tr').filter({ hasText: `127.0.0.1:${dead}` });
  await ejected.getByText('ejected', { exact: true }).waitFor();
  await ejected.getByText(/ECONNREFUSED, \d+s ago/).waitFor();
  await page
    .locator('#services-rows .rates')
    .getByText(/↑ [\d.]+ kB\/s +↓ [\d.]+ kB\/s/)
    .waitFor();
  const line = page.locator('#services-rows svg.spark path.sent');
  await eventually(async () => ((await line.getAttribute('d')) ?? '').length > 10, 'a sparkline', 20_000);
  assert.deepEqual(trouble, []);
});

test('the page says that it is cut off when attache ends, and is live again by itself when it is back on that port', async (t) => {
  const [http, echo] = [await freePort(), await startEcho(t)];
  const env = { SRC: '127.0.0.1:0', DST: `127.0.0.1:${echo.port}`, HTTP_ADDR: `127.0.0.1:${http}` };
  const first = await listening(startAttache(t, { env }));
  const { page } = await openStatusPage(await startBrowser(t), http);
  await page.evaluate('window.notLoadedAnew = true');
  const began = performance.now();
  first.child.kill('SIGTERM');
  assert.equal(await first.exited, 0);
  // An open stream does not hold up the end of the process.
  assert.ok(performance.now() - began < 5_000);
  await page.getByText('cut off, trying again', { exact: true }).waitFor();
  assert.equal(await page.locator('body.stale').count(), 1);
  const second = await listening(startAttache(t, { env: { ...env, DST: `${env.DST},127.0.0.1:1` } }));
  await page.getByText('live', { exact: true }).waitFor({ timeout: 15_000 });
  await page.locator('#candidates-rows tr').filter({ hasText: '127.0.0.1:1' }).last().waitFor();
  assert.equal(await page.locator('#candidates-rows tr:not([data-group])').count(), 2);
  assert.equal(await page.evaluate('window.notLoadedAnew'), true);
  assert.equal(second.child.exitCode, null);
});

async function listening(attache: Attache): Promise<Attache> {
  await attache.line(({ msg }) => msg === 'HTTP server listening');
  return attache;
}
