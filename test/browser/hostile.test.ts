import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { startAttache } from '../support/attache.ts';
import { openStatusPage, startBrowser } from '../support/browser.ts';
import { createAuthority } from '../support/certificates.ts';
import { httpPort } from '../support/http.ts';
import { RegistryDirectory, SERVICE } from '../support/registry-directory.ts';
import { startEcho } from '../support/tcp.ts';
import { connectTls, pemOf } from '../support/tls-service.ts';

/** What would show that markup was made of text: any element of these, or the script's effect. */
const MARKUP =
  'document.querySelectorAll("img, b, iframe, main script, dialog script").length + Number("pwned" in window)';

test('a hostile key in the registry and a hostile name of a peer stay text, wherever they show', async (t) => {
  const [registry, echo, authority] = [await RegistryDirectory.create(t), await startEcho(t), await createAuthority(t)];
  const key = '<img src=x onerror=pwned=1>"\'&lt;b>\u202e';
  await registry.add(key);
  await registry.add(`127.0.0.1:${echo.port}`);
  const peer = '<img src=x onerror=pwned=2><script>pwned=3<\\/script>';
  const identity = await authority.issue('web', [], { subject: `/CN=${peer}` });
  const server = await authority.issue('server', ['DNS:localhost']);
  const attache = startAttache(t, {
    env: {
      SRC: '127.0.0.1:0',
      SRV: SERVICE,
      DSC: pathToFileURL(registry.root).href,
      HTTP_ADDR: '127.0.0.1:0',
      TLS_MODE: 'server',
      TLS_CACERT: authority.caPath,
      TLS_CERT: server.chainPath,
      TLS_KEY: server.keyPath,
    },
  });
  const [port, http] = [await attache.port(), await httpPort(attache, 'health')];
  const { page, trouble } = await openStatusPage(await startBrowser(t), http);

  const ignored = page
    .locator('#changes-rows tr')
    .filter({ hasText: 'ignored <img src=x onerror=pwned=1>"\'&lt;b>\\u202e' });
  await ignored.waitFor();

  const shown = peer.replace('\\/', '/');
  const client = await connectTls(port, pemOf({ caPath: authority.caPath, identity }));
  t.after(() => client.destroy());
  client.write('x');
  await once(client, 'data');
  const row = page.locator('#connections-rows tr');
  await row.getByText(shown, { exact: true }).waitFor();
  await row.getByRole('link').click();
  const story = page.getByRole('dialog');
  await story.locator('dd').getByText(shown).waitFor();
  assert.ok((await story.locator('p').first().innerText()).includes(shown));
  await page.keyboard.press('Escape');

  // Into the live region, too, and through what the user types and the address names.
  await page.locator('#filter').fill('<img src=x onerror=pwned=4>');
  await page.locator('[role=status]').filter({ hasText: 'Filtered:' }).waitFor({ state: 'attached' });
  await page.evaluate('location.hash = "#connection/<img src=x onerror=pwned=5>"');
  assert.equal(await page.evaluate(MARKUP), 0);
  assert.deepEqual(trouble, []);
});

test('the page refuses every script, style, picture and markup that is not its own', async (t) => {
  const echo = await startEcho(t);
  const env = { SRC: '127.0.0.1:0', DST: `127.0.0.1:${echo.port}`, HTTP_ADDR: '127.0.0.1:0' };
  const http = await httpPort(startAttache(t, { env }), 'health');
  const { page, trouble } = await openStatusPage(await startBrowser(t), http);
  assert.deepEqual(trouble, []);
  const attempt = (code: string) => page.evaluate(`{ try { ${code}; 'done' } catch (error) { error.name } }`);
  assert.equal(await attempt('document.body.innerHTML = "<b>x</b>"'), 'TypeError');
  assert.equal(await attempt('document.createElement("script").text = "pwned = 6"'), 'TypeError');
  await attempt(
    'document.head.append(Object.assign(document.createElement("style"), { textContent: "*{color:red}" }))',
  );
  await attempt('document.body.append(Object.assign(new Image(), { src: "/healthz" }))');
  await page.waitForFunction('true');
  await page.locator('body > img').evaluate('(img) => img.decode().catch(() => undefined)');
  assert.notEqual(await page.evaluate('getComputedStyle(document.body).color'), 'rgb(255, 0, 0)');
  assert.equal(await page.evaluate('"pwned" in window || document.querySelector("b") !== null'), false);
  const refused = trouble.join('\n');
  for (const directive of ['style-src', 'img-src', 'TrustedHTML', 'TrustedScript']) {
    assert.ok(refused.includes(directive), `${directive} in: ${refused}`);
  }
});
