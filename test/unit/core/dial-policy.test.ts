import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseAddress } from '../../../src/core/address.ts';
import { dialPolicy, parseCidr } from '../../../src/core/dial-policy.ts';
import type { OwnListeners } from '../../../src/core/own-listeners.ts';

/** Every way in which an IPv6 address carries an IPv4 one, with the documents' names. */
const embeddings: Readonly<Record<string, (hi: string, lo: string) => string>> = {
  compatible: (hi, lo) => `::${hi}:${lo}`,
  mapped: (hi, lo) => `::ffff:${hi}:${lo}`,
  translated: (hi, lo) => `::ffff:0:${hi}:${lo}`,
  nat64: (hi, lo) => `64:ff9b::${hi}:${lo}`,
  'local nat64 /96': (hi, lo) => `64:ff9b:1::${hi}:${lo}`,
  'local nat64 /96, another prefix': (hi, lo) => `64:ff9b:1:fffe:1::${hi}:${lo}`,
  'local nat64 /48': (hi, lo) => `64:ff9b:1:${hi}:${lo.slice(0, 2)}:${lo.slice(2)}00::`.replace(/:0+00::$/, '::'),
  'local nat64 /64': (hi, lo) => `64:ff9b:1:0:${hi.slice(0, 2)}:${hi.slice(2)}${lo.slice(0, 2)}:${lo.slice(2)}00:0`,
  '6to4': (hi, lo) => `2002:${hi}:${lo}::1`,
  'teredo server': (hi, lo) => `2001:0:${hi}:${lo}:8000:63bf:f5ff:fffe`,
  'teredo client': (hi, lo) => `2001:0:4136:e378:8000:63bf:${inverted(hi)}:${inverted(lo)}`,
  isatap: (hi, lo) => `2001:db8::5efe:${hi}:${lo}`,
  'isatap, global': (hi, lo) => `2001:db8::200:5efe:${hi}:${lo}`,
};

function inverted(group: string): string {
  return (0xffff - Number.parseInt(group, 16)).toString(16);
}

function groupsOf(ip: string): readonly [string, string] {
  const [a = 0, b = 0, c = 0, d = 0] = ip.split('.').map(Number);
  const hex = (high: number, low: number) => (high * 256 + low).toString(16).padStart(4, '0');
  return [hex(a, b), hex(c, d)];
}

const refused = [
  ...['169.254.169.254', '169.254.0.1', '169.254.170.2', '169.254.255.255', 'fe80::1', 'fe80::a9fe:a9fe', 'febf::1'],
  ...['fe80::1%lo', 'fd00:ec2::254', 'fd00:0ec2:0:0:0:0:0:0254', 'fd00:ec2::23', 'fd00:ec2::253', 'fd20:ce::254'],
  ...['fd00:c1::a9fe:a9fe', 'fd00:42::42', '100.100.100.200', '192.0.0.192', '168.63.129.16'],
  ...['0.0.0.0', '0.0.0.1', '0.255.255.255', '::', '0:0:0:0:0:0:0:0', '::0.0.0.0'],
  ...['224.0.0.1', '239.255.255.255', 'ff02::1', 'ff00::', 'ffff::1', '255.255.255.255'],
  ...['::169.254.169.254', '::a9fe:a9fe', '::ffff:169.254.169.254', '::ffff:a9fe:a9fe', '0:0:0:0:0:ffff:a9fe:a9fe'],
  ...['64:ff9b::a9fe:a9fe', '64:ff9b::169.254.169.254', '0064:ff9b:0000::a9fe:a9fe', '2002:a9fe:a9fe::'],
  ...['2002:a9fe:a9fe:1::1', '2002:6464:64c8::', '::ffff:0.0.0.0', '::ffff:255.255.255.255', '::ffff:224.0.0.1'],
  ...['64:ff9b::', '64:ff9b::100.100.100.200', '::ffff:168.63.129.16'],
];

const permitted = [
  ...['10.0.0.1', '127.0.0.1', '127.255.255.255', '::1', '2001:db8::1', 'fd00::1', 'fd12:3456::254', '192.168.1.1'],
  ...[
    '100.100.100.199',
    '100.100.100.201',
    '100.64.0.1',
    '169.253.255.255',
    '169.255.0.0',
    '1.0.0.0',
    '223.255.255.255',
  ],
  ...['240.0.0.1', '255.255.255.254', '192.0.0.191', '168.63.129.17', 'fec0::1', 'fd00:ec1::254', 'fd20:ce::253'],
  ...[
    '64:ff9b::10.0.0.1',
    '2002:a00:1::',
    '::ffff:10.0.0.1',
    '::10.0.0.1',
    '64:ff9b:1::10.0.0.1',
    '64:ff9b:1:abcd::1.2.3.4',
  ],
  ...[
    '2001:db8::5efe:10.0.0.1',
    '2001:0:4136:e378:8000:63bf:f5ff:fffe',
    '::ffff:0:10.0.0.1',
    'fe00::1',
    '2600::a9fe:a9fe',
  ],
];

for (const ip of refused) {
  test(`a registry may not name ${ip}, unless the list has it whole`, () => {
    assert.equal(dialPolicy([]).permits(ip), false);
    assert.equal(
      dialPolicy(['0.0.0.0/0', '::/0', '0.0.0.0/1', '128.0.0.0/1', 'fd00::/8', 'fe00::/8']).permits(ip),
      false,
    );
    assert.equal(dialPolicy([ip.replace(/%.*/, '')]).permits(ip), true);
    assert.match(
      dialPolicy([]).refusal(ip) ?? '',
      /; name \S+ and every other allowed address in DISCOVERY_ALLOW to dial it$/,
    );
  });
}

for (const ip of permitted) {
  test(`a registry may name ${ip}`, () => {
    assert.equal(dialPolicy([]).refusal(ip), undefined);
    assert.equal(dialPolicy(['0.0.0.0/0', '::/0']).refusal(ip), undefined);
  });
}

test('what is refused of IPv4 is refused in every embedding, and what is not is in none', () => {
  const policy = dialPolicy([]);
  const byte = fc.integer({ min: 0, max: 255 });
  const bad = fc.oneof(
    fc.tuple(fc.constant(169), fc.constant(254), byte, byte),
    fc.tuple(fc.integer({ min: 224, max: 239 }), byte, byte, byte),
    fc.constantFrom([255, 255, 255, 255], [100, 100, 100, 200], [192, 0, 0, 192], [168, 63, 129, 16]),
  );
  const good = fc.tuple(fc.constantFrom(10, 192, 100, 168, 203), fc.constantFrom(1, 168, 64, 0), byte, byte);
  const judged = (bytes: readonly number[]) => {
    const groups = groupsOf(bytes.join('.'));
    return Object.entries(embeddings).map(([name, embed]) => {
      const ip = embed(...groups);
      assert.equal(isIP(ip), 6, ip);
      return [name, policy.permits(ip)] as const;
    });
  };
  fc.assert(fc.property(bad, (bytes) => judged(bytes).every(([name, permits]) => !permits || assert.fail(name))));
  fc.assert(
    fc.property(
      good.filter((bytes) => policy.permits(bytes.join('.'))),
      (bytes) => judged(bytes).every(([name, permits]) => permits || name.startsWith('local') || assert.fail(name)),
    ),
  );
});

test('numbers that some programs read as an address are none here', () => {
  for (const host of [
    '2852039166',
    '0xa9fea9fe',
    '0251.0376.0251.0376',
    '169.254.43518',
    '169.16689662',
    '0xa9.0xfe.0xa9.0xfe',
    '0',
    '0x0',
    '127.1',
  ])
    assert.equal(parseAddress(`${host}:80`, 'discovered').ok, false, host);
  for (const text of ['not-an-ip', '', 'localhost', '169.254.169.254:80'])
    assert.equal(dialPolicy([]).permits(text), false);
});

test('with a list only what it names may be dialed, link-local included when named', () => {
  const policy = dialPolicy(['10.0.0.0/8', 'fd00::/8', '169.254.1.1']);
  for (const ip of ['10.255.0.1', 'fd00::5', '169.254.1.1', '::ffff:10.1.1.1'])
    assert.equal(policy.permits(ip), true, ip);
  for (const ip of ['11.0.0.1', '169.254.1.2', '2001:db8::1', '127.0.0.1']) assert.equal(policy.permits(ip), false, ip);
  assert.equal(policy.refusal('11.0.0.1'), 'outside DISCOVERY_ALLOW: add its network there to dial it');
});

test('a block inside what is refused names it, one around it does not, and an embedding has to be named itself', () => {
  for (const [entry, ip, permits] of [
    ['169.254.0.0/16', '169.254.169.254', true],
    ['169.254.169.0/24', '169.254.169.254', true],
    ['169.254.169.0/24', '::ffff:169.254.169.254', true],
    ['169.0.0.0/8', '169.254.169.254', false],
    ['fe80::/10', 'fe80::1', true],
    ['fd00::/8', 'fd00:ec2::254', false],
    ['fd00:ec2::/32', 'fd00:ec2::254', true],
    ['fd00:ec2::254/128', 'fd00:ec2::253', false],
    ['64:ff9b::/96', '64:ff9b::10.0.0.1', true],
    ['64:ff9b::/96', '64:ff9b::a9fe:a9fe', false],
    ['64:ff9b::a9fe:a9fe', '64:ff9b::a9fe:a9fe', true],
    ['169.254.169.254', '64:ff9b::a9fe:a9fe', false],
  ] as const)
    assert.equal(dialPolicy([entry]).permits(ip), permits, `${entry} ${ip}`);
});

test('a listener of ours may not be named, in any spelling, unless the list has its address and port', () => {
  const own: OwnListeners = { has: (ip, port) => (ip === '127.0.0.1' || ip === '::1') && port === 29092 };
  for (const allow of [
    [],
    ['127.0.0.0/8', '::/0'],
    ['127.0.0.1', '::/0'],
    ['127.0.0.1:29091', '127.0.0.0/8', '::/0'],
  ]) {
    const policy = dialPolicy(allow, own);
    for (const ip of ['127.0.0.1', '::ffff:127.0.0.1', '::ffff:7f00:1', '::127.0.0.1', '64:ff9b::127.0.0.1', '::1'])
      assert.equal(policy.permits(ip, 29092), false, `${ip} ${allow.join()}`);
    assert.equal(policy.permits('127.0.0.1', 29093), true);
  }
  assert.equal(
    dialPolicy([], own).refusal('::ffff:127.0.0.1', 29092),
    '127.0.0.1:29092 is a listener of this process; name 127.0.0.1:29092 and every other allowed address in DISCOVERY_ALLOW to dial it',
  );
  const named = dialPolicy(['127.0.0.1:29092', '[::1]:29092'], own);
  assert.deepEqual(
    ['127.0.0.1', '::1', '127.0.0.2'].map((ip) => named.permits(ip, 29092)),
    [true, true, false],
  );
  assert.equal(named.permits('127.0.0.1', 29093), false);
});

for (const block of [
  '',
  'x',
  '10.0.0.0/33',
  '10.0.0.0/',
  '10.0.0.0/8/8',
  'fd00::/129',
  '10.0.0/8',
  '10.0.0.0/-1',
  'fe80::1%lo',
]) {
  test(`"${block}" is refused as a CIDR block`, () => {
    assert.throws(() => parseCidr(block), RangeError);
  });
}

for (const entry of [
  '127.0.0.1:0',
  '127.0.0.1:65536',
  '127.0.0.0/8:80',
  '::1:80x',
  '[127.0.0.1]:80',
  '[::1]',
  'localhost:80',
  ':80',
  '127.0.0.1:',
]) {
  test(`"${entry}" is refused as an entry of DISCOVERY_ALLOW`, () => {
    assert.throws(() => dialPolicy([entry]), RangeError);
  });
}
