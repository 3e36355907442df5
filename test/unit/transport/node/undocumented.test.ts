import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { document } from '../../../support/documents.ts';

/** Names that Node has and does not document; each stands in one file, and on one page. */
const UNDOCUMENTED = [
  /(?<!_\w+)\._[a-z]\w*|'_[a-z]\w*'/, // ._handle, ._read, '_tlsError'
  /'secure'/,
  /\bverifyError\b/,
  /\breadStop\b/,
  /\bonconnection\b/,
  /\bwriteBuffer\b/,
  /\bwritableHighWaterMark: /,
];
const ONE_FILE = 'src/transport/node/internals.ts';

const found = (file: string) => UNDOCUMENTED.filter((name) => name.test(codeOf(file)));

test('what Node does not document is reached by one file', () => {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.startsWith('admin/page/browser/'))
    .map((file) => join('src', file));
  assert.ok(files.length > 200, `${files.length} files`);
  assert.deepEqual(
    files.filter((file) => file !== ONE_FILE && found(file).length > 0),
    [],
  );
  assert.ok(found(ONE_FILE).length >= 3, 'they are known here');
});

test('each of its parts has a row on the page of versions', () => {
  const { text } = document('docs/node-versions.md');
  const exported = [...readFileSync(ONE_FILE, 'utf8').matchAll(/^export function (\w+)/gm)].map(([, name]) => name);
  assert.deepEqual(Object.keys(ROWS).sort(), [...exported].sort());
  for (const [name, row] of Object.entries(ROWS)) assert.ok(text.includes(`| ${row}`), `${name}: no row begins ${row}`);
});

const ROWS: Readonly<Record<string, string>> = {
  stopHandle: '`readStop` of a handle',
  readHandleAgain: '`readStop` of a handle',
  streamOptions: '`highWaterMark` of a socket',
  tlsStreamOptions: '`highWaterMark` of a socket',
  onServerHandshake: 'events `secure` and `_tlsError`',
  chainFaultOf: '`ssl.verifyError`',
  serverNameOf: '`servername`',
  hearPush: 'a `TLSSocket` calls its own `push`',
  pushOn: 'a `TLSSocket` calls its own `push`',
  hearDestroy: 'a `TLSSocket` calls its own `destroy`',
};

/** Without what is only said about it. */
function codeOf(file: string): string {
  return readFileSync(file, 'utf8')
    .replaceAll(/\/\*[\s\S]*?\*\//g, '')
    .replaceAll(/^\s*\/\/.*$/gm, '');
}
