import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatAddress, parseAddress, type AddressRole } from '../../../src/core/address.ts';

const accepted: readonly (readonly [AddressRole, string, string])[] = [
  ['listen', ':6379', ':6379'],
  ['listen', '127.0.0.1:0', '127.0.0.1:0'],
  ['listen', 'tcp://0.0.0.0:6379', '0.0.0.0:6379'],
  ['listen', '[::1]:6379', '[::1]:6379'],
  ['listen', 'unix:/run/app.sock', 'unix:/run/app.sock'],
  ['candidate', ':6379', 'localhost:6379'],
  ['candidate', 'Redis-1.Example.ORG:6379', 'redis-1.example.org:6379'],
  ['candidate', 'redis_1:6379', 'redis_1:6379'],
  ['candidate', 'host.:1', 'host.:1'],
  ['candidate', 'unix:/run/app.sock', 'unix:/run/app.sock'],
  ['discovered', '10.0.1.134:6379', '10.0.1.134:6379'],
  ['discovered', '[2001:DB8::1]:65535', '[2001:db8::1]:65535'],
  ['discovered', '[2001:db8:0:0:0::1]:1', '[2001:db8::1]:1'],
  ['listen', '[0:0:0:0:0:0:0:0]:1', '[::]:1'],
];

for (const [role, text, canonical] of accepted) {
  test(`${role} accepts "${text}"`, () => {
    const parsed = parseAddress(text, role);
    assert.ok(parsed.ok, JSON.stringify(parsed));
    assert.equal(formatAddress(parsed.address), canonical);
  });
}

const refused: readonly (readonly [AddressRole, string, RegExp])[] = [
  ['candidate', 'redis', /host:port/],
  ['candidate', '6379', /host:port/],
  ['candidate', 'redis:', /port number/],
  ['candidate', 'redis:0', /at least 1/],
  ['candidate', 'redis:65536', /at most 65535/],
  ['candidate', 'redis:6379x', /port number/],
  ['candidate', 'redis: 6379', /without spaces/],
  ['candidate', 'red\nis:6379', /without spaces or control/],
  ['candidate', '::1:6379', /brackets/],
  ['candidate', '[::1]', /port after/],
  ['candidate', '[10.0.0.1]:1', /IPv6 address between/],
  ['candidate', '[fe80::1%eth0]:1', /IPv6 address between/],
  ['candidate', '10.0.0.256:1', /IPv4 address of four numbers/],
  ['candidate', '010.1:1', /IPv4 address of four numbers/],
  ['candidate', '-a:1', /host name or an IP/],
  ['candidate', `${'a'.repeat(64)}:1`, /host name or an IP/],
  ['candidate', 'user@host:1', /host name or an IP/],
  ['candidate', 'http://host:1', /without a scheme/],
  ['candidate', 'unix:run/app.sock', /absolute path/],
  ['candidate', `unix:/${'a'.repeat(107)}`, /at most 107 bytes/],
  ['listen', ':65536', /at most 65535/],
  ['discovered', ':6379', /host before/],
  ['discovered', 'unix:/run/x', /port number|host name|brackets/],
  ['discovered', 'tcp://a:1', /without a scheme/],
  ['discovered', '10.0.0.1:0', /at least 1/],
  ['discovered', '', /host:port/],
];

for (const [role, text, reason] of refused) {
  test(`${role} refuses ${JSON.stringify(text.slice(0, 40))}`, () => {
    const parsed = parseAddress(text, role);
    assert.ok(!parsed.ok);
    assert.match(parsed.reason, reason);
  });
}
