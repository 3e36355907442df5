import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import type { Scope } from './scope.ts';

/** What nothing of a test needs, and what a sandbox of its own would forbid to root and in containers. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const TIMEOUT_MS = 20_000;

/**
 * A real Chromium with a profile of its own, both gone with the test. `CHROMIUM` names another than the one in PATH.
 *
 * @throws when there is none: a test that cannot look must not pass
 */
export async function startBrowser(t: Scope): Promise<Browser> {
  const browser = await chromium.launch({ executablePath: findChromium(), args: FLAGS, timeout: 60_000 });
  t.after(() => browser.close());
  return browser;
}

/** A page that is looked at, and what it complained of. */
export interface LookedAt {
  readonly page: Page;
  /** Errors of scripts and of the policy, dialogs, and whatever else was written to the console. Is to stay empty. */
  readonly trouble: readonly string[];
}

export async function openStatusPage(
  browser: Browser,
  url: string | number,
  options: BrowserContextOptions = {},
): Promise<LookedAt> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    reducedMotion: 'reduce',
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(TIMEOUT_MS);
  const trouble: string[] = [];
  page.on('console', (message) => trouble.push(message.text()));
  page.on('pageerror', (error) => trouble.push(String(error)));
  page.on('requestfailed', (request) => trouble.push(`failed: ${request.url()}`));
  page.on('dialog', (dialog) => {
    trouble.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.goto(typeof url === 'number' ? `http://127.0.0.1:${url}/` : url);
  await page.getByText('live', { exact: true }).waitFor();
  return { page, trouble };
}

function findChromium(): string {
  const name = process.env['CHROMIUM'] ?? 'chromium';
  const paths = name.includes('/') ? [name] : (process.env['PATH'] ?? '').split(delimiter).map((at) => join(at, name));
  const found = paths.find(isProgram);
  if (found !== undefined) return found;
  throw new Error(`${name} is not on this machine: apt-get install chromium, or name another in the variable CHROMIUM`);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
