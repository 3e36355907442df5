import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type * as documentModule from '../../../../src/admin/page/document.ts';
import { projectRoot } from '../../../support/attache.ts';

const FOLDER = join(projectRoot, 'dist', 'admin', 'page');

/** As it is shipped: what it reads lies beside it. */
async function built(): Promise<{ readonly html: string; readonly csp: ReadonlyMap<string, string> }> {
  const module = (await import(pathToFileURL(join(FOLDER, 'document.js')).href)) as typeof documentModule;
  const { status, type, body, headers } = await module.statusPage();
  assert.deepEqual([status, type], [200, 'text/html; charset=utf-8']);
  assert.ok(typeof body === 'string');
  const directives = (headers?.['content-security-policy'] ?? '').split('; ').map((directive) => {
    const [name = '', ...values] = directive.split(' ');
    return [name, values.join(' ')] as const;
  });
  return { html: body, csp: new Map(directives) };
}

function only(html: string, tag: 'script' | 'style'): string {
  const found = [...html.matchAll(new RegExp(`<${tag}[^>]*>([\\s\\S]*?)</${tag}>`, 'g'))];
  assert.equal(found.length, 1, `one ${tag}`);
  return found[0]?.[1] ?? '';
}

test('the policy lets in its own script and style, by their hashes, and nothing else', async () => {
  const { html, csp } = await built();
  const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  assert.equal(csp.get('script-src'), hash(only(html, 'script')));
  assert.equal(csp.get('style-src'), hash(only(html, 'style')));
  assert.deepEqual(Object.fromEntries([...csp].filter(([name]) => name !== 'script-src' && name !== 'style-src')), {
    'default-src': "'none'",
    'img-src': 'data:',
    'connect-src': "'self'",
    'base-uri': "'none'",
    'form-action': "'none'",
    'frame-ancestors': "'none'",
    'require-trusted-types-for': "'script'",
    'trusted-types': "'none'",
  });
  assert.doesNotMatch(html, /\son[a-z]+=|\sstyle=|javascript:/i);
});

test('the script has every module of the browser, no import or export, and is one that a browser takes', async () => {
  const { html } = await built();
  const script = only(html, 'script');
  const modules = readdirSync(join(FOLDER, 'browser')).filter((name) => name.endsWith('.js'));
  assert.ok(modules.length >= 13);
  for (const name of modules) {
    const names = readFileSync(join(FOLDER, 'browser', name), 'utf8').matchAll(
      /^export (?:class|function|const) (\w+)/gm,
    );
    for (const [, exported = ''] of names) {
      assert.match(script, new RegExp(`^(?:class|function|const) ${exported}\\b`, 'm'), `${name}: ${exported}`);
    }
  }
  assert.match(script, /^follow\(\{/m);
  assert.doesNotMatch(script, /^\s*(?:import|export)\b/m);
  // Also: no name is used twice.
  const checked = spawnSync(process.execPath, ['--input-type=module', '--check', '-'], { input: script });
  assert.deepEqual([checked.status, checked.stderr.toString()], [0, '']);
});

test('nothing of it comes from elsewhere, and it is small', async () => {
  const { html } = await built();
  const outside = [...html.matchAll(/https?:\/\/[^\s'"]*|(?:src|href)="\/\/[^"]*/g)].map(([url]) => url);
  // Names of a format, never fetched.
  assert.deepEqual([...new Set(outside)], ['http://www.w3.org/2000/svg']);
  assert.doesNotMatch(html, /<(?:link(?! rel="icon")|iframe|object|embed|base)\b|@import|url\(/);
  assert.doesNotMatch(
    only(html, 'script'),
    /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/,
  );
  assert.ok(html.length < 60_000, `${html.length}`);
  assert.ok(!html.includes(projectRoot));
});
