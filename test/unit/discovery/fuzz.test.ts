import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatAddress, parseAddress } from '../../../src/core/address.ts';
import { dialPolicy } from '../../../src/core/dial-policy.ts';
import { readDetails } from '../../../src/core/endpoint.ts';
import { readListing } from '../../../src/discovery/directory/listing.ts';
import { MemberReader } from '../../../src/discovery/members.ts';

const port = fc.oneof(fc.integer({ min: -1, max: 70_000 }).map(String), fc.constantFrom('', '00', '+1', '1e3', '0x1'));
const host = fc.oneof(
  fc.ipV4(),
  fc.ipV6().map((ip) => `[${ip}]`),
  fc.domain(),
  fc.constantFrom(
    '',
    '[',
    '[]',
    '[::1',
    '::1',
    '169.254.1.1',
    '[fe80::1]',
    '[fe80::1%lo]',
    'a..b',
    '-a',
    'a b',
    '0177.1',
  ),
  fc.string({ unit: 'binary', maxLength: 12 }),
);
const name = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(host, port).map((parts) => parts.join(':')) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('', '/', 'a:1/', 'a:1\n', '\na:1', 'a:1\0', 'unix:/a', 'x'.repeat(5_000) + ':1'),
  },
);

test('a discovered address is read to one that can be written and read again, with a port that can be dialed', () => {
  let read = 0;
  fc.assert(
    fc.property(name, (text) => {
      const parsed = parseAddress(text, 'discovered');
      if (!parsed.ok) {
        assert.ok(parsed.reason.length > 0);
        return;
      }
      read += 1;
      const { address } = parsed;
      assert.ok(address.kind === 'tcp', 'a registry names no file');
      assert.ok(Number.isInteger(address.port) && address.port >= 1 && address.port <= 65_535);
      assert.match(address.host, /^[\w.:-]+$/);
      const again = parseAddress(formatAddress(address), 'discovered');
      assert.deepEqual(again.ok && again.address, address);
    }),
    { numRuns: 3_000 },
  );
  assert.ok(read > 100, `${read} were addresses, or the property says little`);
});

test('whatever a registry holds: the set has no duplicate, is the same in any order, and each other name is reported once', () => {
  fc.assert(
    fc.property(fc.uniqueArray(name, { maxLength: 12 }), (names) => {
      const ignored: string[] = [];
      const reader = new MemberReader(dialPolicy([]), (key) => ignored.push(key));
      const members = names.map((text) => [text, readDetails('')] as const);
      const set = reader.read(members).map(({ key }) => key);
      assert.equal(new Set(set).size, set.length);
      assert.deepEqual(
        reader.read([...members].reverse()).map(({ key }) => key),
        set,
      );
      assert.equal(new Set(ignored).size, ignored.length, 'told twice');
      const unusable = new Set(names).size - ignored.length;
      assert.ok(unusable >= set.length);
      for (const member of set) assert.doesNotMatch(member, /^(169\.254\.|\[fe[89ab][0-9a-f]:)/);
    }),
    { numRuns: 1_500 },
  );
});

type Entry = 'file' | 'folder' | 'dangling' | 'loop' | 'link' | 'locked';
const fileName = fc
  .oneof(name, fc.string({ unit: 'binary', maxLength: 60 }))
  .filter((text) => /^[^/\0]+$/.test(text) && !text.startsWith('.') && Buffer.byteLength(text) <= 255)
  .map((text) => Buffer.from(text).toString());
const entry = fc.constantFrom<Entry>('file', 'folder', 'dangling', 'loop', 'link', 'locked');

test('whatever lies in a registry directory, a listing names files and links to files, marks folders, and never rejects', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'attache-fuzz-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  const target = join(root, 'target');
  await writeFile(target, '');
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.dictionary(fileName, entry, { maxKeys: 8 }), async (entries) => {
      const directory = join(root, `d${(run += 1)}`);
      await mkdir(directory);
      const expected: string[] = [];
      for (const [file, kind] of Object.entries(entries)) {
        const path = join(directory, file);
        if (kind === 'file' || kind === 'locked') await writeFile(path, '');
        if (kind === 'locked') await chmod(path, 0);
        if (kind === 'folder') await mkdir(path);
        if (kind === 'dangling') await symlink(join(root, 'nowhere'), path);
        if (kind === 'loop') await symlink(file, path);
        if (kind === 'link') await symlink(target, path);
        if (kind === 'folder') expected.push(`${file}/`);
        else if (kind !== 'dangling' && kind !== 'loop') expected.push(file);
      }
      const listing = await readListing(root, directory);
      assert.ok(listing.kind !== 'failed', JSON.stringify(listing));
      assert.deepEqual([...listing.names].sort(), expected.sort());
      const gaps = Object.values(entries).some((kind) => kind === 'dangling' || kind === 'loop');
      assert.equal(listing.kind, gaps ? 'gaps' : 'read');
    }),
    { numRuns: 150 },
  );
});
