import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { HttpAnswer } from '../http-endpoint.ts';
import { pageStyle } from './style.ts';

/**
 * The status page in one piece, with the policy that lets nothing else in: no other script or style, no request but to where
 * it came from, no frame around it, and no text that the browser would read as markup (Trusted Types).
 *
 * @throws when the files of the browser's part cannot be read
 */
export async function statusPage(): Promise<HttpAnswer> {
  const script = await pageScript();
  return {
    status: 200,
    type: 'text/html; charset=utf-8',
    body: markup(pageStyle, script),
    headers: {
      'content-security-policy': policy(pageStyle, script),
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
    },
  };
}

/** The modules of the browser's part, each after those that it imports. */
const MODULES = [
  '../amounts.js',
  './browser/elements.js',
  './browser/rows.js',
  './browser/announce.js',
  './browser/throughput.js',
  './browser/sparkline.js',
  './browser/cells.js',
  './browser/tables.js',
  './browser/news.js',
  './browser/filter.js',
  './browser/story-text.js',
  './browser/story-dialog.js',
  './browser/troubles.js',
  './browser/trouble-strip.js',
  './browser/follow.js',
  './browser/main.js',
] as const;

/** One script of all modules: they share one scope, so their names are different, and imports are not needed any more. */
async function pageScript(): Promise<string> {
  const texts = await Promise.all(MODULES.map((name) => readFile(new URL(name, import.meta.url), 'utf8')));
  return `\n${texts.map((text) => text.replace(IMPORT, '').replace(EXPORT, '')).join('')}`;
}

const IMPORT = /^import [^;]*;\n/gm;
const EXPORT = /^export (?:\{\};\n)?/gm;

function policy(style: string, script: string): string {
  return [
    "default-src 'none'",
    `script-src '${hash(script)}'`,
    `style-src '${hash(style)}'`,
    'img-src data:',
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
}

function hash(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

const ICON =
  "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><path d='M2 8h5m2 0h5' stroke='%23647d94' stroke-width='2'/><circle cx='8' cy='8' r='3' fill='%232b7a4b'/></svg>";

function markup(style: string, script: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>attache</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:image/svg+xml,${ICON.replaceAll('"', "'")}">
<style>${style}</style>
</head>
<body>
<a class="skip" href="#services">Skip to services</a>
<header>
<h1>attache <span id="version" class="quiet"></span></h1>
<p id="summary" class="facts"></p>
<p id="link" class="state" data-tone="quiet">connecting</p>
<form role="search" id="search">
<label for="filter">Filter</label>
<input id="filter" type="search" autocomplete="off" spellcheck="false" maxlength="100" aria-describedby="filter-hint" aria-keyshortcuts="/">
<span id="filter-hint" class="quiet">press <kbd>/</kbd></span>
</form>
</header>
<main>
<div id="trouble"></div>
<p id="origin" class="quiet" hidden></p>
<noscript><p>This page needs JavaScript. <a href="status">/status</a> and <a href="connections">/connections</a> say the same as JSON.</p></noscript>
${section('services', 'Services', ['Service', 'State', 'Listens on', 'Open', 'Ever', 'Sent', 'Received', 'Last 3 minutes', 'Discovery'])}
${section('candidates', 'Candidates', ['Candidate', 'State', 'Open', 'Last error'])}
${section('changes', 'Membership changes', ['When', 'Service', 'What', 'Effect'])}
${section('failures', 'Failures', ['Connection', 'When', 'Service', 'Client', 'Candidate', 'Why', 'Ended by'])}
${section('connections', 'Open connections', ['Connection', 'Service', 'Client', 'Candidate', 'Phase', 'Age', 'Sent', 'Received', 'TLS peer'])}
</main>
<footer class="quiet">Times are those of attache. Sent: to candidates; received: from them. More in <a href="status">/status</a>, <a href="connections">/connections</a> and <a href="metrics">/metrics</a>.</footer>
<p id="announcer" class="unseen" role="status" aria-live="polite"></p>
<dialog id="story" aria-labelledby="story-title">
<h2 id="story-title" tabindex="-1">Connection</h2>
<div id="story-body"></div>
<form method="dialog"><button>Close</button></form>
</dialog>
<script type="module">${script}</script>
</body>
</html>
`;
}

/** Roles are spelled out because a phone's layout takes them from the elements. */
function section(id: string, title: string, columns: readonly string[]): string {
  const heads = columns.map((column) => `<th scope="col" role="columnheader">${column}</th>`).join('');
  return `<section aria-labelledby="${id}">
<h2 id="${id}" tabindex="-1">${title}</h2>
<table role="table" aria-labelledby="${id}" aria-describedby="${id}-count">
<caption id="${id}-count" class="quiet">nothing yet</caption>
<thead role="rowgroup"><tr role="row">${heads}</tr></thead>
<tbody role="rowgroup" id="${id}-rows"></tbody>
</table>
</section>`;
}
