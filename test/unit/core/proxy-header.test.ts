import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { crc32c } from '../../../src/core/crc32c.ts';
import { readProxyHeader, V2_MAX_BYTES, type ProxyHeaderRead } from '../../../src/core/read-proxy-header.ts';
import { writeProxyHeader } from '../../../src/core/write-proxy-header.ts';

const SIGNATURE = '0d0a0d0a000d0a515549540a';
const V4 = { source: { ip: '192.0.2.1', port: 65_535 }, destination: { ip: '198.51.100.9', port: 1 } };
const V6 = { source: { ip: '2001:db8::1', port: 41_002 }, destination: { ip: '::1', port: 443 } };

/** A header of version 2: command and family as hexadecimal, the rest as it is. */
function v2(commandAndFamily: string, block: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(block.length);
  return Buffer.concat([Buffer.from(SIGNATURE + commandAndFamily, 'hex'), length, block]);
}

function entry(type: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type, value.length >>> 8, value.length & 0xff]), value]);
}

const tcp4Block = Buffer.from('c0000201c6336409ffff0001', 'hex');
const unixBlock = Buffer.alloc(216, 'a');

function line(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

function ends(bytes: Buffer): unknown {
  const read = readProxyHeader(bytes);
  return read.status === 'complete' && read.bytes === bytes.length ? (read.ends ?? 'own') : read;
}

function fault(bytes: Buffer): string {
  const read = readProxyHeader(bytes);
  return read.status === 'wrong' ? read.fault : read.status;
}

test('a line of version 1 names both ends', () => {
  assert.deepEqual(ends(line('PROXY TCP4 192.0.2.1 198.51.100.9 65535 1\r\n')), V4);
  assert.deepEqual(ends(line('PROXY TCP6 2001:DB8:0:0::0001 ::1 41002 443\r\n')), V6);
  assert.deepEqual(ends(line('PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n')), {
    source: { ip: '0.0.0.0', port: 0 },
    destination: { ip: '0.0.0.0', port: 0 },
  });
});

test('IPv4 mapped into IPv6 is IPv4', () => {
  assert.deepEqual(ends(line('PROXY TCP6 ::ffff:192.0.2.1 ::FFFF:c633:6409 65535 1\r\n')), V4);
});

test('UNKNOWN names nobody, whatever follows it on the line', () => {
  const longest = `PROXY UNKNOWN ${'x'.repeat(107 - 16)}\r\n`;
  for (const text of ['PROXY UNKNOWN\r\n', 'PROXY UNKNOWN \r\n', 'PROXY UNKNOWN a\0b\r c\r\n', longest]) {
    assert.equal(ends(line(text)), 'own', JSON.stringify(text));
  }
});

const malformedLines = [
  'PROXY TCP4 192.0.2.1 198.51.100.9 65535\r\n',
  'PROXY TCP4 192.0.2.1 198.51.100.9 65535 1 \r\n',
  'PROXY TCP4 192.0.2.1 198.51.100.9 65535 1 2\r\n',
  'PROXY TCP4  192.0.2.1 198.51.100.9 65535 1\r\n',
  'PROXY TCP4\t192.0.2.1 198.51.100.9 65535 1\r\n',
  'PROXY TCP4 192.0.2.1 198.51.100.9 65536 1\r\n',
  'PROXY TCP4 192.0.2.1 198.51.100.9 99999 1\r\n',
  'PROXY TCP4 192.0.2.1 198.51.100.9 065 1\r\n',
  'PROXY TCP4 192.0.2.1 198.51.100.9 -1 1\r\n',
  'PROXY TCP4 192.0.2.1 198.51.100.9 +1 1\r\n',
  'PROXY TCP4 192.0.2.1 198.51.100.9 1e3 1\r\n',
  'PROXY TCP4 192.0.2.1 198.51.100.9 0x1 1\r\n',
  'PROXY TCP4 192.0.2.01 198.51.100.9 1 1\r\n',
  'PROXY TCP4 192.0.2 198.51.100.9 1 1\r\n',
  'PROXY TCP4 192.0.2.256 198.51.100.9 1 1\r\n',
  'PROXY TCP4 2001:db8::1 ::1 1 1\r\n',
  'PROXY TCP4 192.0.2.1 ::1 1 1\r\n',
  'PROXY TCP6 192.0.2.1 ::1 1 1\r\n',
  'PROXY TCP6 ::1 192.0.2.1 1 1\r\n',
  'PROXY TCP6 fe80::1%lo ::1 1 1\r\n',
  'PROXY TCP6 [::1] ::1 1 1\r\n',
  'PROXY TCP6 1::2::3 ::1 1 1\r\n',
  'PROXY TCP6 localhost ::1 1 1\r\n',
  'PROXY UDP4 192.0.2.1 198.51.100.9 1 1\r\n',
  'PROXY tcp4 192.0.2.1 198.51.100.9 1 1\r\n',
  'PROXY UNKNOWNS\r\n',
  'PROXY UNKNOWN\n',
  'PROXY UNKNOWN a\nb\r\n',
  'PROXY \r\n',
  'PROXY \n',
  'PROXY TCP4 192.0.2.1 198.51.100.9 1 1\n\r\n',
  'PROXY TCP4 192.0.2.1 198.51.100.9 1\r 1\r\n',
  'PROXY TCP4 192.0.2.1 198.51.100.9 1 1\0\r\n',
  'PROXY TCP4 192.0.2.1\0 198.51.100.9 1 1\r\n',
  'PROXY TCP4 \u0661.0.2.1 198.51.100.9 1 1\r\n',
];

test('a line of version 1 that breaks the rules is refused', () => {
  for (const text of malformedLines) assert.equal(fault(line(text)), 'MALFORMED', JSON.stringify(text));
});

test('a line of more than 107 bytes is refused as soon as it cannot end in time', () => {
  const text = `PROXY UNKNOWN ${'x'.repeat(200)}`;
  assert.equal(fault(line(text.slice(0, 106))), 'incomplete');
  assert.equal(fault(line(text.slice(0, 107))), 'TOO_LONG');
  assert.equal(fault(line(`${text.slice(0, 106)}\r\n`)), 'TOO_LONG');
  assert.equal(fault(line(`${text.slice(0, 105)}\r\n`)), 'complete');
});

test('bytes that begin no header are refused with the first that shows it', () => {
  for (const text of ['G', 'PROXX', 'p', 'PROXY\t', '\n', '\r\n\r\n\r', '\r\n\r\n\0\r\nQUIT\r', '\x16']) {
    assert.equal(fault(line(text)), 'NO_HEADER', JSON.stringify(text));
    if (text.length > 1) assert.equal(fault(line(text.slice(0, -1))), 'incomplete', JSON.stringify(text));
  }
});

test('a header of version 2 names both ends', () => {
  assert.deepEqual(ends(v2('2111', tcp4Block)), V4);
  const mapped = `${'00'.repeat(10)}ffffc0000201${'00'.repeat(10)}ffffc6336409ffff0001`;
  assert.deepEqual(ends(v2('2121', Buffer.from(mapped, 'hex'))), V4);
  const six = `20010db8${'00'.repeat(11)}01${'00'.repeat(15)}01a02a01bb`;
  assert.deepEqual(ends(v2('2121', Buffer.from(six, 'hex'))), V6);
});

test('LOCAL names nobody, and nothing in it is looked at', () => {
  for (const block of [Buffer.alloc(0), Buffer.from('ff'), tcp4Block]) {
    for (const family of ['00', '11', 'ff']) assert.equal(ends(v2(`20${family}`, block)), 'own');
  }
});

test('families and protocols that are not TCP name nobody', () => {
  assert.equal(ends(v2('2100', Buffer.alloc(0))), 'own');
  assert.equal(ends(v2('2110', tcp4Block)), 'own');
  assert.equal(ends(v2('2112', tcp4Block)), 'own');
  assert.equal(ends(v2('2131', unixBlock)), 'own');
  assert.equal(ends(v2('2132', unixBlock)), 'own');
});

test('a header of version 2 that breaks the rules is refused', () => {
  const cases: readonly (readonly [string, Buffer])[] = [
    ['1111', tcp4Block],
    ['3111', tcp4Block],
    ['2211', tcp4Block],
    ['2f11', tcp4Block],
    ['2141', unixBlock],
    ['2113', tcp4Block],
    ['211f', tcp4Block],
    ['2111', tcp4Block.subarray(1)],
    ['2121', tcp4Block],
    ['2131', tcp4Block],
    ['2111', Buffer.concat([tcp4Block, Buffer.from('20')])],
    ['2111', Buffer.concat([tcp4Block, Buffer.from('2000')])],
    ['2111', Buffer.concat([tcp4Block, Buffer.from('200001')])],
    ['2111', Buffer.concat([tcp4Block, entry(3, Buffer.alloc(3))])],
    ['2100', Buffer.from('ff')],
  ];
  for (const [start, block] of cases) assert.equal(fault(v2(start, block)), 'MALFORMED', start);
});

test('entries of unknown types are passed over', () => {
  const entries = [entry(0xee, Buffer.alloc(300)), entry(0x04, Buffer.alloc(0)), entry(0x20, Buffer.from('00'))];
  assert.deepEqual(ends(v2('2111', Buffer.concat([tcp4Block, ...entries]))), V4);
});

test('a header of version 2 of more than 4096 bytes is refused as soon as its length is there', () => {
  const room = V2_MAX_BYTES - 16 - tcp4Block.length - 3;
  const longest = v2('2111', Buffer.concat([tcp4Block, entry(0xee, Buffer.alloc(room))]));
  assert.equal(longest.length, 4_096);
  assert.deepEqual(ends(longest), V4);
  const longer = v2('2111', Buffer.concat([tcp4Block, entry(0xee, Buffer.alloc(room + 1))]));
  assert.equal(fault(longer.subarray(0, 16)), 'TOO_LONG');
  assert.equal(fault(Buffer.from(`${SIGNATURE}2000ffff`, 'hex')), 'TOO_LONG');
});

test('the check value of CRC32c is the published one', () => {
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
  assert.equal(crc32c(Buffer.alloc(32)), 0x8a9136aa);
});

test('a checksum is verified wherever it stands, and two are refused', () => {
  const tail = entry(0x02, Buffer.from('example.org'));
  const blank = v2('2111', Buffer.concat([tcp4Block, entry(0x03, Buffer.alloc(4)), tail]));
  const good = Buffer.from(blank);
  good.writeUInt32BE(crc32c(blank), 16 + 12 + 3);
  assert.deepEqual(ends(good), V4);
  for (let at = 16; at < good.length; at += 1) {
    const spoilt = Buffer.from(good);
    spoilt[at] = (spoilt[at] ?? 0) ^ 0x01;
    // A changed type or length of an entry may be another fault, or turn the checksum into an entry of another type.
    const isOfEntry = (at >= 28 && at < 31) || (at >= 35 && at < 38);
    if (!isOfEntry) assert.equal(fault(spoilt), 'BAD_CHECKSUM', `byte ${at}`);
  }
  const two = v2('2111', Buffer.concat([tcp4Block, entry(0x03, Buffer.alloc(4)), entry(0x03, Buffer.alloc(4))]));
  assert.equal(fault(two), 'MALFORMED');
});

test('the texts of both versions are those of the specification', () => {
  const text = (header: Parameters<typeof writeProxyHeader>[0]) => writeProxyHeader(header).toString('latin1');
  assert.equal(text({ version: 'v1', ends: V4 }), 'PROXY TCP4 192.0.2.1 198.51.100.9 65535 1\r\n');
  assert.equal(text({ version: 'v1', ends: V6 }), 'PROXY TCP6 2001:db8::1 ::1 41002 443\r\n');
  assert.equal(text({ version: 'v1', ends: undefined }), 'PROXY UNKNOWN\r\n');
  const mixed = { source: V4.source, destination: V6.destination };
  assert.equal(text({ version: 'v1', ends: mixed }), 'PROXY TCP6 ::ffff:192.0.2.1 ::1 65535 443\r\n');
  assert.deepEqual(writeProxyHeader({ version: 'v2', ends: V4 }), v2('2111', tcp4Block));
  assert.deepEqual(writeProxyHeader({ version: 'v2', ends: undefined }), v2('2000', Buffer.alloc(0)));
  const mixedHex = `${'00'.repeat(10)}ffffc0000201${'00'.repeat(15)}01ffff01bb`;
  assert.deepEqual(writeProxyHeader({ version: 'v2', ends: mixed }), v2('2121', Buffer.from(mixedHex, 'hex')));
});

test("version 2 tells of the client's TLS", () => {
  const tls = {
    version: 'TLSv1.3',
    certified: true,
    resumed: false,
    commonName: 'café',
    serverName: 'db.internal',
    protocol: 'h2',
  };
  const written = (more: object) =>
    writeProxyHeader({ version: 'v2', ends: V4, tls: { ...tls, ...more } }).subarray(28);
  const names = (commonName: string) =>
    Buffer.concat([entry(0x21, Buffer.from('TLSv1.3')), entry(0x22, Buffer.from(commonName))]);
  const ssl = (client: string, rest: Buffer) => entry(0x20, Buffer.concat([Buffer.from(client, 'hex'), rest]));
  const head = Buffer.concat([entry(0x01, Buffer.from('h2')), entry(0x02, Buffer.from('db.internal'))]);
  assert.deepEqual(written({}), Buffer.concat([head, ssl('0700000000', names('café'))]));
  assert.deepEqual(written({ resumed: true }), Buffer.concat([head, ssl('0500000000', names('café'))]));
  const bare = { certified: false, commonName: undefined, serverName: undefined, protocol: undefined };
  assert.deepEqual(written(bare), ssl('0100000001', entry(0x21, Buffer.from('TLSv1.3'))));
  const long = { ...bare, serverName: 's'.repeat(256), commonName: 'c'.repeat(70_000) };
  assert.deepEqual(written(long), ssl('0100000001', entry(0x21, Buffer.from('TLSv1.3'))));
  assert.deepEqual(ends(writeProxyHeader({ version: 'v2', ends: V4, tls })), V4);
});

const port = fc.integer({ min: 0, max: 65_535 });
const endsOf = (ip: fc.Arbitrary<string>) =>
  fc.record({ source: fc.record({ ip, port }), destination: fc.record({ ip, port }) });
const header = fc
  .record({
    version: fc.constantFrom('v1' as const, 'v2' as const),
    ends: fc.oneof(endsOf(fc.ipV4()), endsOf(fc.ipV6()), fc.constant(undefined)),
    tls: fc.option(
      fc.record({
        version: fc.constantFrom('TLSv1.2', 'TLSv1.3'),
        certified: fc.boolean(),
        resumed: fc.boolean(),
        commonName: fc.option(fc.string({ unit: 'binary' }), { nil: undefined }),
        serverName: fc.option(fc.string(), { nil: undefined }),
        protocol: fc.option(fc.string(), { nil: undefined }),
      }),
      { nil: undefined },
    ),
  })
  .map((fields) => ({ fields, bytes: writeProxyHeader(fields) }));
const junk = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));

test('fuzz: what is written is read back, cut anywhere it is incomplete, and what follows is left alone', () => {
  fc.assert(
    fc.property(header, junk, ({ fields, bytes }, payload) => {
      for (let length = 0; length < bytes.length; length += 1) {
        assert.equal(readProxyHeader(bytes.subarray(0, length)).status, 'incomplete');
      }
      const read = readProxyHeader(Buffer.concat([bytes, payload]));
      assert.equal(read.status, 'complete');
      assert.equal(read.bytes, bytes.length);
      assert.equal(read.ends === undefined, fields.ends === undefined);
      // Once written again it is the same text: that of the addresses is canonical.
      const again = { version: fields.version, ends: read.ends, tls: fields.tls };
      assert.deepEqual(readProxyHeader(writeProxyHeader(again)).status, 'complete');
      assert.deepEqual((readProxyHeader(writeProxyHeader(again)) as { ends?: unknown }).ends, read.ends);
      if (fields.version === 'v1') assert.ok(bytes.length <= 107);
      else assert.ok(bytes.length < 1_024);
    }),
  );
});

/** Bytes that are, or nearly are, a header. */
const nearly = fc.oneof(
  junk,
  junk.map((tail) => Buffer.concat([Buffer.from('PROXY '), tail])),
  junk.map((tail) => Buffer.concat([Buffer.from(SIGNATURE, 'hex'), tail])),
  fc
    .tuple(fc.constantFrom('2111', '2121', '2131', '2100', '2000'), junk)
    .map(([start, tail]) => v2(start, Buffer.concat([Buffer.alloc(Number(start[2]) > 2 ? 216 : 36), tail]))),
  fc
    .tuple(header, fc.nat(), fc.nat(255))
    .map(([{ bytes }, at, byte]) => Buffer.from(bytes).fill(byte, at % bytes.length, (at % bytes.length) + 1)),
  fc
    .array(fc.constantFrom('PROXY ', 'TCP4', 'TCP6', 'UNKNOWN', ' ', '1.2.3.4', '::1', '0', '65535', '\r', '\n', '\0'))
    .map((parts) => Buffer.from(`PROXY ${parts.join('')}\r\n`)),
);

test('fuzz: whatever comes, in whatever pieces, is read the same and never throws', () => {
  fc.assert(
    fc.property(nearly, (bytes) => {
      let first: ProxyHeaderRead = { status: 'incomplete' };
      for (let length = 0; length <= bytes.length; length += 1) {
        const read = readProxyHeader(bytes.subarray(0, length));
        // Decided once, it stays so whatever else comes.
        if (first.status === 'incomplete') first = read;
        else assert.deepEqual(read, first);
      }
      if (first.status === 'complete') assert.ok(first.bytes <= bytes.length);
      assert.ok(first.status !== 'incomplete' || bytes.length < V2_MAX_BYTES);
    }),
    { numRuns: 2_000 },
  );
});
