import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../../support/attache.ts';
import { document } from '../../support/documents.ts';

interface Rules {
  readonly forbidden: readonly { readonly name: string; readonly comment?: string }[];
}

const SUFFIX = '-imports-what-the-page-says';
const rules = createRequire(import.meta.url)(join(projectRoot, '.dependency-cruiser.cjs')) as Rules;
const [, table = ''] = /\n## Rooms\n(.*?)\n## /s.exec(document('ARCHITECTURE.md').text) ?? [];
const rows = [...table.matchAll(/^\| `(\w+)` *\|[^|]*\|([^|]*)\|$/gm)].map(([, room = '', cell = '']) => ({
  room,
  mayImport: [...cell.matchAll(/`([^`]+)`/g)].map(([, target = '']) => target),
}));

test('the table of rooms says of each what the check of the arrows lets it import', () => {
  const checked = rules.forbidden
    .filter(({ name }) => name.endsWith(SUFFIX))
    .map(({ name, comment = '' }) => ({
      room: name.slice(0, -SUFFIX.length),
      mayImport: comment.split(' may import itself')[1]?.split(', ').filter(Boolean) ?? [],
    }));
  assert.ok(checked.length > 10);
  const byRoom = (all: typeof rows) =>
    Object.fromEntries(all.map(({ room, mayImport }) => [room, mayImport.toSorted()]));
  assert.deepEqual(byRoom(rows), byRoom(checked));
});

test('every folder of src is a room of the table, and every room is a folder', () => {
  const folders = readdirSync(join(projectRoot, 'src'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
  assert.deepEqual(rows.map(({ room }) => room).toSorted(), folders.toSorted());
});

const page = document('ARCHITECTURE.md').text;
const tops = ['bench', 'docs', 'native', 'scripts', 'src', 'test'];
const inCode = [...page.matchAll(/`([^`\n]+)`/g)].map(([, text = '']) => text);
const rooms = new Set([...tops, ...rows.map(({ room }) => room)]);
const isPath = (text: string): boolean => /^[a-z][\w./-]*$/.test(text) && /\/|\.(?:ts|c|h|json|md)$/.test(text);

test('every file and folder that the page names is there, and means one thing', () => {
  const paths = tops.flatMap((top) => [top, ...entriesOf(top)]);
  const named = inCode.filter((text) => isPath(text));
  assert.ok(named.length > 40);
  for (const text of named) {
    const path = text.replace(/\/$/, '');
    const found = paths.some((one) => one === path || one === `src/${path}`)
      ? [path]
      : paths.filter((one) => one.startsWith('src/') && one.endsWith(`/${path}`));
    assert.equal(found.length, 1, `${text}: ${found.join(', ') || 'no such file'}`);
  }
});

test('every name in code font that could be one of ours is in the sources', () => {
  const sources = ['src', 'native', 'test/conformance'].flatMap(entriesOf).filter((path) => /\.(?:ts|c|h)$/.test(path));
  const words = new Set(
    sources.flatMap((path) => readFileSync(join(projectRoot, path), 'utf8').match(/[\w-]+/g) ?? []),
  );
  const names = inCode.filter(
    (text) => !isPath(text) && /^[\w#.-]+(?:\(\))?$/.test(text) && !OTHERS.has(text) && !rooms.has(text),
  );
  assert.ok(names.length > 60);
  for (const name of names)
    for (const part of name.replace('()', '').split('.')) assert.ok(words.has(part), `${name}: not in the sources`);
});

test('every room of the drawing has the files that stand beside it', () => {
  const drawn = [...page.matchAll(/^ {4}[ |+-]*?([a-z]+) {1,}([a-z][\w-]*(?:, [a-z][\w-]*){2,})/gm)];
  assert.deepEqual(
    drawn.map(([, room]) => room),
    ['app', 'admin', 'proxy', 'balancing', 'node', 'native', 'discovery', 'etcd', 'config'],
  );
  const folders = entriesOf('src');
  for (const [, room = '', list = ''] of drawn) {
    const files = folders.filter((path) => new RegExp(`^src/(?:transport/)?${room}/`).test(path));
    for (const name of list.split(', '))
      assert.ok(
        files.some((path) => path.endsWith(`/${name}`) || path.endsWith(`/${name}.ts`)),
        `${room}: ${name}`,
      );
  }
});

test('the files that the page names for something new are those that know what is there', () => {
  const [, table = ''] = /\n\| to add (.*?)\n\n/s.exec(page) ?? [];
  const sources = entriesOf('src').filter((path) => path.endsWith('.ts') && path !== 'src/config/option-types.ts');
  const knowing = (pattern: RegExp, outside: string) =>
    sources
      .filter((path) => !path.startsWith(outside))
      .filter((path) =>
        pattern.test(readFileSync(join(projectRoot, path), 'utf8').replace(/^\s*(?:\/\*\*|\*|\/\/).*$/gm, '')),
      )
      .map((path) => path.slice('src/'.length));
  const said = (what: string) => {
    const [, cell = ''] = new RegExp(`^\\| ${what} *\\|(.*)\\|$`, 'm').exec(`\n| to add ${table}`) ?? [];
    return [...cell.matchAll(/`([^`]+\.ts)`/g)].map(([, path = '']) => path).toSorted();
  };
  assert.deepEqual(knowing(/'least-connections'/, 'src/none/').toSorted(), said('a balancing policy'));
  assert.deepEqual(knowing(/\.\/native\//, 'src/transport/native/').toSorted(), said('an engine'));
  assert.deepEqual(
    knowing(/\/dns\/|\bDnsBackend\b/, 'src/discovery/dns/').toSorted(),
    said('a registry').filter((path) => !path.startsWith('config/')),
  );
  assert.deepEqual(knowing(/'postgres'/, 'src/none/').toSorted(), said('a health check'));
  // What else knows a command is its own row.
  assert.deepEqual([...knowing(/'undrain'/, 'src/none/'), 'config/commands.ts'].toSorted(), said('a command'));
  const registrar = said('a registrar');
  assert.deepEqual(
    knowing(/kind [!=]== 'etcd'/, 'src/discovery/').filter((path) => /regist(?:er|rar|rations)/.test(path)),
    registrar,
  );
});

/** Names in code font that are not ours: of Node, of libraries, of the shell. */
const OTHERS = new Set(['getaddrinfo', 'etcd3', 'prom-client', 'drain', 'end', 'readable', 'console']);

function entriesOf(folder: string): readonly string[] {
  return readdirSync(join(projectRoot, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => !path.includes('node_modules'))
    .map((path) => `${folder}/${path}`);
}
